"""Entries: the first event of each track in each market, and the tables made from them."""

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffusion.calendar import Calendar
from diffusion.cohorts import Selection, Where
from diffusion.contracts import ENTRIES, WITHHELD
from diffusion.conventions import HORIZON, WASHOUT
from diffusion.display import HEAD, Displayed
from diffusion.engine import Engine, Parts, Workers, open_engine
from diffusion.entry_pairs import counts_in, transitions_in
from diffusion.errors import DataSaysNoError, SettingError
from diffusion.event_rules import EventRules
from diffusion.frames import frame_of
from diffusion.groups import By, ByGroup, groups_of
from diffusion.market_groups import MarketGroups, with_groups
from diffusion.markets import market_names
from diffusion.pairs.counts import lag_table, tie_table
from diffusion.parts import in_parts, spread
from diffusion.risk.waits import lifelines_frame, wait_table
from diffusion.timelines import Timelines


def _nothing_withheld() -> pa.Table:
    return WITHHELD.schema.empty_table()


def _no_names() -> pa.Table:
    return pa.table({"track_id": pa.array([], pa.string()), "artist": pa.array([], pa.string())})


def _no_recordings() -> pa.Table:
    return pa.table({"track_id": pa.array([], pa.string()), "recording": pa.array([], pa.string())})


