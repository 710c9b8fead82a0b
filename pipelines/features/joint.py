"""Joint regression of charting in a market on the track's other markets and on what is known of it at its debut."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from diffusion.arrays import Floats, Ints
from pipelines.features.artist import Artist
from pipelines.features.cocharting import charted_by_now
from pipelines.features.history import History
from pipelines.features.language import Language
from pipelines.features.observations import debuts
from pipelines.features.recording import Recording
from pipelines.features.registry import Feature, Values
from pipelines.features.relatives import RowsByKey
from pipelines.features.scene import EntryIndex, Scene

HALF_LIVES: Final = {"joint_regression": None, "joint_regression_recent": 2.0}
"""Regression → horizons after which an entry counts half; None: entries count for ever."""

RIDGE: Final = 10.0
"""Ridge, in tracks."""

SPAN: Final = 2.5
"""Horizons after the debut in which the entries of a track count."""


def _joint(name: str, meaning: str) -> Feature:
    return Feature(name, "score", meaning, ("charts", "tracks"), "as of", "cross-border")


class JointRegression:
    """Ridge regression of charting in a market on charting in the others, and on the background of the track.

    The background is, per market, what `Artist`, `Recording` and `Language` tell on the day of the debut: shares of the
    artist's tracks here, lately and of guests; whether other tracks of the artist, siblings or the recording are here;
    and the affinity of the text. On each day with an entry of the track, within 2.5 horizons of its debut, the track
    counts with all its markets so far, 1 / √k for k of them.

    Parameters
    ----------
    horizon
        Days within which entries count.
    artist, recording, language
        Families that take in every day before this one does.

    References
    ----------
    Steck, H. (2019). Embarrassingly shallow autoencoders for sparse data. WWW '19, doi 10.1145/3308558.3313710.
    """

    features: Final = (
        _joint(
            "joint_regression", "Ridge regression of charting in the market on charting in the others and on the "
            "track's background (artist, siblings, guests, recording, text), at the markets entered and the "
            "background now, divided by the root of the number of markets entered."
        ),
        _joint("joint_regression_recent", "The same, entries counting half after two horizons."),
    )  # fmt: skip

    def __init__(self, horizon: int, artist: Artist, recording: Recording, language: Language) -> None:
        self.horizon = horizon
        self._sources = (artist, recording, language)
        self._forget()

    def _forget(self) -> None:
        self._entries = RowsByKey()
        self._tables: dict[str, Floats] = {}
        self._day = -1
        self._track: Ints = np.zeros(0, np.int64)
        self._debut: Ints = np.zeros(0, np.int64)
        self._backgrounds = np.zeros((0, 0), np.float32)

    def advance(self, known: History, day: int) -> None:
        """Keep the background of the day's debuts, and count the tracks that enter a market."""
        self._keep_debuts(known, day)
        track, charted, _ = charted_by_now(known, self._entries, day)
        order = np.argsort(self._track)
        at = np.searchsorted(self._track, track, sorter=order)
        kept = at < len(order)
        kept[kept] = self._track[order[at[kept]]] == track[kept]
        own = np.concatenate([charted[kept], self._backgrounds[order[at[kept]]]], axis=1).astype(np.float64)
        own /= np.sqrt(np.sqrt(charted[kept].sum(axis=1, keepdims=True)))
        for name, half_life in HALF_LIVES.items():
            table = self._tables.setdefault(name, np.zeros((own.shape[1], own.shape[1])))
            if half_life is not None and self._day >= 0:
                table *= 0.5 ** ((day - self._day) / (half_life * self.horizon))
            table += own.T @ own
        self._day = day

    def _keep_debuts(self, known: History, day: int) -> None:
        """Add the debuts of a day, and leave out those whose span is over."""
        track = np.flatnonzero(debuts(known) == day)
        today = EntryIndex.of(replace(known, entries=known.entries.between(day, day)))
        background = self._background(known, Scene.of(known, today, day, track))
        if not self._backgrounds.shape[1]:
            self._backgrounds = background[:0]
        kept = self._debut > day - SPAN * self.horizon
        self._track = np.append(self._track[kept], track)
        self._debut = np.append(self._debut[kept], np.full(len(track), day))
        self._backgrounds = np.concatenate([self._backgrounds[kept], background])

    def _background(self, known: History, scene: Scene) -> NDArray[np.float32]:
        """Return, (n, q), the background of the tracks of a day; markets that are not open have no affinity."""
        told: dict[str, Values] = {}
        if not len(scene.track):
            return np.zeros((0, 7 * len(known.markets) + 1), np.float32)
        for family in self._sources:
            told |= family.observe(known, scene)
        here = (
            told["artist_share_here"],
            told["artist_recent_share_here"],
            np.minimum(told["artist_now_here"], 1),
            np.minimum(told["siblings_here"], 1),
            told["guests_share_here_most"],
            np.minimum(told["recording_here"], 1),
            np.tanh(2 * told["text_affinity"]) * scene.open / 2,
        )
        return np.concatenate([*map(np.nan_to_num, here), np.ones((len(scene.track), 1), np.float32)], axis=1)

    def observe(self, known: History, scene: Scene) -> Mapping[str, Values]:
        """Return name → values of the tracks of a day."""
        own = np.concatenate([scene.entered, self._background(known, scene)], axis=1)
        number = np.maximum(scene.entered.sum(axis=1, keepdims=True), 1)
        found = {
            name: (own @ regressions(table, len(known.markets)) / np.sqrt(number)).astype(np.float32)
            for name, table in self._tables.items()
        }
        return found

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return name → array: the tables, the day they stand at, and the background of the latest debuts."""
        return {
            **{name: table.copy() for name, table in self._tables.items()},
            "day": np.array(self._day),
            "track": self._track.copy(),
            "debut": self._debut.copy(),
            "backgrounds": self._backgrounds.copy(),
        }

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from a state that `state` returned."""
        self._forget()
        self._tables = {name: np.array(state[name], np.float64) for name in HALF_LIVES if name in state}
        self._day = int(state["day"])
        self._track, self._debut = np.array(state["track"], np.int64), np.array(state["debut"], np.int64)
        self._backgrounds = np.array(state["backgrounds"], np.float32)


def regressions(table: Floats, markets: int) -> Floats:
    """Return, (q, m), the ridge regressions of the first m of q variables on all others, from their cross products."""
    size = len(table)
    inverse = cho_solve(cho_factor(table + RIDGE * np.eye(size)), np.eye(size, markets))
    coefficients: Floats = -inverse / np.diag(inverse)
    np.fill_diagonal(coefficients, 0)
    return coefficients
