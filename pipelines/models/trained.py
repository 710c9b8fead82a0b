"""A trained model: the forecaster, the features' state, and what of the charts is needed to go on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion import DataSaysNoError, SettingError, market_names
from diffusion.arrays import Ints
from pipelines.features.families import families
from pipelines.features.history import History
from pipelines.features.hypothetical import Debut, with_debut
from pipelines.features.observations import Observations, debuts, recent_tracks
from pipelines.features.own import Own, OwnColumns
from pipelines.features.registry import Family, Feature
from pipelines.features.table import FeatureTable, advance, features
from pipelines.models.examples import Examples, Forecast
from pipelines.models.forecaster import Forecaster
from pipelines.models.reasons import Reason, reasons


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model says of tracks.

    Attributes
    ----------
    table
        One row per track and market it may enter: `track_id`, `title`, `artist`, `as_of`, `market`, `name`, `p_enter`
        (within the horizon), `p_by_7` … (by 7, 14 and 28 days), `expected_days` (median, given entry within the
        horizon), `days_low` and `days_high` (80 % interval of these); the most likely market of a track first.
    values
        (k, f): features of the rows.
    entered
        (k,): number of markets that the row's track has entered.
    """

    table: pd.DataFrame
    values: NDArray[np.float32]
    entered: Ints


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A forecaster that stands at the end of the charts it knows.

    Attributes
    ----------
    forecaster
        Fitted forecaster.
    families
        Families of features, after the last day of `history`.
    history
        What is known: charts until the last day.
    facts
        How it was trained, as JSON: `horizon`, `publication_lag`, `points`, `first_debut`, `last_debut`, `known_until`,
        `observations`, `candidates`, `entries`, `share_drawn`, `charts` (digest of the charts known) and `sources`
        (path, bytes and SHA-256 of the chart files).
    """

    forecaster: Forecaster
    families: tuple[Family, ...]
    history: History
    facts: dict[str, Any]

    @property
    def features(self) -> tuple[Feature, ...]:
        """Features of the model, in order of columns."""
        return tuple(feature for family in self.families for feature in family.features)

    @property
    def horizon(self) -> int:
        """Days within which entries count."""
        return self.forecaster.horizon

    def at(self, charts: History, day: int) -> "TrainedModel":
        """Return the model at the end of a day of other charts, by the charts published by then.

        Where the charts begin with those the model was trained on, its features go on from there; else they are made
        anew.

        Raises
        ------
        SettingError
            When the charts have other markets.
        DataSaysNoError
            When nothing was published by the day.
        """
        if charts.markets != self.history.markets:
            raise SettingError(
                f"the charts have the markets {', '.join(charts.markets)}, the model those it was trained on: "
                f"{', '.join(self.history.markets)}"
            )
        last = day - int(self.facts["publication_lag"])
        if last < charts.first_day:
            raise DataSaysNoError(f"no chart is published by {np.datetime64(day, 'D')}")
        known = charts.until(last)
        trained = self.history.last_day
        goes_on = known.last_day >= trained and digest(charts.until(trained)) == self.facts["charts"]
        moved = self._copied() if goes_on else self._fresh()
        advance(known, moved, after=trained if goes_on else None, until=known.last_day)
        return replace(self, history=known, families=moved)

    def with_own(self, columns: OwnColumns) -> "TrainedModel":
        """Return the model with another table of the user's columns.

        Raises
        ------
        SettingError
            When the columns are not those that the model was trained on.
        """
        trained = [feature for feature in self.features if feature.family == "own"]
        own = Own(columns)
        if list(own.features) != trained:
            ours = ", ".join(feature.name.removeprefix("own_") for feature in trained) or "none"
            raise SettingError(f"the columns are {', '.join(columns.names)}, the model was trained on {ours}")
        return replace(self, families=(*(each for each in self.families if not isinstance(each, Own)), own))

    def with_debut(self, debut: Debut) -> "TrainedModel":
        """Return the model on the day of a debut that has not happened; the track's code is the last."""
        known = with_debut(self.history, debut)
        moved = self._copied()
        advance(known, moved, after=self.history.last_day, until=debut.day)
        return replace(self, history=known, families=moved)

    def current(self) -> Ints:
        """Return the tracks on a latest chart with a timed debut at most one horizon ago."""
        return recent_tracks(self.history, self.horizon)

    def observe(self, track: Ints) -> tuple[Observations, FeatureTable]:
        """Return tracks as of the last day known, and the features of the markets they may enter."""
        day = np.full(len(track), self.history.last_day, np.int32)
        observations = Observations.of(self.history, track.astype(np.int64), day)
        return observations, features(self.history, observations, self.families, after=self.history.last_day)

    def predict(self, track: Ints) -> Predictions:
        """Return what the model says of tracks, by their codes, as of the last day known."""
        observations, table = self.observe(track)
        code = observations.track[table.observation]
        nothing = np.zeros(len(code))
        examples = Examples(
            features=table.features,
            values=table.values,
            observation=table.observation,
            market=table.market,
            track=code,
            artist=self.history.artist[code],
            day=observations.day[table.observation],
            debut=debuts(self.history)[code],
            entered=nothing.astype(np.bool_),
            days=nothing.astype(np.float32),
            horizon=self.horizon,
        )
        forecast = self.forecaster.predict(examples)
        order = np.lexsort((-forecast.p, table.observation))
        entered = np.bincount(self.history.entries.track, minlength=len(self.history.tracks))
        return Predictions(
            self._frame(examples, forecast).iloc[order].reset_index(drop=True),
            table.values[order],
            entered[code][order],
        )

    def reasons(self, predictions: Predictions, rows: Sequence[int], *, most: int = 3) -> list[list[Reason]]:
        """Return the main reasons of some rows of predictions."""
        found = []
        for row in rows:
            name, entered = predictions.table["name"].iloc[row], int(predictions.entered[row])
            one = predictions.values[row : row + 1]
            found += reasons(self.forecaster, self.features, one, [name], entered, most=most)
        return found

    def _frame(self, examples: Examples, forecast: Forecast) -> pd.DataFrame:
        known = self.history
        tracks = known.tracks[["track_id", "title", "artist"]].iloc[examples.track].reset_index(drop=True)
        names = market_names(known.markets)
        code = np.array(known.markets, object)[examples.market]
        by = np.zeros((len(examples), 0)) if forecast.by is None else forecast.by
        within = {f"p_by_{day}": by[:, at] for at, day in enumerate(forecast.days[:-1])}
        low, high = np.zeros((2, len(examples))) if forecast.interval is None else forecast.interval.T
        return tracks.assign(
            as_of=np.datetime64(known.last_day, "D").astype("datetime64[s]"),
            market=code,
            name=[names[market] for market in code],
            p_enter=forecast.p,
            **within,
            expected_days=forecast.expected_days,
            days_low=low,
            days_high=high,
        )

    def _fresh(self) -> tuple[Family, ...]:
        """Return the families as before the first day, with the user's table."""
        return (*families(self.horizon), *(family for family in self.families if isinstance(family, Own)))

    def _copied(self) -> tuple[Family, ...]:
        """Return families of the same state, which may go on by themselves."""
        made = self._fresh()
        for copy, family in zip(made, self.families, strict=True):
            if not isinstance(copy, Own):  # its rows do not change
                copy.restore(family.state())
        return made


def digest(history: History) -> str:
    """Return the SHA-256 of ids, rows and entries of a history."""
    found = sha256("\n".join([*history.markets, *history.tracks["track_id"]]).encode())
    for part in (history.positions, history.entries, history.observed):
        for name in part.__slots__:
            found.update(np.ascontiguousarray(getattr(part, name)).tobytes())
    return found.hexdigest()
