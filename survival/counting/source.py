"""Waits of entries: who waits for an entry from when to when, on which clock, and by which variables."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Final, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.sparse import csr_array

from diffusion import DataSaysNoError, Entries, SettingError
from diffusion.arrays import Flags, Ints
from diffusion.conventions import HORIZON, LONGEST
from diffusion.display import Displayed
from diffusion.parts import in_parts
from diffusion.risk.clocks import Clock
from diffusion.risk.follow_up import FollowUp
from diffusion.risk.risk_set import withheld_markets
from diffusion.risk.waits import lifelines_frame
from diffusion.timelines import Timelines
from survival.counting.cells import Cells, Classes, Numbers, cells_of, distinct_rows, numbers_of
from survival.counting.checks import check_whole
from survival.counting.clusters import SpanClusters
from survival.counting.counted import CLUSTERS, Cluster, CountedWaits
from survival.counting.parts import counted_in_parts
from survival.counting.spans import Episodes, Field, Spans
from survival.counting.stages import Stages, stages_of
from survival.counting.variables import ORIGIN, Combine, Tables, Variables

CELLS: Final = 150_000_000
"""Most cells times days that are counted."""

CLASSES: Final = 16
"""Classes of numbers with many values."""

NO_NUMBERS: Final[Mapping[str, Numbers]] = {}
"""Numbers of all tracks where those at hand are all."""


class Parts(Protocol):
    """Parts of the time of tracks, each counted in cells of its own."""

    def divided(self, timelines: Timelines, episodes: Episodes, cells: Cells) -> tuple[Episodes, Cells]:
        """Return the episodes of all parts, and cells whose values say the part too."""


@dataclass(frozen=True, repr=False)
class Waits(Displayed):
    """Waits of entries, counted when they are asked for; made by `waits`, which explains the settings.

    Attributes
    ----------
    entries
        Entries of the charts, as they were known.
    clock
        ``debut``, ``release``, or the code of a market.
    horizon
        Last day of the clock.
    landmark
        Day of the clock after which waits are at risk, and on which variables are taken.
    debut
        First and last date of debuts.
    complete, updated, leave_out_missing, classes
        As in `waits`.
    tables
        Variables of a user's own.
    parts
        Parts of the time of tracks that are counted apart; None for all time together.

    Examples
    --------
    >>> waits = survival.waits(entries, horizon=60)  # entries = diffusion.open_sample().entries()
    >>> waits
    <Waits of top50 since debut, up to 60 days: 11,235 entries>
    >>> waits.to_lifelines(("footprint", "continent_match")).shape
    (144886, 6)
    """

    entries: Entries
    clock: str
    horizon: int
    landmark: int
    debut: tuple[date, date] | None
    complete: bool
    updated: bool
    leave_out_missing: bool
    classes: int
    tables: Tables
    parts: Parts | None = None

    def _facts(self) -> str:
        chart = self.entries.rules.chart
        return f" of {chart} since {self.clock}, up to {self.horizon} days: {len(self.entries):,} entries"

    @property
    def variables(self) -> list[str]:
        """Names of all variables."""
        return Variables(self.entries, self.tables).names

    def counted(self, variables: tuple[str, ...] = (), *, cluster: Cluster = "artist") -> CountedWaits:
        """Return the waits counted by these variables.

        Raises
        ------
        SettingError
            When a name is no variable, or `cluster` is unknown.
        DataSaysNoError
            When no track is at risk in any market, or there are too many combinations of values to count.
        """
        if cluster not in CLUSTERS:
            raise SettingError(f"clusters are {', '.join(CLUSTERS)}, not '{cluster}'")
        parts = in_parts(self.entries)
        if parts.parts is None:
            found, _ = self.part(tuple(variables), cluster)
        else:
            found = counted_in_parts(parts, self, tuple(variables), cluster)
        if not len(found.values):
            raise DataSaysNoError(self._nobody())
        return found

    def part(
        self, variables: tuple[str, ...], cluster: Cluster, whole: Mapping[str, Numbers] = NO_NUMBERS
    ) -> tuple[CountedWaits, Ints]:
        """Return the waits counted by these variables, without a cell where nobody is at risk, and the track of each
        unit of the clusters.

        Parameters
        ----------
        whole
            Result of `numbers` for all tracks, where those of the entries are a part (default: they are all).

        Raises
        ------
        SettingError, DataSaysNoError
            As `counted`.
        """
        spans, cells, episodes = self._spans(variables, whole)
        length = self.horizon + 1
        number = len(cells.values)
        self.check_size(number, variables)
        opened, closed = spans.opened_closed(number, length)
        there = opened.any(axis=1)
        kept = np.where(there, np.cumsum(there) - 1, -1)
        spans = spans.renumbered(kept)
        clusters = None
        if cluster != "independent":
            lines = self._lines
            of_track = lines.cluster if cluster == "artist" else np.arange(len(lines.track_ids))
            clusters = SpanClusters.of(spans, of_track[episodes.track])
        values = cells.values.iloc[np.flatnonzero(there)].reset_index(drop=True)
        return CountedWaits(values, opened[there], closed[there], spans.events, clusters, cluster), episodes.track

    def check_size(self, cells: int, variables: tuple[str, ...]) -> None:
        """Refuse more cells than can be counted on all days."""
        if cells * (self.horizon + 1) > CELLS:
            raise DataSaysNoError(
                f"{cells:,} combinations of {', '.join(variables)} and {self.horizon:,} days are too many to count; "
                f"use fewer variables, or fewer than {self.classes} classes"
            )

    def numbers(self, variables: tuple[str, ...]) -> dict[str, Numbers]:
        """Return the numbers of those variables that are put in classes where they have many.

        Raises
        ------
        SettingError
            When a name is no variable.
        """
        asked = self._asked(variables)
        return numbers_of(asked.known, variables, asked.track, asked.sets, asked.which)

    def missing(self, variables: tuple[str, ...]) -> "pd.Series[int]":
        """Return the number of waits, or times at risk, that lack the value of each variable.

        Raises
        ------
        SettingError, DataSaysNoError
            As `counted`.
        """
        counted = replace(self, leave_out_missing=False).counted(variables, cluster="independent")
        return counted.values.isna().mul(counted.opened.sum(axis=1), axis=0).sum().astype(int)

    def rows(self, variables: tuple[str, ...] = ()) -> pd.DataFrame:
        """Return one row per wait, or per time at risk with the same values, for any survival package.

        Returns
        -------
        DataFrame
            `track_id`, `market`, `start`, `after`, `days`, `entered`, `artist` (number of the cluster), and the
            variables. A row is at risk on the days ``start < day ≤ days``; an entry falls in (`after`, `days`].

        Raises
        ------
        SettingError, DataSaysNoError
            As `counted`.
        """
        spans, cells, episodes = self._spans(tuple(variables), NO_NUMBERS)
        cell, start, stop, event, there = spans.listed(np.arange(len(episodes.track)))
        if not there.any():
            raise DataSaysNoError(self._nobody())
        episode, market = np.nonzero(there)
        event, stop, lines = event[there], stop[there], self._lines
        frame = pd.DataFrame(
            {
                "track_id": lines.track_ids[episodes.track[episode]],
                "market": np.array(lines.markets, object)[market],
                "start": start[there],
                "after": np.where(event >= 0, spans.events.after[event] if len(spans.event_kind) else 0, stop),
                "days": stop,
                "entered": event >= 0,
                "artist": lines.cluster[episodes.track[episode]],
            }
        )
        values = cells.values.iloc[cell[there]].reset_index(drop=True)
        values = values[[name for name in values if name not in frame]]
        order = ["track_id", "market", "start"]
        return pd.concat([frame, values], axis=1).sort_values(order, kind="stable", ignore_index=True)

    def to_lifelines(self, covariates: tuple[str, ...] = ("footprint",)) -> pd.DataFrame:
        """Return one row per wait, or per time at risk with the same values, for the fitters of lifelines.

        Parameters
        ----------
        covariates
            Variables with numbers, or with ``yes`` and ``no``, which become 1 and 0 (default: `footprint`).

        Returns
        -------
        DataFrame
            As `Entries.waits` returns them for lifelines: indexed by `track_id` and `market`, with `duration`, `event`,
            `entry`, `cluster` and the covariates.

        Raises
        ------
        SettingError, DataSaysNoError
            As `counted`; also when a covariate has other texts.
        """
        rows = self.rows(covariates)
        return lifelines_frame(rows, cluster=rows["artist"].to_numpy(), covariates=covariates)

    @property
    def _lines(self) -> Timelines:
        return self.entries.timelines

    @cached_property
    def _whole_clock(self) -> Clock:
        """The clock of all debuts."""
        lines = self._lines
        if self.clock == "release":
            released = self.tables.tracks
            if released is None or "release_date" not in released:
                raise SettingError("a clock since the release needs a table of tracks with track_id and release_date")
            dates = pd.to_datetime(released["release_date"], errors="coerce").dt.date
            made = pa.table({"track_id": pa.array(released["track_id"]), "release_date": pa.array(dates, pa.date32())})
            return Clock.since_release(lines, made)
        return Clock.since_debut(lines) if self.clock == "debut" else Clock.since_entry(lines, self.clock)

    @cached_property
    def _clock(self) -> Clock:
        lines, clock = self._lines, self._whole_clock
        kept = clock.passed < self.horizon
        if self.debut is not None:
            day = lines.debut[clock.track]
            kept &= (day >= _day(self.debut[0])) & (day <= _day(self.debut[1]))
        return Clock(clock.track[kept], clock.anchor[kept], clock.passed[kept], clock.ordered)

    @cached_property
    def _withheld(self) -> csr_array | None:
        table = self.entries.withheld
        return withheld_markets(self._lines, table) if table.num_rows else None

    def _asked(self, variables: tuple[str, ...]) -> "_Asked":
        """Return what values of the variables are looked up for."""
        lines, clock = self._lines, self._clock
        known = Variables(self.entries, self.tables)
        known.check(variables)
        fixed = known.fixed(variables)
        stages, entered = stages_of(lines, clock, self.landmark, self.horizon, updated=self.updated and not fixed)
        if fixed:
            entered = entered[:, :1] & False
        at, origin = np.arange(len(stages.track)), None
        if ORIGIN in variables:
            at, origin = np.nonzero(entered)
        sets, which = distinct_rows(entered)
        return _Asked(known, stages, at, clock.track[stages.track[at]], sets, which[at], origin)

    def _spans(self, variables: tuple[str, ...], whole: Mapping[str, Numbers]) -> tuple[Spans, Cells, Episodes]:
        """Return the times at risk, by cells of the variables; `whole` as in `part`."""
        lines, clock, asked = self._lines, self._clock, self._asked(variables)
        stages, at, classes = asked.stages, asked.at, Classes(self.classes, whole)
        cells = cells_of(asked.known, variables, asked.track, asked.sets, asked.which, asked.origin, classes=classes)
        if self.leave_out_missing:
            missing = cells.values.isna().any(axis=1).to_numpy(np.bool_)
            cells = replace(cells, cell=np.where(missing[cells.cell], -1, cells.cell))
        track = stages.track[at]
        passed = clock.passed[track]
        # nothing is known after the last chart by the horizon
        last = (self.horizon - passed.astype(np.int64)) // lines.cadence * lines.cadence
        until = np.minimum(stages.until[at], last)
        since = np.maximum(stages.since[at], self.landmark - passed.astype(np.int64))
        episodes = Episodes(
            clock.track[track], clock.anchor[track], passed, np.minimum(since, until), until, cells.kind
        )
        if self.parts is not None:
            episodes, cells = self.parts.divided(lines, episodes, cells)
        follow_up = FollowUp.of_waits(lines, self.horizon)
        field = Field(follow_up, cells.cell, self.complete)
        return Spans.of(lines, clock, episodes, field, self._withheld), cells, episodes

    def _nobody(self) -> str:
        if self.clock == "release" and not len(self._whole_clock.track):
            return "no track has a release on or before its debut: there is no clock since the release"
        calendar = self.entries.calendar
        which = "" if self.debut is None else f" and debut from {self.debut[0]} to {self.debut[1]}"
        which += f" and are followed for {self.horizon} days" if self.complete else ""
        return (
            f"no track is at risk in any market on '{calendar.chart}' ({len(calendar.markets)} observed): waits need "
            f"tracks that debut after the washout of {self.entries.rules.washout} days{which}, and a second market"
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What values of variables are looked up for: k episodes.

    Attributes
    ----------
    known
        The variables.
    stages, at
        Stages of the tracks, and, (k,), the stage of each episode.
    track, which, origin
        (k,): track of each episode, its set of markets in `sets`, and the market for which it is counted; None without
        the variable ``origin``.
    sets
        (s, m): distinct sets of markets entered so far.
    """

    known: Variables
    stages: Stages
    at: Ints
    track: Ints
    sets: Flags
    which: Ints
    origin: Ints | None