@dataclass(frozen=True, repr=False)
class Entries(Displayed):
    """Each track's first event in each market, and the coverage calendar.

    Its tables are Arrow; its methods return pandas, and `arrow` returns the same tables as Arrow.

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
    described
        `track_id`, `artist` and what else is known of the tracks, such as `title`: one row per track, or none where
        nothing is known. Tracks of one artist form a cluster.
    cohort
        In words, by what the tracks were chosen from those of the charts; empty where they are all there.
    groups
        Markets that are groups of markets of the charts: name → codes; see `group_markets`.
    recordings
        `track_id`, `recording`: ids of the charts that count as another id, that of their recording; none where each id
        counts by itself, and none of entries read back from a study's folder.
    workers
        Processes that make sums over all tracks, see `diffusion.parts`; None for this process (default).

    Examples
    --------
    >>> entries  # = diffusion.open_sample().entries()
    <Entries of top50: 11,235 in 67 markets; first appearance at any rank, washout 28 days>
    >>> entries.subset(debut=("2021-05-01", None)).journeys().columns.tolist()
    ['track_id', 'step', 'market', 'entry', 'last_without', 'days', 'rank', 'left_censored']
    """

    table: pa.Table
    calendar: Calendar
    rules: EventRules
    withheld: pa.Table = field(default_factory=_nothing_withheld)
    described: pa.Table = field(default_factory=_no_names)
    cohort: tuple[str, ...] = ()
    recordings: pa.Table = field(default_factory=_no_recordings)
    groups: MarketGroups = field(default_factory=dict)
    workers: Workers | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", ENTRIES.conform(self.table))
        strange = set(self.table["market"].unique().to_pylist()) - set(self.calendar.markets)
        if strange:
            raise SettingError(f"entries into {', '.join(sorted(strange))}, which the coverage calendar does not have")

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, *, calendar: Calendar, washout: int = WASHOUT, tracks: pd.DataFrame | None = None
    ) -> "Entries":
        """Return entries made from a frame with the columns of `diffusion.contracts.ENTRIES`.

        Parameters
        ----------
        frame
            One row per track and market, with all entries of each track: its debut is its first row.
        calendar
            Coverage calendar of the chart.
        washout
            Days of washout with which the entries were made (default 28).
        tracks
            `track_id`, `artist` of the tracks. Without it, a warning says what is lost.

        Warns
        -----
        UserWarning
            When `tracks` is not given: every track is then a cluster of its own, and intervals are too narrow.
        """
        table = pa.Table.from_pandas(frame[ENTRIES.names], schema=ENTRIES.schema, preserve_index=False)
        rules = EventRules(calendar.chart, washout=washout)
        if tracks is not None:
            return cls(table, calendar, rules, described=pa.Table.from_pandas(tracks, preserve_index=False))
        warnings.warn(
            "a frame of entries holds no artists, licences or rules: tracks of one artist count as independent, so "
            "intervals are too narrow; and where rows were cut, debuts are wrong. Choose tracks by entries.subset(), "
            "or give tracks= to Entries.from_frame",
            stacklevel=2,
        )
        return cls(table, calendar, rules)

    def _facts(self) -> str:
        chosen = f", cohort {'; '.join(self.cohort)}" if self.cohort else ""
        return f" of {self.rules.chart}{chosen}: {len(self):,} in {len(self.calendar.markets)} markets; {self.rules}"

    def _shown(self) -> pd.DataFrame:
        return frame_of(self.table.slice(0, HEAD))

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def to_pandas(self) -> pd.DataFrame:
        """Return the table as a frame, with dates as ``datetime64``."""
        return frame_of(self.table)

    @cached_property
    def timelines(self) -> Timelines:
        """The entries as arrays, for statistics on whole graphs."""
        calendar = self.calendar
        return Timelines.of(
            self.table,
            self.described,
            calendar.arrow("spans", min_periods=self.rules.min_periods),
            markets=calendar.markets,
            washout=self.rules.washout,
            cadence=calendar.cadence,
        )

    @cached_property
    def on_workers(self) -> Parts | None:
        """The entries in parts on their workers, see `diffusion.parts`; None for one part in this process."""
        return spread(self)

    def subset(
        self,
        *,
        tracks: Collection[str] | None = None,
        artists: Collection[str] | None = None,
        credited: bool = False,
        debut: tuple[date | str | None, date | str | None] | None = None,
        markets: Collection[str] | None = None,
        where: Where | None = None,
    ) -> "Entries":
        """Return the entries of a cohort: of the tracks that fulfil all conditions given.

        A chosen track keeps all its entries, so its debut stays what it was; calendar, rules, licences and artists stay
        too.

        Parameters
        ----------
        tracks
            Ids or links of tracks; where ids of one recording count as one, any of them.
        artists
            Names of artists; case and accents do not matter. A track belongs to the artist named first.
        credited
            Whether a track belongs to all its credited artists (default False).
        debut
            First and last day of the debut, both included; None for an open end. A track that was there when the charts
            began has its first day on them as debut here.
        markets
            Names or codes: tracks that entered one of them on the day of their debut.
        where
            A function of the table of tracks (`tracks`) that returns a flag for each row; or a table with a column
            `track_id` or `artist` and, if only some of its rows count, one column of flags.

        Raises
        ------
        SettingError
            When a condition cannot be read.
        DataSaysNoError
            When a named artist has no track here, or no track fulfils all conditions.

        Examples
        --------
        >>> entries.subset(artists=["måneskin"], debut=("2021-05-01", None))
        <Entries of top50, cohort artist: måneskin; debut from 2021-05-01: 122 in 67 markets;
        first appearance at any rank, washout 28 days>
        """
        choice = Selection(tracks, artists, credited, debut, markets, where)
        known = self.tracks()
        kept, words = choice.of(known, self.arrow("footprints"), self.recordings)
        return self._of_tracks(pa.array(known["track_id"][kept], pa.string()), words)

    def _of_tracks(self, ids: pa.Array, words: tuple[str, ...] = ()) -> "Entries":
        """Return the entries of some tracks, with the words for what they were chosen by."""
        parts = {
            name: table.filter(pc.is_in(table["track_id"], ids))
            for name, table in (("table", self.table), ("withheld", self.withheld), ("described", self.described))
        }
        return replace(self, **parts, cohort=(*self.cohort, *words))

    def split(self, by: By) -> ByGroup["Entries"]:
        """Return group → its cohort, with the number of tracks in none; a track keeps all its entries, as in `subset`.

        Parameters
        ----------
        by
            Groups of tracks: a column of the table of tracks (`tracks`); a mapping from tracks or artists to groups; a
            table with one column of groups beside `track_id` or `artist`; or a function of the table of tracks.

        Raises
        ------
        SettingError
            When `by` cannot be read (`diffusion.groups.groups_of`), or groups something else than tracks.
        DataSaysNoError
            When no track is in a group.

        Examples
        --------
        >>> from diffusion import open_sample
        >>> with open_sample() as charts:
        ...     entries = charts.entries()
        >>> parts = entries.split({"Måneskin": "Italy", "Olivia Rodrigo": "USA"})
        >>> {name: len(part.tracks()) for name, part in parts.items()}, parts.not_grouped
        ({'Italy': 23, 'USA': 14}, 4609)
        """
        groups = groups_of(self, by)
        if groups.keys != ("track_id",):
            raise SettingError(f"entries are parted by groups of tracks; '{groups.name}' groups {groups.what}")
        there = groups.table[groups.table["track_id"].isin(self.table["track_id"].unique().to_pylist())]
        if there.empty:
            raise DataSaysNoError(f"none of the {groups.of:,} tracks is in a group of '{groups.name}'")
        parts = {
            str(name): self._of_tracks(pa.array(own["track_id"], pa.string()), (f"{groups.name} {name}",))
            for name, own in there.groupby("group")
        }
        empty = {name: "no track of the group is on the charts" for name in groups.names if name not in parts}
        return ByGroup(parts, groups.name, len(groups.missing), empty)

    def group_markets(self, groups: Mapping[str, Collection[str]]) -> "Entries":
        """Return the entries with groups of markets in place of their members: an entry into the first is the group's.

        A group is in coverage while all its members on the charts are, because an entry elsewhere in it could be the
        first otherwise. Its entry is left-censored outside that coverage, and within the washout after its start. The
        event falls after the earliest `last_without` of the members entered. A track lacks a licence where it lacks
        those of all members. A market stands in one group; markets in none stay as they are.

        Parameters
        ----------
        groups
            Name → names or codes of its markets. A name is that of no market.

        Raises
        ------
        SettingError
            When a name or a market cannot be used, or markets are grouped already.
        DataSaysNoError
            When the members of a group were never in coverage together.

        Examples
        --------
        >>> from diffusion import open_sample
        >>> with open_sample() as charts:
        ...     entries = charts.entries()
        >>> grouped = entries.group_markets({"Nordics": ["Sweden", "NO", "DK", "FI"]})
        >>> grouped.groups, len(entries.calendar.markets), len(grouped.calendar.markets)
        ({'Nordics': ('DK', 'FI', 'NO', 'SE')}, 67, 64)
        """
        return with_groups(self, groups)

    def tracks(self) -> pd.DataFrame:
        """Return what is known of every track.

        Returns
        -------
        DataFrame
            One row per track, in order of `track_id`: the columns of `described` (`artist` at least, missing where not
            known), `debut` (first day on the charts), `left_censored` (whether it may have been there before),
            `footprint` (markets entered on that day).
        """
        debuts = self.debuts()[["track_id", "debut", "left_censored", "footprint"]]
        names = frame_of(self.described)
        return debuts.merge(names, how="left", on="track_id", validate="one_to_one")

    def arrow(self, name: str, **settings: Any) -> pa.Table:
        """Return a table made from the entries as Arrow, typed as its contract says.

        Parameters
        ----------
        name
            ``debuts``, ``footprints``, ``journeys``, ``waits``, ``lags`` or ``ties``, as the methods of these names; or
            ``transitions``, as `diffusion.transitions`.
        settings
            Parameters of that method.
        """
        if name in ("debuts", "footprints", "journeys"):
            with self._engine() as engine:
                return engine.fetch(name, **settings)
        made: dict[str, Callable[..., pa.Table]] = {
            "waits": _waits,
            "lags": _lags,
            "ties": _ties,
            "transitions": _transitions,
        }
        if name not in made:
            raise SettingError(
                f"no table '{name}' of entries; there are debuts, footprints, journeys, {', '.join(made)}"
            )
        return made[name](self, **settings)

    def debuts(self) -> pd.DataFrame:
        """Return one row per track: its day 0; columns as in `diffusion.contracts.DEBUTS`."""
        return frame_of(self.arrow("debuts"))

    def footprints(self) -> pd.DataFrame:
        """Return one row per track and market entered on day 0; columns as in `diffusion.contracts.FOOTPRINTS`."""
        return frame_of(self.arrow("footprints"))

    def journeys(self) -> pd.DataFrame:
        """Return each track's entries in order, with one step per tie; columns as in `diffusion.contracts.JOURNEYS`."""
        return frame_of(self.arrow("journeys"))

    def waits(self, *, horizon: int = HORIZON, as_: Literal["table", "lifelines"] = "table") -> pd.DataFrame:
        """Return each track's time at risk in each market.

        Parameters
        ----------
        horizon
            Longest follow-up in days, the bound included (default 180).
        as_
            ``table``: columns as in `diffusion.contracts.WAITS` (default). ``lifelines``: a frame for the fitters of
            lifelines, indexed by `track_id` and `market`: `duration`, `event`, `entry`, `cluster` (number of the
            primary artist), and the covariates `footprint` and `debut_year`; `survival.waits` has more of them.

        Raises
        ------
        SettingError
            When the horizon is not between 1 and 36,500 days, or the kind of table is unknown.

        Examples
        --------
        >>> from lifelines import KaplanMeierFitter
        >>> waits = entries.waits(as_="lifelines")  # entries = diffusion.open_sample().entries()
        >>> curve = KaplanMeierFitter().fit(waits["duration"], waits["event"], entry=waits["entry"])
        >>> round(1 - float(curve.predict(60)), 4)
        0.0073
        """
        table = frame_of(self.arrow("waits", horizon=horizon))
        if as_ == "table":
            return table
        if as_ != "lifelines":
            raise SettingError(f"waits are a 'table' or for 'lifelines', not '{as_}'")
        lines, track = self.timelines, pd.Index(self.timelines.track_ids).get_indexer(pd.Index(table["track_id"]))
        table["debut_year"] = table["debut"].dt.year
        return lifelines_frame(table, cluster=lines.cluster[track], covariates=("footprint", "debut_year"))

    def lags(self, *, window: int) -> pd.DataFrame:
        """Return entered and censored tracks by pair and lag, up to `window` days; columns as in `contracts.LAGS`."""
        return frame_of(self.arrow("lags", window=window))

    def ties(self) -> pd.DataFrame:
        """Return the number of tied tracks of each pair; columns as in `diffusion.contracts.TIES`."""
        return frame_of(self.arrow("ties"))

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
        frame = Entries(rows, self.calendar, self.rules).journeys()
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
        return replace(self, table=kept, calendar=Calendar(seen))

    @contextmanager
    def _engine(self) -> Iterator[Engine]:
        with open_engine() as engine:
            engine.register("entries", self.table)
            engine.create("debuts")
            yield engine


def _waits(entries: Entries, *, horizon: int = HORIZON) -> pa.Table:
    return wait_table(entries.timelines, entries.withheld, horizon=horizon)


def _lags(entries: Entries, *, window: int) -> pa.Table:
    parts = in_parts(entries)
    return lag_table(counts_in(parts, window=window))


def _ties(entries: Entries) -> pa.Table:
    parts = in_parts(entries)
    return tie_table(counts_in(parts, window=1))


def _transitions(entries: Entries, *, window: int | None = None) -> pa.Table:
    window = entries.calendar.default_window if window is None else window
    parts = in_parts(entries)
    return transitions_in(parts, counts_in(parts, window=window))


def transitions(entries: Entries, *, window: int | None = None) -> pd.DataFrame:
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

    Examples
    --------
    >>> table = transitions(entries, window=28)  # entries = diffusion.open_sample().entries()
    >>> table.query("source == 'IS' and target == 'SE'")[["tracks", "joint", "exposed"]]
          tracks  joint  exposed
    2232      22      7      111
    """
    return frame_of(entries.arrow("transitions", window=window))
