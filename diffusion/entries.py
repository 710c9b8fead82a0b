"""Entries: the first event of each track in each market, and the tables made from them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffusion.calendar import Calendar
from diffusion.contracts import ENTRIES, WITHHELD
from diffusion.conventions import HORIZON, LONGEST, WASHOUT
from diffusion.engine import Engine
from diffusion.errors import DataSaysNoError, SettingError
from diffusion.markets import market_names
from diffusion.pairs.counts import lag_table, pair_counts, tie_table
from diffusion.pairs.transitions import transition_table
from diffusion.recordings import Identity
from diffusion.risk.waits import wait_table
from diffusion.timelines import Timelines


@dataclass(frozen=True, slots=True)
class EventRules:
    """Rules for what counts as an event and when it is timed; fields as the parameters of `Charts.entries`."""

    chart: str
    top: int | None = None
    min_periods: int = 1
    washout: int = WASHOUT
    identity: Identity = "track"

    def __post_init__(self) -> None:
        if self.top is not None and self.top < 1:
            raise SettingError(f"top is {self.top}, but ranks begin at 1")
        if self.min_periods < 1:
            raise SettingError(f"min_periods is {self.min_periods}, but an event lasts at least one chart")
        if not 0 <= self.washout <= LONGEST:
            raise SettingError(f"washout is {self.washout} days; it must be between 0 and {LONGEST:,}")
        if self.identity not in ("track", "recording"):
            raise SettingError(f"identity is '{self.identity}'; allowed are 'track' and 'recording'")

    def __str__(self) -> str:
        rank = "any rank" if self.top is None else f"rank ≤ {self.top}"
        stay = "" if self.min_periods == 1 else f" for {self.min_periods} charts in a row"
        joined = "" if self.identity == "track" else ", ids of one recording count as one track"
        return f"first appearance at {rank}{stay}, washout {self.washout} days{joined}"


def _nothing_withheld() -> pa.Table:
    return WITHHELD.schema.empty_table()


def _no_artists() -> pa.Table:
    return pa.table({"track_id": pa.array([], pa.string()), "artist": pa.array([], pa.string())})


@dataclass(frozen=True, repr=False)
class Entries:
    """Each track's first event in each market, and the coverage calendar.

    Attributes
    ----------
    table
        One row per track and market; columns as in `diffusion.contracts.ENTRIES`.
    calendar
        Coverage calendar of the chart.
    rules
        Rules by which an event was recognised.
    withheld
        `track_id`, `market`: pairs where the track is known to have no licence, so it is not at risk.
    artists
        `track_id`, `artist`: artists of the tracks, where known. Tracks of one artist form a cluster.
    """

    table: pa.Table
    calendar: Calendar
    rules: EventRules
    withheld: pa.Table = field(default_factory=_nothing_withheld)
    artists: pa.Table = field(default_factory=_no_artists)

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", ENTRIES.conform(self.table))
        strange = set(self.table["market"].unique().to_pylist()) - set(self.calendar.markets)
        if strange:
            raise SettingError(f"entries into {', '.join(sorted(strange))}, which the coverage calendar does not have")

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, calendar: Calendar, washout: int = WASHOUT) -> "Entries":
        """Return entries made from a frame with the columns of `diffusion.contracts.ENTRIES`; `washout` in days."""
        table = pa.Table.from_pandas(frame[ENTRIES.names], schema=ENTRIES.schema, preserve_index=False)
        return cls(table, calendar, EventRules(calendar.chart, washout=washout))

    def __repr__(self) -> str:
        return f"<Entries of {self.rules.chart}: {len(self):,} in {len(self.calendar.markets)} markets; {self.rules}>"

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def to_pandas(self) -> pd.DataFrame:
        """Return the table as a frame, with dates as ``datetime64``."""
        frame: pd.DataFrame = self.table.to_pandas(date_as_object=False)
        return frame

    @cached_property
    def timelines(self) -> Timelines:
        """The entries as arrays, for statistics on whole graphs."""
        calendar = self.calendar
        return Timelines.of(
            self.table,
            self.artists,
            calendar.event_spans(self.rules.min_periods),
            markets=calendar.markets,
            washout=self.rules.washout,
            cadence=calendar.cadence,
        )

    def debuts(self) -> pa.Table:
        """Return one row per track: its day 0; columns as in `diffusion.contracts.DEBUTS`."""
        with self._engine() as engine:
            return engine.fetch("debuts")

    def footprints(self) -> pa.Table:
        """Return one row per track and market entered on day 0; columns as in `diffusion.contracts.FOOTPRINTS`."""
        with self._engine() as engine:
            return engine.fetch("footprints")

    def journeys(self) -> pa.Table:
        """Return each track's entries in order, with one step per tie; columns as in `diffusion.contracts.JOURNEYS`."""
        with self._engine() as engine:
            return engine.fetch("journeys")

    def waits(self, *, horizon: int = HORIZON) -> pa.Table:
        """Return each track's time at risk in each market, up to `horizon` days; columns as in `contracts.WAITS`."""
        return wait_table(self.timelines, self.withheld, horizon=horizon)

    def lags(self, *, window: int) -> pa.Table:
        """Return entered and censored tracks by pair and lag, up to `window` days; columns as in `contracts.LAGS`."""
        return lag_table(pair_counts(self.timelines, window=window))

    def ties(self) -> pa.Table:
        """Return the number of tied tracks of each pair; columns as in `diffusion.contracts.TIES`."""
        return tie_table(pair_counts(self.timelines, window=1))

    def journey(self, track: str) -> pd.DataFrame:
        """Return one track's entries in order; tied markets share a step.

        Returns
        -------
        DataFrame
            One row per market: the columns of `diffusion.contracts.JOURNEYS` and the market's `name`.

        Raises
        ------
        DataSaysNoError
            When the track has no entry.
        """
        rows = self.table.filter(pc.equal(self.table["track_id"], track))
        if not rows.num_rows:
            raise DataSaysNoError(f"track '{track}' has no entry in the chart '{self.rules.chart}'")
        one = Entries(rows, self.calendar, self.rules)
        frame: pd.DataFrame = one.journeys().to_pandas(date_as_object=False)
        frame.insert(3, "name", frame["market"].map(market_names(frame["market"])))
        return frame.sort_values(["step", "rank", "market"], ignore_index=True)

    def until(self, day: date) -> "Entries":
        """Return what was known at the end of a day: charts and entries up to and including it.

        Raises
        ------
        DataSaysNoError
            When there is no entry by then.
        """
        kept = self.table.filter(pc.less_equal(self.table["entry"], day))
        if not kept.num_rows:
            raise DataSaysNoError(f"no track has an entry by {day}; the charts begin on {self.calendar.first_date}")
        coverage = self.calendar.coverage
        seen = coverage.filter(pc.less_equal(coverage["date"], day))
        return replace(self, table=kept, calendar=Calendar(seen, self.calendar.open_engine))

    @contextmanager
    def _engine(self) -> Iterator[Engine]:
        with self.calendar.open_engine() as engine:
            engine.register("entries", self.table)
            engine.create("debuts")
            yield engine


def transitions(entries: Entries, *, window: int | None = None) -> pa.Table:
    """Return the transitions of all ordered pairs of observed markets; columns as in `diffusion.contracts.TRANSITIONS`.

    Parameters
    ----------
    window
        Days within which the target must follow, the bound included (default: `Calendar.default_window`).

    Raises
    ------
    SettingError
        When the window is not between 1 and 36,500 days.

    Notes
    -----
    `rate` is one minus the Kaplan–Meier estimate among the exposed tracks, at the last day of follow-up (`followed_to`,
    at most the window), with censoring at the end of the target's coverage. It equals ``tracks / exposed`` when every
    follow-up is complete. `rate_low` and `rate_high` are its 95 % interval, robust to clusters:
    `diffusion.pairs.curves.interval`. `rate_if_ties` is the rate if every tie were a transition with lag 0: an upper
    bound of the rate under ties.
    The lag quantiles interpolate linearly between order statistics (type 7 of Hyndman & Fan 1996, doi
    10.2307/2684934).
    """
    window = entries.calendar.default_window if window is None else window
    return transition_table(entries.timelines, pair_counts(entries.timelines, window=window))
