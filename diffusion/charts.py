"""Chart files opened as one validated table, with an account of every row."""

from collections.abc import Collection
from datetime import date
from functools import cached_property
from types import TracebackType
from typing import Any, Literal, Self, overload

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffusion.absences import Absences
from diffusion.calendar import Calendar
from diffusion.chart_views import chart_views
from diffusion.compared_charts import ComparedCharts, in_turn, track_artists
from diffusion.contracts.star import ANY_RANK
from diffusion.conventions import ABSENCE, LONG_GAP, LONGEST, WASHOUT
from diffusion.display import Displayed
from diffusion.engine import Engine, OpenEngine, View, select_rows
from diffusion.entries import Entries
from diffusion.errors import DataSaysNoError, SettingError
from diffusion.event_rules import EventRules
from diffusion.finding import find_recordings
from diffusion.frames import As, frame_of
from diffusion.recordings import Identity, identity_codes, identity_table
from diffusion.sources.account import RowAccount
from diffusion.sources.source import Source
from diffusion.sources.star import LAYOUT
from diffusion.sources.wholeness import Wholeness, measure_wholeness
from diffusion.streams import Streams


class Charts(Displayed):
    """Chart rows, held in their own engine; opened by `open_charts`, closed by `close` or a ``with`` block.

    Attributes
    ----------
    source
        Files, layout and columns that the rows were read from; for a cleaned folder, its observations.
    account
        Numbers of rows by outcome.
    open_engine
        Function that opened the engine of these rows, for others that are made from them.

    Examples
    --------
    >>> with diffusion.open_sample() as charts:
    ...     charts.chart(), charts.tracks()["artist"].nunique()
    ('top50', 3075)
    """

    def __init__(self, engine: Engine, source: Source, account: RowAccount, open_engine: OpenEngine) -> None:
        self._engine = engine
        self.open_engine = open_engine
        self.source = source
        self.account = account
        self._stays: EventRules | None = None
        self._calendars: dict[str, Calendar] = {}

    def _facts(self) -> str:
        files = self.source.files
        where = f"of {len(files)} files ({self.source.layout})" if files else "at an address"
        return f" {where}: {self.account.kept:,} rows kept"

    def _shown(self) -> pd.DataFrame:
        return self.present

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the engine and its files."""
        self._engine.close()

    @cached_property
    def present(self) -> pd.DataFrame:
        """One row per chart of the source: `chart`, `chart_rows`, `markets`, `tracks`, `first_date`, `last_date`."""
        frame: pd.DataFrame = self._engine.fetch("charts_present").to_pandas()
        return frame

    @cached_property
    def wholeness(self) -> Wholeness:
        """How whole the charts of every market are: dates, cadence, depth, missing ranks."""
        return measure_wholeness(self._engine)

    def chart(self, name: str | None = None) -> str:
        """Return the name of the chart to use: `name` if given, else ``top200`` if present, else the only chart.

        Raises
        ------
        SettingError
            When the source has no chart `name`, or `name` is not given and the choice is not clear.
        """
        there = list(self.present["chart"])
        if name is not None and name not in there:
            raise SettingError(f"no chart '{name}' in the source; it has {', '.join(there)}")
        if name is None and "top200" not in there and len(there) > 1:
            raise SettingError(
                f"the source has several charts, which are never mixed: choose one of {', '.join(there)} (--chart)"
            )
        return name or ("top200" if "top200" in there else there[0])

    def calendar(self, chart: str | None = None) -> Calendar:
        """Return the coverage calendar of one chart (default: the choice of `chart`).

        Raises
        ------
        SettingError
            When the choice of chart is not clear.
        DataSaysNoError
            When the dates lie more than a hundred years apart: some of them are wrong, and time for the work grows with
            the days between them.
        """
        name = self.chart(chart)
        if name not in self._calendars:
            coverage = self._engine.fetch("coverage", chart=name, long_gap=LONG_GAP)
            extent = pc.min_max(coverage["date"]).as_py()
            if extent["min"] is not None and (extent["max"] - extent["min"]).days > LONGEST:
                raise DataSaysNoError(
                    f"the dates of '{name}' go from {extent['min']} to {extent['max']}, more than a hundred years; "
                    "correct or remove the rows with wrong dates"
                )
            self._calendars[name] = Calendar(coverage)
        return self._calendars[name]

    def arrow(
        self,
        name: Literal["tracks", "positions", "first_dates", "chart_sums", "nulls", "spells", "trajectories"],
        *,
        chart: str | None = None,
        **rules: Any,
    ) -> pa.Table:
        """Return the table of this name as Arrow, typed as its contract says.

        Parameters
        ----------
        name
            Name of the method; or ``nulls``, what rows lack, ``chart_sums``, the streams of every chart, or
            ``first_dates``, every track's first date, Global included.
        chart, rules
            Parameters of that method.
        """
        if name == "tracks":
            return self._engine.kept("tracks")
        if name == "nulls":
            return self._engine.fetch("nulls")
        if name in ("positions", "chart_sums", "first_dates"):
            return self._engine.fetch(name, chart=self.chart(chart))
        self._keep_stays(EventRules(self.chart(chart), **rules))
        if not (table := self._engine.kept(name)).num_rows:
            raise DataSaysNoError(f"no track is on the chart '{self.chart(chart)}' at rank ≤ {rules['top']}")
        return table

    def tracks(self) -> pd.DataFrame:
        """Return one row per track id, in order of first appearance; columns as in `diffusion.contracts.TRACKS`."""
        return frame_of(self.arrow("tracks"))

    def entries(
        self,
        *,
        top: int | None = None,
        min_periods: int = 1,
        washout: int = WASHOUT,
        identity: Identity = "track",
        chart: str | None = None,
    ) -> Entries:
        """Return each track's first event in each market, with the coverage calendar.

        Parameters
        ----------
        top
            Worst rank that counts as an event (default: any rank).
        min_periods
            Number of observed charts in a row that the track must stay for (default 1). The event is dated at the last
            of them, when it is first known: `entry`, `rank` and `streams` are of that chart, and `last_without` is the
            market's chart before it, which the track was on, but had not stayed long enough.
        washout
            Days in which entries are left-censored (default 28). They count from the first date on which a market could
            show an event: its first observed date, or the first after a long gap, or the `min_periods`-th. With a
            washout, a stay that goes on since the first chart, and may have begun before, is always left-censored.
        identity
            ``track``: each id counts by itself (default). ``recording``: ids with the same normalised title and primary
            artist are joined.
        chart
            Name of the chart (default: ``top200`` if present, else the only chart).

        Raises
        ------
        SettingError
            When a parameter is out of range or the choice of chart is not clear.
        DataSaysNoError
            When no track has an event.
        """
        rules = EventRules(self.chart(chart), top, min_periods, washout, identity)
        calendar = self.calendar(rules.chart)
        engine = self._engine
        engine.keep("coverage", calendar.coverage)
        engine.keep("spans", calendar.arrow("spans", min_periods=min_periods))
        known = self.arrow("tracks")
        same = identity_table(known, identity)
        engine.keep("identities", identity_codes(known, same))
        event: dict[str, Any] = {"chart": rules.chart, "top": top or ANY_RANK}
        if min_periods == 1:
            engine.create("first_appearances", into="firsts", **event)
        else:
            engine.create("first_stays", into="firsts", min_periods=min_periods, **event)
        table = engine.fetch("entries", chart=rules.chart, washout=washout)
        if not table.num_rows:
            raise DataSaysNoError(f"no track has an event: {rules} leaves nothing of the chart '{rules.chart}'")
        tracks = known.drop_columns("track").filter(pc.is_in(known["track_id"], table["track_id"].unique()))
        others = same.filter(pc.not_equal(same["track_id"], same["identity"])).rename_columns(["track_id", "recording"])
        withheld = engine.fetch("withheld")
        return Entries(table, calendar, rules, withheld, tracks, recordings=others, workers=engine.workers)

    def absences(
        self, *, periods: int | None = None, identity: Identity = "track", chart: str | None = None
    ) -> Absences:
        """Return when tracks left every market's chart, at any rank, and when they came back.

        Parameters
        ----------
        periods
            Number of periods in a row without the track after which it has left (default: as many as 28 days have, 28
            on daily and 4 on weekly charts).
        identity, chart
            As in `entries`. Ids of one recording count as one track: it is away when all of them are.

        Raises
        ------
        SettingError
            When `periods` is below 1, `identity` is unknown, or the choice of chart is not clear.
        DataSaysNoError
            When the markets do not share their dates.

        Notes
        -----
        A period is a date on which more than half of the markets in coverage were observed, so that the days on which
        charts are missing make no absence. On other dates, as on all, a track that is seen is not absent. A track is
        also absent while the only markets that had it are not observed. What was not observed anywhere is no period, so
        an absence goes on over a gap of the whole calendar. A market is in coverage on a missing date when it is
        observed again within 28 days; only in this can later charts change whether a date is a period.
        """
        rules = EventRules(self.chart(chart), identity=identity)
        calendar = self.calendar(rules.chart)
        dates = calendar.arrow("periods")
        shared, usual = pc.sum(dates["counts"]).as_py(), int(calendar.by_market()["dates"].median())
        if 2 * shared < usual:
            raise DataSaysNoError(
                f"most markets of the chart '{rules.chart}' were observed together on {shared:,} dates only, each of "
                f"them on {usual:,}; absences are counted in dates that markets share"
            )
        count = max(ABSENCE // calendar.cadence, 1) if periods is None else periods
        engine = self._engine
        engine.keep("periods", dates)
        known = self.arrow("tracks")
        engine.keep("identities", identity_codes(known, identity_table(known, identity)))
        return Absences(engine.fetch("absences", chart=rules.chart, periods=count), rules.chart, count, identity)

    def spells(self, *, top: int | None = None, identity: Identity = "track", chart: str | None = None) -> pd.DataFrame:
        """Return every stay of a track on a market's chart, from entry or re-entry to exit.

        Parameters
        ----------
        top
            Worst rank at which a track counts as being on the chart (default: any rank).
        identity, chart
            As in `entries`. Ids of one recording are one track: it has the best of their ranks and all their streams.

        Returns
        -------
        DataFrame
            One row per track, market and spell; columns as in `diffusion.contracts.SPELLS`.

        Raises
        ------
        SettingError, DataSaysNoError
            As in `entries`.

        Notes
        -----
        A spell goes on from one observed chart of the market to the next: a missing chart neither ends it nor counts.
        At a long gap and at the end of the market's coverage it is right-censored: its end was not seen. On the first
        chart of a stretch of coverage it is left-censored: it may have begun before.

        Examples
        --------
        >>> days = ["2021-01-01", "2021-01-02", "2021-01-05", "2021-01-06"]
        >>> rows = pd.DataFrame({"market": "SE", "date": [*days, "2021-01-02", "2021-01-06"], "track_id": [*"xxxxyy"],
        ...     "rank": [1, 1, 1, 1, 2, 2]})
        >>> with diffusion.open_charts(rows) as charts:
        ...     charts.spells()[["track_id", "spell", "charts", "left_censored", "right_censored", "away"]]
          track_id  spell  charts  left_censored  right_censored  away
        0        x      1       4           True            True  <NA>
        1        y      1       1          False           False  <NA>
        2        y      2       1          False            True     4
        """
        return frame_of(self.arrow("spells", top=top, identity=identity, chart=chart))

    def trajectories(
        self,
        *,
        top: int | None = None,
        washout: int = WASHOUT,
        identity: Identity = "track",
        chart: str | None = None,
    ) -> pd.DataFrame:
        """Return every track's way through every market's chart: entry, best rank, exit, and re-entries.

        Parameters
        ----------
        top, identity, chart
            As in `spells`.
        washout
            Days in which entries are left-censored, as in `entries` (default 28).

        Returns
        -------
        DataFrame
            One row per track and market; columns as in `diffusion.contracts.TRAJECTORIES`. Entries are those of
            `entries`. Errors as in `spells`.
        """
        return frame_of(self.arrow("trajectories", top=top, washout=washout, identity=identity, chart=chart))

    def profiles(
        self,
        charts: int,
        *,
        top: int | None = None,
        washout: int = WASHOUT,
        identity: Identity = "track",
        chart: str | None = None,
    ) -> pd.DataFrame:
        """Return how many trajectories had each rank, and each share of their streams, some charts after a point.

        Parameters
        ----------
        charts
            Number of charts (from 1) after the entry, and on both sides of the best rank. Only trajectories for which
            all of these were observed are counted.
        top, washout, identity, chart
            As in `trajectories`.

        Returns
        -------
        DataFrame
            Columns as in `diffusion.contracts.PROFILES`. Those followed that are not counted are off the chart then.
        """
        rules = EventRules(self.chart(chart), top, washout=washout, identity=identity)
        self._keep_stays(rules)
        return frame_of(self._engine.fetch("profiles", chart=rules.chart, top=top or ANY_RANK, charts=charts))

    def streams(self, chart: str | None = None) -> Streams:
        """Return the streams of one chart, summed (default: the choice of `chart`); none where the chart shows none."""
        return Streams.of(self._engine, self.chart(chart))

    def _keep_stays(self, rules: EventRules) -> None:
        """Have spells and trajectories by these rules in the engine, and what they are made of."""
        engine, calendar, known = self._engine, self.calendar(rules.chart), self.arrow("tracks")
        engine.keep("coverage", calendar.coverage)
        engine.keep("identities", identity_codes(known, identity_table(known, rules.identity)))
        if rules == self._stays:
            return
        engine.keep("spans", calendar.arrow("spans"))
        engine.create("spells", chart=rules.chart, top=rules.top or ANY_RANK)
        engine.create("trajectories", washout=rules.washout)
        self._stays = rules

    def depths_on(self, dates: Collection[date], *, identity: Identity = "track", chart: str | None = None) -> pa.Table:
        """Return how many tracks are on every market's chart on some dates, as Arrow: `diffusion.contracts.DEPTHS_ON`.

        Parameters
        ----------
        dates
            Dates; those without charts have no rows.
        identity, chart
            As in `entries`. Ids of one recording are one track.
        """
        known, engine = self.arrow("tracks"), self._engine
        engine.keep("identities", identity_codes(known, identity_table(known, identity)))
        engine.keep("asked_dates", pa.table({"date": pa.array(sorted(set(dates)), pa.date32())}))
        return engine.fetch("depths_on", chart=self.chart(chart))

    def compared(
        self, charts: pa.Table, *, recent: int, identity: Identity = "track", chart: str | None = None
    ) -> ComparedCharts:
        """Return which tracks some charts share and keep, and how many of their places artists of the market hold.

        Parameters
        ----------
        charts
            `market` and `date` of the charts. The date before a chart's is the one before among all of these dates.
        recent
            Number of dates, the chart's own included, on which an artist must have at least half of the places in a
            market to be of it.
        identity, chart
            As in `entries`. Ids of one recording are one track, with the best of their ranks.

        Examples
        --------
        >>> with diffusion.open_sample() as charts:
        ...     weeks = charts.depths_on([date(2021, 3, 26), date(2021, 4, 2)])
        ...     charts.compared(weeks, recent=2).stayed.num_rows
        67
        """
        known, engine = self.arrow("tracks"), self._engine
        engine.keep("identities", identity_codes(known, identity_table(known, identity)))
        engine.keep("compared_charts", in_turn(charts))
        engine.keep("track_artists", track_artists(known))
        engine.create("compared_rows", chart=self.chart(chart))
        return ComparedCharts.of(engine, recent=recent)

    def chart_ends(self, *, identity: Identity = "track", chart: str | None = None) -> pa.Table:
        """Return the last position and the streams of every market's chart, Global included, as Arrow.

        Columns are as in `diffusion.contracts.CHART_ENDS`; parameters as in `entries`. Ids of one recording are one
        track, with the best of their ranks.
        """
        known = self.arrow("tracks")
        self._engine.keep("identities", identity_codes(known, identity_table(known, identity)))
        return self._engine.fetch("chart_ends", chart=self.chart(chart))

    def track_rows(self, dates: Collection[date], *, chart: str | None = None) -> pa.Table:
        """Return how many rows every track has on some dates, and where they begin, as Arrow.

        Global is included; columns are as in `diffusion.contracts.TRACK_ROWS`. The default chart is the choice of
        `chart`.
        """
        self._engine.keep("asked_dates", pa.table({"date": pa.array(sorted(set(dates)), pa.date32())}))
        return self._engine.fetch("track_rows", chart=self.chart(chart))

    def asked_positions(self, days: pa.Table, *, chart: str | None = None) -> pa.Table:
        """Return the rows of `positions` of some tracks on some dates, as Arrow.

        Parameters
        ----------
        days
            `track` (code) and `date`: dates asked for of each track, each once.
        chart
            Name of the chart (default: the choice of `chart`).
        """
        self._engine.keep("asked_days", days)
        return self._engine.fetch("asked_positions", chart=self.chart(chart))

    def positions(self, chart: str | None = None) -> pd.DataFrame:
        """Return every row of one chart, Global included; columns as in `diffusion.contracts.POSITIONS`.

        The default chart is the choice of `chart`.
        """
        return frame_of(self.arrow("positions", chart=chart))

    @overload
    def sql(self, query: str, *, as_: Literal["pandas"] = "pandas") -> pd.DataFrame: ...

    @overload
    def sql(self, query: str, *, as_: Literal["arrow"]) -> pa.Table: ...

    def sql(self, query: str, *, as_: As = "pandas") -> pd.DataFrame | pa.Table:
        """Return what one SELECT in DuckDB's SQL says of the charts.

        Tables are `charts` (the rows kept, without Global), `observations` (with Global, as in
        `diffusion.contracts.OBSERVATIONS`), `tracks`, `artists` (each artist credited for a track, with the position in
        the credits), `availability` (the lists of licences), `coverage`, and `markets` (the reference table). They are
        read only. The rows are copied once where the source is no cleaned folder.

        Parameters
        ----------
        query
            The SELECT. Other statements, other files and functions that read files are refused.
        as_
            ``pandas`` (default) or ``arrow``. In pandas, whole numbers of which some are missing are ``Int64``.

        Raises
        ------
        SettingError
            When the SQL is refused or fails.

        Examples
        --------
        >>> rows = {"market": ["SE", "NO"], "date": ["2021-01-01"] * 2, "rank": [1, 1], "track_id": ["a", "a"]}
        >>> with diffusion.open_charts(pd.DataFrame(rows)) as charts:
        ...     charts.sql("SELECT track_id, count(*) AS markets FROM charts WHERE rank = 1 GROUP BY track_id")
          track_id  markets
        0        a        2
        """
        with select_rows(query, self._views) as rows:
            table = rows.table()
        return table if as_ == "arrow" else frame_of(table)

    @cached_property
    def _views(self) -> dict[str, View]:
        files = self.source.paths if self.source.layout == LAYOUT.name else None
        return chart_views(self._engine, list(self.present["chart"]), files)

    def find(self, text: str, *, artist: str | None = None, chart: str | None = None) -> pd.DataFrame:
        """Return the recordings of one chart whose title or artist is called so, the nearest and widest first.

        Parameters
        ----------
        text
            A title, an artist, a part of one, ``title by artist``, or an id or link. Case, accents and spacing do not
            matter.
        artist
            Only recordings with this in their credits.
        chart
            Name of the chart (default: the choice of `chart`).

        Returns
        -------
        DataFrame
            One row per recording, however many ids it has: `title`, `artist`, `ids` (tuple, in most markets first),
            `first_date`, `markets` (number ever charted in), `best_rank`, `match` (what of it is called so, see
            `diffusion.finding.MATCHES`).

        Raises
        ------
        SettingError
            When the text is empty or the choice of chart is not clear.
        DataSaysNoError
            When nothing is called so.

        Examples
        --------
        >>> with diffusion.open_sample() as charts:
        ...     found = charts.find("butter")
        >>> found[["title", "artist", "markets", "best_rank", "match"]].head(1).values.tolist()
        [['Butter', 'BTS', 65, 1, 'title']]
        """
        seen = self._engine.fetch("peaks", chart=self.chart(chart))
        return find_recordings(text, self.arrow("tracks"), seen, artist=artist)

    def journey(self, track: str, **rules: object) -> pd.DataFrame:
        """Return one track's entries in order, columns as in `Entries.journey`; `rules` are parameters of `entries`."""
        return self.entries(**rules).journey(track)  # type: ignore[arg-type]
