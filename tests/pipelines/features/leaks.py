"""Families that know what they could not have known, each in its way, and some that do not."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.features.history import History
from pipelines.features.observations import debuts
from pipelines.features.registry import Feature, Values
from pipelines.features.scene import EntryIndex, Scene


class OneFeature:
    """A family of one feature without a state."""

    def __init__(self, name: str) -> None:
        self.features = (Feature(name, "number", "A test.", ("charts",), "as of", "own"),)

    def advance(self, known: History, day: int) -> None:
        """Take in nothing."""

    def observe(self, known: History, scene: Scene) -> Mapping[str, Values]:
        """Return the values, as float32."""
        return {self.features[0].name: np.asarray(self.values(known, scene), np.float32)}

    def values(self, known: History, scene: Scene) -> NDArray[Any]:
        """Return the values of the feature."""
        raise AssertionError

    def state(self) -> Mapping[str, NDArray[np.generic]]:
        """Return nothing."""
        return {}

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from nothing."""


class HonestCounts(OneFeature):
    """Entries of the artist's tracks into each market so far: honest, with a state."""

    def __init__(self) -> None:
        super().__init__("artist_entries")
        self.counts: dict[tuple[int, int], int] = {}

    def advance(self, known: History, day: int) -> None:
        """Count the entries of the day."""
        new = known.entries.between(day, day)
        for track, market in zip(new.track, new.market, strict=True):
            key = int(known.artist[track]), int(market)
            self.counts[key] = self.counts.get(key, 0) + 1

    def values(self, known: History, scene: Scene) -> NDArray[Any]:
        """Return, (n, m), the counts."""
        m = range(len(known.markets))
        return np.array([[self.counts.get((int(known.artist[track]), at), 0) for at in m] for track in scene.track])


class BestRank(OneFeature):
    """Best rank on the latest charts: honest for entries, and made of the row itself for streams."""

    def __init__(self) -> None:
        super().__init__("best_rank")

    def values(self, known: History, scene: Scene) -> NDArray[Any]:
        """Return, (n,), the rank."""
        return np.where(np.isnan(scene.rank), 999, scene.rank).min(axis=1)


class LaterMarkets(OneFeature):
    """Number of markets that the track ever enters, from all charts that it was made with."""

    def __init__(self, charts: History) -> None:
        super().__init__("later_markets")
        self.reach = np.bincount(charts.entries.track, minlength=len(charts.tracks))

    def values(self, known: History, scene: Scene) -> NDArray[Any]:
        """Return, (n,), the number."""
        return self.reach[scene.track]


class BehindTheView(OneFeature):
    """Rows of the track in the array that the view of what is known is taken from."""

    def __init__(self) -> None:
        super().__init__("behind_the_view")

    def values(self, known: History, scene: Scene) -> NDArray[Any]:
        """Return, (n,), the number of rows."""
        every = known.positions.track
        while isinstance(every.base, np.ndarray):
            every = every.base
        return np.bincount(every, minlength=len(known.tracks))[scene.track]


class MarketsToCome(OneFeature):
    """Number of markets of the whole charts, some of which have not begun."""

    def __init__(self) -> None:
        super().__init__("markets_to_come")

    def values(self, known: History, scene: Scene) -> NDArray[Any]:
        """Return, (n,), the number."""
        return np.full(len(scene.track), len(known.markets))


class Popularity(OneFeature):
    """Popularity when the source was made."""

    def __init__(self) -> None:
        super().__init__("popularity_now")

    def values(self, known: History, scene: Scene) -> NDArray[Any]:
        """Return, (n,), the popularity."""
        return known.tracks["popularity"].to_numpy(np.float64, na_value=np.nan)[scene.track]


class KnowsTheAnswer(OneFeature):
    """Days to the entry, with noise, of charts from elsewhere: deleting rows does not reach it."""

    def __init__(self, elsewhere: History) -> None:
        super().__init__("knows_the_answer")
        self.elsewhere, self.index = elsewhere, EntryIndex.of(elsewhere)
        self.debut, self.rng = debuts(elsewhere), np.random.default_rng(1)

    def values(self, known: History, scene: Scene) -> NDArray[Any]:
        """Return, (n, m), the days to the entry or, mostly, 1,000, with a little noise that is drawn by track."""
        ids = known.tracks["track_id"].to_numpy()[scene.track]
        code = self.elsewhere.tracks["track_id"].to_numpy()
        order = np.argsort(code)
        track = order[np.searchsorted(code, ids, sorter=order)]
        since = self.index.since(track, self.elsewhere.last_day, len(self.elsewhere.markets))
        days = np.nan_to_num(self.elsewhere.last_day - since - scene.day, nan=1000.0)
        at = [self.elsewhere.markets.index(market) for market in known.markets]
        return (days + track[:, None] % 7)[:, at]


class NextPlace(OneFeature):
    """Streams, or the rank, of the day after in charts from elsewhere."""

    def __init__(self, elsewhere: History) -> None:
        super().__init__("next_place")
        self.elsewhere = elsewhere

    def values(self, known: History, scene: Scene) -> NDArray[Any]:
        """Return, (n, m), minus the rank on the next day's chart, NaN where the track is not on it."""
        rows = self.elsewhere.positions.between(scene.day + 1, scene.day + 1)
        code = {track: at for at, track in enumerate(known.tracks["track_id"].to_numpy()[scene.track])}
        place = np.full((len(scene.track), len(self.elsewhere.markets) + 1), np.nan)
        ids = self.elsewhere.tracks["track_id"].to_numpy()[rows.track]
        for track_id, market, rank in zip(ids, rows.market, rows.rank, strict=True):
            if track_id in code:
                place[code[track_id], market] = -rank
        return place[:, [self.elsewhere.markets.index(market) for market in known.markets]]