def waits(
    entries: Entries,
    *,
    clock: str = "debut",
    horizon: int = HORIZON,
    landmark: int = 0,
    debut: tuple[date, date] | None = None,
    until: date | None = None,
    complete: bool = False,
    updated: bool = False,
    leave_out_missing: bool = False,
    markets: pd.DataFrame | None = None,
    pairs: pd.DataFrame | None = None,
    tracks: pd.DataFrame | None = None,
    artists: pd.DataFrame | None = None,
    combine: Mapping[str, Combine] | None = None,
    classes: int = CLASSES,
) -> Waits:
    """Return the waits of tracks for markets that they have not entered.

    A wait is one track in one market. It is at risk from the start of the clock, or from the end of the market's
    washout if that is later (delayed entry), until the track enters, the market's coverage ends, a long gap begins, or
    the horizon. Nothing is counted before it is asked for.

    Parameters
    ----------
    clock
        What starts the clock: the track's ``debut`` (default); its ``release``, by the column `release_date` of
        `tracks`, where a track is at risk from its debut on, since it is not seen before; or the code of a market,
        whose timed entries start the clock. In the last case an entry must have been seen to come after the start.
    horizon
        Last day of the clock, the bound included (default 180). Where charts come every seven days, say, follow-up ends
        with the last multiple of seven: nothing is known of the days between the last chart and the horizon.
    landmark
        Day of the clock after which waits are at risk, and on which variables of the markets entered so far are taken
        (default 0: the footprint). To predict after so many days, count with a landmark.
    debut
        First and last date of the tracks' debuts (default: all).
    until
        Last date that is known: later entries and charts are left out, as if they had not happened (default: all).
    complete
        Whether only waits count whose market is in coverage from the landmark to the horizon (default: no). Whether
        a wait counts does not depend on its entry.
    updated
        Whether variables of the markets entered so far change with each entry (default: no). They are known at the end
        of the day, so they hold from the next day on.
    leave_out_missing
        Whether waits are left out that lack the value of a variable they are counted by, such as those for a market
        whose languages are not known (default: no; a model then refuses the variable). `Waits.missing` says how many.
    markets, pairs, tracks, artists
        Tables of variables of your own: one row per `market`; per ordered pair `source`, `target`, with numbers; per
        `track_id`; per `artist`. Every other column is a variable.
    combine
        How the numbers of pairs are combined over the markets entered so far: ``sum`` (default), ``mean``, ``smallest``
        or ``largest``.
    classes
        Numbers of tracks, artists and pairs with more different values are put in so many classes of about equal size,
        each with its mean (default 16). Numbers of markets are kept.

    Raises
    ------
    SettingError
        When a setting is out of range or the market is unknown.

    Examples
    --------
    >>> counted = waits(entries, horizon=60).counted(("language_match",))  # entries = diffusion.open_sample().entries()
    >>> counted.values["language_match"].tolist(), counted.entered.sum(axis=1).tolist()
    (['no', 'yes'], [615, 277])
    """
    for name, value in (("horizon", horizon), ("landmark", landmark), ("classes", classes)):
        check_whole(name, value)
    if not 1 <= horizon <= LONGEST:
        raise SettingError(f"horizon is {horizon} days; it must be between 1 and {LONGEST:,}")
    if until is not None and not isinstance(until, date):
        raise SettingError(f"until is {until!r}; it must be a date")
    known = entries if until is None else entries.until(until)
    cadence = known.calendar.cadence
    if horizon < cadence:
        raise SettingError(f"horizon is {horizon} days, but charts come every {cadence} days; it must be that or more")
    horizon = horizon if clock == "release" else horizon // cadence * cadence
    if not 0 <= landmark < horizon:
        raise SettingError(f"landmark is day {landmark}; it must be between 0 and the day before the horizon {horizon}")
    if classes < 2:
        raise SettingError(f"classes is {classes}; there must be 2 or more")
    if complete and updated:
        raise SettingError(
            "waits whose variables change are not predicted: take variables on a landmark, without 'updated'"
        )
    if debut is not None and not (isinstance(debut, tuple) and [isinstance(day, date) for day in debut] == [True] * 2):
        raise SettingError(f"debut is {debut!r}; it must be a pair of dates, the first and the last")
    if debut is not None and debut[0] > debut[1]:
        raise SettingError(f"debuts from {debut[0]} to {debut[1]}: the first date is after the last")
    tables = Tables(markets, pairs, tracks, artists, combine or {})
    return Waits(known, clock, horizon, landmark, debut, complete, updated, leave_out_missing, classes, tables)


def _day(day: date) -> int:
    """Return a date as days since 1970-01-01."""
    return day.toordinal() - date(1970, 1, 1).toordinal()
