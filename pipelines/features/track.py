"""Track features: where the track stands now, how it moved, and where it has been."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusion import reference_table
from diffusion.arrays import Floats, Ints
from pipelines.features.history import History
from pipelines.features.registry import Feature, Values
from pipelines.features.relatives import RowsByKey
from pipelines.features.scene import Scene
from pipelines.features.standings import ends, latest_two, placed, rows_on

TOP: Final = 0.2
"""Share of a chart's positions that counts as its top."""

Reals = NDArray[np.floating]
"""Real numbers of any precision."""


def _feature(name: str, unit: str, meaning: str, *sources: str) -> Feature:
    return Feature(name, unit, meaning, ("charts", *sources), "as of", "track")


class Track:
    """Position, streams, growth and attributes of the observed track.

    *Now* is the latest chart of each market, at most 28 days old; the chart before it is that market's chart before,
    at most 28 days older. The height of a position is 1 − (rank − 1) / (last position of the chart): 1 at the top.
    """

    features: Final = (
        _feature("footprint_size", "markets", "Markets entered on the debut."),
        _feature("markets_entered", "markets", "Markets entered by now."),
        _feature("markets_now", "markets", "Markets on whose chart it stands now."),
        _feature("markets_left", "markets", "Markets entered on whose chart it does not stand now."),
        _feature("markets_change", "markets", "markets_now minus the same count on the charts before."),
        _feature("best_rank_now", "rank", "Best position now."),
        _feature("second_rank_now", "rank", "Second best position now; missing with fewer than two."),
        _feature("mean_rank_now", "rank", "Mean position now."),
        _feature("weighted_rank_now", "rank", "Mean position now, weighted by its height."),
        _feature("presence_now", "sum", "Sum of 1/√rank over the markets now."),
        _feature("mean_height_now", "share", "Mean height now."),
        _feature("height_sum_now", "sum", "Sum of the heights now."),
        _feature("top_markets_now", "markets", "Markets where it stands in the best fifth of the chart now."),
        _feature("global_rank_now", "rank", "Position on the Global chart now."),
        _feature("log_streams_now", "log streams", "Natural logarithm of 1 plus the streams now, over all markets."),
        _feature("streams_share_best", "share", "Greatest share of the streams of a market's chart now."),
        _feature("streams_share_mean", "share", "Mean share of the streams of a market's chart now."),
        _feature(
            "streams_growth", "log ratio", "Logarithm of streams now over streams on the chart before, summed over the "
            "markets that show both.",
        ),
        _feature(
            "streams_growth_since_debut", "log ratio", "Logarithm of streams now over streams at the debut, summed "
            "over the markets of the debut that show both.",
        ),
        _feature("rank_change", "positions", "Mean gain of positions since the chart before, where on both."),
        _feature("rank_change_best", "positions", "Greatest gain of positions since the chart before."),
        _feature("entries_now", "markets", "Markets that it entered with their chart now."),
        _feature("days_since_entry", "days", "Days since its last entry into any market."),
        _feature(
            "returns", "times", "Times that it came back to a market's chart after it was missing on that market's "
            "chart before (at most 28 days older).",
        ),
        _feature("appearances", "charts", "Charts of markets that it has been on by now."),
        _feature("continents_entered", "continents", "Continents of the markets entered.", "markets"),
        _feature(
            "continent_entropy", "nats", "Entropy of the shares of the continents among the markets entered.", "markets"
        ),
        _feature("explicit", "0 or 1", "1 if the track is marked explicit.", "tracks"),
        _feature("duration", "minutes", "Duration.", "tracks"),
    )  # fmt: skip

    def __init__(self) -> None:
        self._returns: Ints = np.zeros(0, np.int64)
        self._appearances: Ints = np.zeros(0, np.int64)
        self._entries = RowsByKey()

    def advance(self, known: History, day: int) -> None:
        """Count the day's appearances, and the returns among them."""
        n, m = len(known.tracks), len(known.markets)
        latest, before = latest_two(known, day)
        today = rows_on(known, np.where(latest == day, day, -1))
        earlier = rows_on(known, np.where(latest == day, before, -1))
        entries = known.entries.between(day, day)
        here = today.track.astype(np.int64) * m + today.market
        missing = (before[today.market] >= 0) & ~np.isin(here, earlier.track.astype(np.int64) * m + earlier.market)
        missing &= ~np.isin(here, entries.track.astype(np.int64) * m + entries.market)
        self._appearances = _grown(self._appearances, n) + np.bincount(today.track, minlength=n)
        self._returns = _grown(self._returns, n) + np.bincount(today.track[missing], minlength=n)

    def observe(self, known: History, scene: Scene) -> Mapping[str, Values]:
        """Return name → values of the tracks of a day."""
        m = len(known.markets)
        latest, before = latest_two(known, scene.day)
        length, streams = ends(known, latest)
        rank_before, streams_before = placed(rows_on(known, before), scene.track, m)
        entry_day = scene.day - scene.since_entry
        tracks = known.tracks.iloc[scene.track]
        found = {
            "footprint_size": scene.footprint.sum(axis=1),
            "markets_entered": scene.entered.sum(axis=1),
            "markets_now": np.isfinite(scene.rank).sum(axis=1),
            "markets_left": (scene.entered & np.isnan(scene.rank)).sum(axis=1),
            "markets_change": np.isfinite(scene.rank).sum(axis=1) - np.isfinite(rank_before).sum(axis=1),
            "global_rank_now": scene.global_rank,
            "entries_now": (entry_day == latest).sum(axis=1),
            "days_since_entry": _least(scene.since_entry),
            "returns": self._returns[scene.track],
            "appearances": self._appearances[scene.track],
            "explicit": tracks["explicit"].astype("Float32").to_numpy(np.float32, na_value=np.nan),
            "duration": tracks["duration_ms"].to_numpy(np.float64, na_value=np.nan) / 60_000,
        }
        found |= _ranks(scene.rank, rank_before, length)
        found |= self._streams(known, scene, streams_before, streams)
        found |= _continents(scene, known.markets)
        return {feature.name: found[feature.name].astype(np.float32) for feature in self.features}

    def _streams(
        self, known: History, scene: Scene, before: NDArray[np.float32], total: Floats
    ) -> dict[str, NDArray[np.generic]]:
        """Return shares and growth of the streams; `total`, (m,), are those of the charts now."""
        n, m = len(scene.track), len(known.markets)
        share = scene.streams / np.where(total > 0, total, np.nan)
        at, row = self._entries.find(known.entries.track, scene.track)
        debut = np.full((n, m), np.nan)
        debut[at, known.entries.market[row]] = known.entries.streams[row]
        debut[~scene.footprint] = np.nan
        return {
            "log_streams_now": np.log1p(_total(scene.streams)),
            "streams_share_best": -_least(-share),
            "streams_share_mean": _mean(share),
            "streams_growth": _growth(before, scene.streams),
            "streams_growth_since_debut": _growth(debut, scene.streams),
        }

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the returns and appearances of every track."""
        return {"returns": self._returns, "appearances": self._appearances}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from a state."""
        self._returns = state["returns"].astype(np.int64)
        self._appearances = state["appearances"].astype(np.int64)
        self._entries = RowsByKey()


