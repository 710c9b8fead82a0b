"""Chart files as one validated table: opening them, accounting for every row, asking for relations."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffusion.calendar import Calendar
from diffusion.contracts.star import AGGREGATE, ANY_RANK, AVAILABILITY
from diffusion.conventions import LONG_GAP, WASHOUT
from diffusion.engine import MEMORY_LIMIT, Engine, OpenEngine, open_engine
from diffusion.entries import Entries, EventRules
from diffusion.errors import DataSaysNoError, SettingError, SourceError
from diffusion.recordings import Identity, identities
from diffusion.sources.cleaning import code_tracks, describe_tracks, judge_rows, learn_names
from diffusion.sources.layouts import Source, find_source
from diffusion.sources.source_rows import read_source
from diffusion.sources.star import Star, find_star

SET_ASIDE_LIMIT = 0.01
"""Share of rows that may be set aside before the source is not to be trusted."""


@dataclass(frozen=True, slots=True)
class RowAccount:
    """What became of the source's rows: ``read = kept + duplicates + aggregate + sum(set_aside)``.

    Attributes
    ----------
    read
        Rows of the source, header and blank lines aside.
    kept
        Rows of the table `chart_rows`.
    duplicates
        Rows that say again what a kept row says: same market, date, chart, track, rank and streams.
    aggregate
        Kept rows of `Global`, which is no market.
    set_aside
        Reason → rows that could not be believed; the reasons are in `diffusion.contracts.star.REASONS`.
    """

    read: int
    kept: int
    duplicates: int
    aggregate: int
    set_aside: Mapping[str, int]

    @property
    def set_aside_share(self) -> float:
        """Share of the rows read that were set aside, 0 … 1."""
        return sum(self.set_aside.values()) / self.read if self.read else 0.0

    def reasons(self) -> str:
        """Return the rows set aside by reason, in words; empty where there are none."""
        return ", ".join(f"{rows:,} {reason}" for reason, rows in self.set_aside.items())


class Charts:
    """Chart rows in an engine of their own; made by `open_charts`, closed by `close` or a ``with`` block.

    Attributes
    ----------
    source
        Files, layout and columns they were read from; of a cleaned folder, its observations.
    account
        What became of every row.
    open_engine
        What opens engines for the calendars and entries made from these charts.
    """

    def __init__(self, engine: Engine, source: Source, account: RowAccount, open_engine: OpenEngine) -> None:
        self._engine = engine
        self.open_engine = open_engine
        self.source = source
        self.account = account

    def __repr__(self) -> str:
        return f"<Charts of {len(self.source.files)} files ({self.source.layout}): {self.account.kept:,} rows kept>"

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

    def chart(self, name: str | None = None) -> str:
        """Return the chart to work on: `name` if it is there, else ``top200``, else the only one there.

        Raises
        ------
        SettingError
            When `name` is not there, or nothing was named and the choice is open.
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
        """Return what was observed of one chart (default: as `chart` chooses)."""
        coverage = self._engine.fetch("coverage", chart=self.chart(chart), long_gap=LONG_GAP)
        return Calendar(coverage, self.open_engine)

    def tracks(self) -> pa.Table:
        """Return one row per track id, in order of first appearance, as `diffusion.contracts.TRACKS` says."""
        return self._engine.kept("tracks")

    def entries(
        self,
        *,
        top: int | None = None,
        min_periods: int = 1,
        washout: int = WASHOUT,
        identity: Identity = "track",
        chart: str | None = None,
    ) -> Entries:
        """Return every track's first event in every market, with the coverage calendar it is conditional on.

        Parameters
        ----------
        top
            Rank that makes an event; default any rank of the chart.
        min_periods
            Charts in a row, as observed, that the track must stay for (default 1).
        washout
            Days after a market's first observed date, or the end of a long gap, in which entries are left-censored
            (default 28).
        identity
            ``track`` for the id, ``recording`` to join the ids of one normalised title and primary artist.
        chart
            Which chart (default: ``top200``, else the only one there).

        Raises
        ------
        SettingError
            When a parameter is out of range or the chart is open.
        DataSaysNoError
            When no track has an event.
        """
        rules = EventRules(self.chart(chart), top, min_periods, washout, identity)
        calendar = self.calendar(rules.chart)
        engine = self._engine
        engine.keep("coverage", calendar.coverage)
        engine.keep("spans", calendar.spans)
        engine.keep("identities", _coded(self.tracks(), identity))
        event: dict[str, Any] = {"chart": rules.chart, "top": top or ANY_RANK}
        if min_periods == 1:
            engine.create("first_appearances", into="firsts", **event)
        else:
            engine.create("first_stays", into="firsts", min_periods=min_periods, **event)
        table = engine.fetch("entries", chart=rules.chart, washout=washout)
        if not table.num_rows:
            raise DataSaysNoError(f"no track has an event: {rules} leaves nothing of the chart '{rules.chart}'")
        artists = self.tracks().select(["track_id", "artist"])
        artists = artists.filter(pc.is_in(artists["track_id"], table["track_id"].unique()))
        return Entries(table, calendar, rules, engine.fetch("withheld"), artists)

    def journey(self, track: str, **rules: object) -> pd.DataFrame:
        """Return where one track went, in order; `rules` are those of `entries`. Columns as `Entries.journey`."""
        return self.entries(**rules).journey(track)  # type: ignore[arg-type]


