"""The audit: a feature as of a date must not change with anything later, and must not be too good to be true."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Ints
from diffusion.conventions import LONGEST
from pipelines.contracts.audit import AUDIT
from pipelines.features.history import History
from pipelines.features.later_charts import ChartRows
from pipelines.features.observations import Observations, timed_debuts
from pipelines.features.registry import Family
from pipelines.features.scene import open_markets
from pipelines.features.single_scores import BaseFeatures, Scores, on_charts, single_scores
from pipelines.features.table import FeatureTable, features

Target = Literal["entry", "streams"]
"""What is to be forecast: ``entry`` after the as-of date; ``streams``, or the rank, on charts of the as-of date."""

MakeFamilies = Callable[[History], Sequence[Family]]
"""Function that returns new families for charts. Most families do not need the charts; one that does is caught if it
reads later ones."""

Verdict = Literal["passes", "looks ahead", "later snapshot", "contemporaneous", "too good"]
"""Verdicts on features; columns of the charts are ``refused``."""

PASSES: Final = ("passes", "refused")
"""Verdicts that are no failure."""

DATES: Final = 3
"""Default number of as-of dates."""

MOST_ROWS: Final = 300_000
"""Default number of rows of the charts that are audited; of larger charts, so many artists as have them."""

ROUNDING: Final = 1e-5
"""Part of a feature's largest value by which it may differ: single-precision sums depend on the order of their terms,
and that on how many tracks and markets there are; fits end where their steps are this small."""

_TRACKS: Final = 250
"""Tracks looked at on an as-of date, and as many on their debuts before it."""

_SCORED: Final = 2_500
"""Tracks that single features are scored on."""

_KEYS: Final = ["as_of", "track_id", "market"]


def audit(
    history: History,
    make: MakeFamilies,
    *,
    horizon: int | None = None,
    dates: int = DATES,
    target: Target = "entry",
    most: int = MOST_ROWS,
    seed: int = 0,
    tell: Callable[[float], None] = lambda share: None,
) -> pd.DataFrame:
    """Return a verdict on every feature, and the columns of the charts that are refused as features.

    Parameters
    ----------
    history
        The charts.
    make
        Function of charts that returns new families for them, such as ``lambda charts: families(horizon)``.
    horizon
        Days within which entries count for the score of a feature (default: the window of the cadence).
    dates
        Number of as-of dates, evenly spread.
    target
        What is to be forecast.
    most
        Largest number of chart rows that are looked at; of larger charts, a random sample of artists that has them.
    seed
        Seed of what is drawn.
    tell
        Function that is told the share done, 0 … 1.

    Returns
    -------
    DataFrame
        Columns as in `pipelines.contracts.audit.AUDIT`: the features in order, then the columns refused.

    Raises
    ------
    DataSaysNoError
        When no market is past its washout on any date, or no track has a market that it may enter.

    Notes
    -----
    For each as-of date the charts are written anew, once without the later rows and once with nonsense in their place,
    and read from these files. All values as of that date and before must be the same: to the last bit, or to
    `ROUNDING`, and then the reason says so. Nonsense takes in what a source tells later: popularity, and release dates
    after the as-of date.

    A feature is too good when the lower end of its AUC's 99 % interval is above `AUC_BOUND` of
    `pipelines.features.single_scores`, and above the middle between 1 and the best of four plain counts as of the date;
    or when its R² is above `R2_BOUND` and leaves less than half of what the best of them leaves.
    """
    horizon = history.calendar.default_window if horizon is None else horizon
    if not 1 <= horizon <= LONGEST or dates < 1:
        raise SettingError(f"horizon {horizon} and dates {dates}: give at least 1 of each, {LONGEST:,} days at most")
    rng = np.random.default_rng(seed)
    rows = ChartRows.of(history, most=most, rng=rng)
    whole = rows.read()
    days = as_of_days(whole, dates)
    found = []
    for number, day in enumerate(days):
        truth = Looked.of(whole, make, _points(whole, day, rng))
        if truth.keys.empty:
            on = np.datetime64(int(day), "D")
            raise DataSaysNoError(f"no track that was on a chart by {on} could enter another market: nothing to audit")
        found.append(_changes(rows, make, truth, day, rng))
        tell((number + 1) / (len(days) + 1))
    starts, charts = _starts(whole, horizon, rng), on_charts(whole, days, _TRACKS, rng)
    made = [*make(whole), BaseFeatures(whole)]
    together = Together.of(whole, made, [starts, charts])
    scores = single_scores(whole, (starts, together.part(starts)), (charts, together.part(charts)), horizon)
    described = together.table.features[: -len(BaseFeatures.features)]
    verdicts = [_verdict(found, scores, at, target) for at in range(len(described))]
    return pd.DataFrame(
        [
            *(
                {
                    "feature": feature.name,
                    "family": feature.family,
                    "known": feature.known,
                    "verdict": verdict,
                    "reason": reason,
                    "same_day": bool(found[-1].places[at]),
                    "values": sum(change.values for change in found),
                    "auc": scores.auc[at],
                    "r2": scores.r2[at],
                }
                for at, (feature, (verdict, reason)) in enumerate(zip(described, verdicts, strict=True))
            ),
            *_refused(whole),
        ],
        columns=AUDIT.names,
    )


def check_no_leak(
    history: History,
    make: MakeFamilies,
    *,
    horizon: int | None = None,
    dates: int = 1,
    target: Target = "entry",
    most: int = MOST_ROWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the table of `audit`, by default of one as-of date; parameters as there.

    Raises
    ------
    DataSaysNoError
        When a feature fails; the message names all that do.
    """
    table = audit(history, make, horizon=horizon, dates=dates, target=target, most=most, seed=seed)
    failed = table[~table["verdict"].isin(PASSES)]
    if len(failed):
        named = "; ".join(f"{row.feature}: {row.verdict} ({row.reason})" for row in failed.itertuples())
        raise DataSaysNoError(f"{len(failed)} of {table['values'].notna().sum()} features leak, take them out: {named}")
    return table