def _ranks(
    rank: NDArray[np.float32], before: NDArray[np.float32], length: NDArray[np.float32]
) -> dict[str, NDArray[np.generic]]:
    """Return what the positions now and before say."""
    height = 1 - (rank - 1) / length
    two = np.sort(rank, axis=1)[:, :2]  # NaN comes last
    gain = before - rank
    return {
        "best_rank_now": _least(rank),
        "second_rank_now": two[:, -1] if rank.shape[1] > 1 else np.full(len(rank), np.nan),
        "mean_rank_now": _mean(rank),
        "weighted_rank_now": _total(rank * height) / _total(height),
        "presence_now": np.nansum(1 / np.sqrt(rank), axis=1),
        "mean_height_now": _mean(height),
        "height_sum_now": np.nansum(height, axis=1),
        "top_markets_now": (height > 1 - TOP).sum(axis=1),
        "rank_change": _mean(gain),
        "rank_change_best": -_least(-gain),
    }


def _continents(scene: Scene, markets: tuple[str, ...]) -> dict[str, NDArray[np.generic]]:
    """Return number and entropy of the continents of the markets entered; a market of unknown continent is its own."""
    continents = reference_table().set_index("market")["continent"].to_dict()
    names = [continents.get(market, market) for market in markets]
    member = np.equal(np.array(names)[:, None], np.unique(names)).astype(np.float64)
    counts = scene.entered.astype(np.float64) @ member
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return {
        "continents_entered": (counts > 0).sum(axis=1),
        "continent_entropy": -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=1),
    }


def _growth(before: Reals, now: Reals) -> Floats:
    """Return, (n,), the logarithm of streams now over streams before, where both are shown; NaN where none are."""
    both = np.isfinite(before) & np.isfinite(now)
    sums = [np.where(both, streams, 0).sum(axis=1, dtype=np.float64) for streams in (before, now)]
    growth = np.full(len(now), np.nan)
    some = (sums[0] > 0) & (sums[1] > 0)
    growth[some] = np.log(sums[1][some] / sums[0][some])
    return growth


def _least(values: Reals) -> Floats:
    """Return the least value of each row, NaN where it has none."""
    least: Floats = np.fmin.reduce(values, axis=1).astype(np.float64)
    return least


def _total(values: Reals) -> Floats:
    """Return the sum of each row's values, NaN where it has none."""
    return np.where(np.isfinite(values).any(axis=1), np.nansum(values, axis=1, dtype=np.float64), np.nan)


def _mean(values: Reals) -> Floats:
    """Return the mean of each row's values, NaN where it has none."""
    mean: Floats = _total(values) / np.maximum(np.isfinite(values).sum(axis=1), 1)
    return mean


def _grown(counts: Ints, size: int) -> Ints:
    """Return counts with zeros appended."""
    return np.append(counts, np.zeros(size - len(counts), np.int64))