def open_charts(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    market_names: Mapping[str, str] | None = None,
    memory_limit: str = MEMORY_LIMIT,
    open_engine: OpenEngine = open_engine,
) -> Charts:
    """Return the charts at `path`, read and validated, with every row accounted for.

    Parameters
    ----------
    path
        A file, a glob or a (Hive-partitioned) folder; CSV, also .gz or .zst, or Parquet; any of the layouts of
        `diffusion.sources.layouts`, known by its columns. Or a folder that ``chart-diffusion clean`` has made, which is
        read as it is.
    columns
        For another layout: our column (`diffusion.sources.layouts.SOURCE_COLUMNS`) → the file's.
    market_names
        Further market names → a name or code that is known; a cleaned folder needs none.
    memory_limit
        What the engine may hold in memory before it spills to disk (default 1GB).
    open_engine
        What opens the engine that works on the rows, and others for what is made from them (default: DuckDB in this
        process).

    Raises
    ------
    SourceError
        When nothing is there or readable, a column is missing, or a market is unknown.
    DataSaysNoError
        When more than 1 % of the rows had to be set aside.

    Examples
    --------
    >>> with open_sample() as charts:
    ...     charts.account.read, len(charts.calendar().markets)
    (302600, 67)
    """
    engine = open_engine(memory_limit=memory_limit)
    try:
        star = find_star(path)
        if star is not None:
            return Charts(engine, star.source, _read_star(engine, star), open_engine)
        source = find_source(path, columns=columns)
        read_source(source, engine)
        return Charts(engine, source, _read(engine, source, path, market_names), open_engine)
    except BaseException:
        engine.close()
        raise


def open_sample() -> Charts:
    """Return the packaged charts: the daily Top 50 of 67 countries, 2021-03-25 to 2021-06-30."""
    with resources.as_file(resources.files("diffusion").joinpath("data", "top50_daily_2021.parquet")) as file:
        return open_charts(file)


def _read(engine: Engine, source: Source, path: str | Path, extra: Mapping[str, str] | None) -> RowAccount:
    learn_names(engine, charts={"": source.chart}, market_names=extra)
    code_tracks(engine)
    judge_rows(engine)
    engine.view("observations")
    describe_tracks(engine)
    account = _account(engine)
    if account.read == 0:
        raise SourceError(f"no rows in '{path}': the header is there, but nothing below it")
    if account.kept == 0 and account.aggregate + account.duplicates == 0:
        raise SourceError(
            f"nothing readable in '{path}': {account.read:,} rows read, set aside were {account.reasons()}"
            f"{_hint(account)}"
        )
    if account.kept == 0:
        raise SourceError(
            f"no market in '{path}': all {account.aggregate:,} readable rows are of Global, which is no market"
        )
    if account.set_aside_share > SET_ASIDE_LIMIT:
        raise DataSaysNoError(
            f"{account.set_aside_share:.2%} of the {account.read:,} rows in '{path}' had to be set aside "
            f"({account.reasons()}); the limit is {SET_ASIDE_LIMIT:.0%}, so mend the source first{_hint(account)}"
        )
    return account


def _hint(account: RowAccount) -> str:
    return "; dates are read as YYYY-MM-DD" if "unreadable date" in account.set_aside else ""


def _account(engine: Engine) -> RowAccount:
    outcomes: Counter[str] = Counter()
    aggregate = 0
    for row in engine.fetch("accounts").to_pylist():
        outcomes[row["outcome"]] += row["source_rows"]
        aggregate += row["global_rows"] if row["outcome"] == "kept" else 0
    damaged = engine.fetch("damaged_lines").to_pydict()
    outcomes.update(dict(zip(damaged["reason"], damaged["lines"], strict=True)))
    kept, duplicates = outcomes.pop("kept", 0), outcomes.pop("duplicate", 0)
    return RowAccount(
        kept + duplicates + outcomes.total(), kept - aggregate, duplicates, aggregate, dict(sorted(outcomes.items()))
    )


def _read_star(engine: Engine, star: Star) -> RowAccount:
    engine.open_table("observations", star.source.files)
    engine.open_table("tracks", [star.tracks])
    if star.availability is None:
        engine.register("availability", AVAILABILITY.schema.empty_table())
    else:
        engine.open_table("availability", [star.availability])
    rows = engine.fetch("market_rows").to_pylist()
    aggregate = sum(row["source_rows"] for row in rows if row["market"] == AGGREGATE)
    kept = sum(row["source_rows"] for row in rows) - aggregate
    if not kept:
        raise SourceError(f"no market in '{star.place}': it has {aggregate:,} rows, all of Global, which is no market")
    read = kept + aggregate + star.duplicates + sum(star.set_aside.values())
    return RowAccount(read, kept, star.duplicates, aggregate, star.set_aside)


def _coded(tracks: pa.Table, identity: Identity) -> pa.Table:
    """Return `track`, `identity`: for every track's code the code that stands for it."""
    if identity == "track":
        return pa.table({"track": tracks["track"], "identity": tracks["track"]})
    found = identities(tracks, identity)
    stands_for = pc.index_in(found["identity"], tracks["track_id"])
    return pa.table({"track": tracks["track"], "identity": tracks["track"].take(stands_for)})