def as_of_days(history: History, dates: int) -> list[int]:
    """Return at most so many dates of the charts, evenly spread over those on which a market is past its washout.

    Raises
    ------
    DataSaysNoError
        When there is none.
    """
    every = np.unique(history.observed.day)
    usable = np.array([day for day in every if open_markets(history.until(int(day)), int(day)).any()], np.int64)
    if not len(usable):
        raise DataSaysNoError(
            f"no market of the charts is past its washout of {history.rules.washout} days on any date, so no track has "
            "a market that it may enter; use longer charts or a shorter washout"
        )
    places = np.linspace(0, len(usable) - 1, dates + 2)[1:-1].round().astype(int)
    return sorted({int(usable[place]) for place in places})


@dataclass(frozen=True, slots=True)
class Together:
    """Features of several sets of observations, made in one pass.

    Attributes
    ----------
    observations
        All of them, each track and day once, with the candidates of all sets.
    table
        Their features.
    """

    observations: Observations
    table: FeatureTable

    @classmethod
    def of(cls, history: History, made: Sequence[Family], parts: Sequence[Observations]) -> Self:
        """Return the features of all parts."""
        track, day, candidates = (
            np.concatenate([getattr(part, name) for part in parts]) for name in Observations.__slots__
        )
        order = np.lexsort((track, day))
        new = np.flatnonzero(np.diff(day[order], prepend=-1) | np.diff(track[order], prepend=-1))
        joined = Observations(track[order][new], day[order][new], np.logical_or.reduceat(candidates[order], new))
        return cls(joined, features(history, joined, made))

    def part(self, points: Observations) -> FeatureTable:
        """Return the features of one of the parts."""
        number = np.cumsum(self.observations.candidates).reshape(self.observations.candidates.shape) - 1
        key, wanted = (each.day.astype(np.int64) << 32 | each.track for each in (self.observations, points))
        row, market = np.nonzero(points.candidates)
        at = number[np.searchsorted(key, wanted)[row], market]
        return FeatureTable(self.table.features, row.astype(np.int32), market.astype(np.int16), self.table.values[at])


@dataclass(frozen=True, slots=True)
class Looked:
    """Features of observations in order of date, track id and market.

    Attributes
    ----------
    markets
        Markets of the charts.
    keys
        (k,): `as_of`, `track_id` and `market`.
    values
        (k, f): their values.
    """

    markets: tuple[str, ...]
    keys: pd.DataFrame
    values: NDArray[np.float32]

    @classmethod
    def of(cls, history: History, make: MakeFamilies, observations: Observations) -> Self:
        """Return the features of the families made for the charts."""
        table = features(history, observations, make(history))
        frame = replace(table, features=(), values=table.values[:, :0]).to_pandas(history, observations)
        keys = frame[_KEYS].sort_values(_KEYS)
        return cls(history.markets, keys.reset_index(drop=True), table.values[keys.index])

    def again(self, history: History, make: MakeFamilies) -> "Looked":
        """Return what other charts say of the same tracks and dates."""
        pairs = self.keys[["as_of", "track_id"]].drop_duplicates()
        track = pd.Index(history.tracks["track_id"]).get_indexer(pairs["track_id"])
        day = pairs["as_of"].to_numpy("datetime64[D]").astype(np.int32)
        return Looked.of(history, make, Observations.of(history, track.astype(np.int64), day))

    def differs(self, other: "Looked", rounding: float = ROUNDING) -> Ints:
        """Return, (f,), the number of values that are not the same but for rounding; all, if the candidates differ."""
        if not self.keys.equals(other.keys):
            return np.full(self.values.shape[1], len(self.keys))
        ours, theirs = self.values, other.values
        same = np.abs(ours - theirs) <= rounding * np.nan_to_num(np.abs(ours)).max(axis=0, initial=0)
        same |= (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
        return np.asarray((~same).sum(axis=0), np.int64)


@dataclass(frozen=True, slots=True)
class Change:
    """Numbers of values, of f features, that change with the charts.

    Attributes
    ----------
    day
        As-of date, in days since 1970-01-01.
    deleted, poisoned
        (f,): values that change when later rows are deleted, and when nonsense takes their place.
    snapshots
        (f,): values that change with popularity and release dates after the as-of date alone.
    places
        (f,): values that change with the ranks and streams on the as-of date.
    rounded
        (f,): values that are the same after deletion and nonsense, but for rounding.
    values
        Values compared of each feature.
    """

    day: int
    deleted: Ints
    poisoned: Ints
    snapshots: Ints
    places: Ints
    rounded: Ints
    values: int


def _changes(rows: ChartRows, make: MakeFamilies, truth: Looked, day: int, rng: np.random.Generator) -> Change:
    """Return what changes with the charts after a day; what is due to snapshots alone only where anything changes."""

    def again(other: ChartRows) -> Looked:
        return truth.again(other.read(), make)

    known = rows.until(day)
    without, nonsense = again(known), again(rows.poisoned(day, rng=rng))
    deleted, poisoned = truth.differs(without), truth.differs(nonsense)
    snapshots = truth.differs(again(rows.with_other_snapshots(day, rng=rng))) if poisoned.any() else poisoned
    return Change(
        day=day,
        deleted=deleted,
        poisoned=poisoned,
        snapshots=snapshots,
        places=truth.differs(again(rows.with_other_places(day, rng=rng))),
        rounded=truth.differs(without, 0) + truth.differs(nonsense, 0),
        values=len(truth.keys),
    )


def _verdict(found: Sequence[Change], scores: Scores, at: int, target: Target) -> tuple[Verdict, str]:
    """Return the verdict on one feature, and the reason."""
    for change in found:
        as_of, of = date.fromordinal(date(1970, 1, 1).toordinal() + change.day), f"of {change.values:,} values"
        if change.deleted[at]:
            return "looks ahead", f"{change.deleted[at]:,} {of} change when charts after {as_of} are deleted"
        if change.snapshots[at]:
            return "later snapshot", f"{change.snapshots[at]:,} {of} change with popularity or releases after {as_of}"
        if change.poisoned[at]:
            return "looks ahead", f"{change.poisoned[at]:,} {of} change when charts after {as_of} are nonsense"
    if target == "streams" and any(change.places[at] for change in found):
        return "contemporaneous", "changes with ranks or streams of the charts whose streams are to be forecast"
    if scores.auc_low[at] > scores.auc_bound:
        return "too good", f"AUC {scores.auc[at]:.3f} alone, above {scores.auc_bound:.3f}"
    if scores.r2[at] > scores.r2_bound:
        return "too good", f"R² {scores.r2[at]:.3f} alone with the next chart, above {scores.r2_bound:.3f}"
    days = "date" if len(found) == 1 else "dates"
    rounded = ", but for rounding" if any(change.rounded[at] for change in found) else ""
    return "passes", f"the same as of {len(found)} {days}, whatever comes later{rounded}"


def _points(history: History, day: int, rng: np.random.Generator) -> Observations:
    """Return tracks as of a day, those that entered last first, and as of their first entries up to it."""
    entries = history.entries.between(history.first_day, day)
    track, last = np.unique(entries.track[::-1], return_index=True)
    day_0 = np.full(len(history.tracks), day)
    np.minimum.at(day_0, entries.track, entries.day)
    recent = track[np.argsort(last)][:_TRACKS]
    drawn = rng.choice(track, min(_TRACKS, len(track)), replace=False)
    pairs = np.concatenate([np.stack([recent, np.full(len(recent), day)]), np.stack([drawn, day_0[drawn]])], axis=1)
    code, as_of = np.unique(pairs, axis=1)
    found = Observations.of(history, code.astype(np.int64), as_of.astype(np.int32))
    if not len(found):
        raise DataSaysNoError(
            f"as of {date.fromordinal(date(1970, 1, 1).toordinal() + day)} no track has a market that it may enter, so "
            "there is no value of a feature to look at"
        )
    return found


def _starts(history: History, horizon: int, rng: np.random.Generator) -> Observations:
    """Return tracks as of their timed debuts, after which the charts last for the horizon."""
    track, debut = timed_debuts(history)
    usable = np.flatnonzero(debut + horizon <= history.last_day)
    drawn = rng.choice(usable, min(_SCORED, len(usable)), replace=False)
    return Observations.of(history, track[drawn], debut[drawn])


def _refused(history: History) -> list[dict[str, object]]:
    """Return the columns of the charts that are no features, with the reason."""
    tracks, rows = history.tracks, history.positions
    release = tracks["release_date"].to_numpy("datetime64[D]")
    late = int((release > history.first_seen.astype("datetime64[D]")).sum())
    streams = bool(np.isfinite(rows.streams).any())
    found = {
        "rank": ("of the row", "contemporaneous: a column of the row whose streams or rank are to be forecast", True),
        "streams": (
            "of the row",
            "contemporaneous: a column of the row whose streams or rank are to be forecast",
            streams,
        ),
        "popularity": (
            "later snapshot",
            "popularity when the source was made, not as of a date",
            bool(tracks["popularity"].notna().any()),
        ),
        "release_date": (
            "later snapshot",
            f"{late:,} of {len(tracks):,} tracks carry a release after their first chart: a later re-release; only "
            "releases up to the as-of date are read",
            late > 0,
        ),
    }
    return [
        {"feature": name, "family": "charts", "known": known, "verdict": "refused", "reason": reason}
        for name, (known, reason, there) in found.items()
        if there
    ]
