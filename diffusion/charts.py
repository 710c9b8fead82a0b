"""Chart files as one validated table: opening them, accounting for every row, asking for relations."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Self

import pandas as pd
import pyarrow as pa

from diffusion.calendar import Calendar
from diffusion.engine import MEMORY_LIMIT, Engine
from diffusion.entries import Entries, EventRules
from diffusion.errors import DataSaysNoError, SettingError, SourceError
from diffusion.layouts import Source, find_source
from diffusion.markets import resolve_all
from diffusion.recordings import Identity, identities
from diffusion.schema import LONG_GAP, WASHOUT

SET_ASIDE_LIMIT = 0.01
"""Share of rows that may be set aside before the source is not to be trusted."""

ANY_RANK = 1_000_000

LONGEST_TITLE = 2
"""Line ends that a field may hold; more are rows that a stray quote swallowed."""


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
        Rows of a track that stands on the same market's chart of that date already, at the same or a better rank.
    aggregate
        Rows of `Global`, which is no market.
    set_aside
        Reason → rows that could not be believed.
    streams_unreadable
        Kept rows, duplicates or contested rows whose streams were there but no number; their streams are missing.
    """

    read: int
    kept: int
    duplicates: int
    aggregate: int
    set_aside: Mapping[str, int]
    streams_unreadable: int

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
        Files, layout and columns they were read from.
    account
        What became of every row.
    """

    def __init__(self, engine: Engine, source: Source, account: RowAccount) -> None:
        self._engine = engine
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
        return Calendar(self._engine.fetch("coverage", chart=self.chart(chart), long_gap=LONG_GAP))

    def tracks(self) -> pa.Table:
        """Return one row per track id: `track_id`, `title`, `artist`, `available_markets`, in order of id."""
        return self._engine.fetch("tracks")

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
        tracks = self.tracks()
        self._engine.register("tracks", tracks)
        self._engine.register("coverage", calendar.coverage)
        self._engine.register("spans", calendar.spans)
        self._engine.register("identities", identities(tracks, identity))
        table = self._engine.fetch(
            "entries", chart=rules.chart, top=top or ANY_RANK, min_periods=min_periods, washout=washout
        )
        if not table.num_rows:
            raise DataSaysNoError(f"no track has an event: {rules} leaves nothing of the chart '{rules.chart}'")
        return Entries(table, calendar, rules, self._engine.fetch("withheld"))

    def journey(self, track: str, **rules: object) -> pd.DataFrame:
        """Return where one track went, in order; `rules` are those of `entries`. Columns as `Entries.journey`."""
        return self.entries(**rules).journey(track)  # type: ignore[arg-type]


def open_charts(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    market_names: Mapping[str, str] | None = None,
    memory_limit: str = MEMORY_LIMIT,
) -> Charts:
    """Return the charts at `path`, read and validated, with every row accounted for.

    Parameters
    ----------
    path
        A file, a glob or a (Hive-partitioned) folder; CSV, also .gz or .zst, or Parquet; any of the layouts of
        `diffusion.layouts`, recognised by its columns.
    columns
        For another layout: our column (`diffusion.layouts.SOURCE_COLUMNS`) → the file's.
    market_names
        Further market names → a name or code that is known.
    memory_limit
        What the engine may hold in memory before it spills to disk (default 1GB).

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
    engine = Engine(memory_limit=memory_limit)
    try:
        source = find_source(path, engine, columns=columns)
        engine.open_files(source.files, source.kind, source.columns, partitioned=source.partitioned)
        account = _read(engine, source, path, market_names)
    except BaseException:
        engine.close()
        raise
    return Charts(engine, source, account)


def open_sample() -> Charts:
    """Return the packaged charts: the daily Top 50 of 67 countries, 2021-03-25 to 2021-06-30."""
    with resources.as_file(resources.files("diffusion").joinpath("data", "top50_daily_2021.parquet")) as file:
        return open_charts(file)


def _read(engine: Engine, source: Source, path: str | Path, extra: Mapping[str, str] | None) -> RowAccount:
    line_ends = engine.fetch("longest_field")["line_ends"][0].as_py() if source.kind == "csv" else 0
    if line_ends > LONGEST_TITLE:
        raise SourceError(
            f"a quoted field in '{path}' runs over {line_ends + 1:,} lines: a quote closes too late and swallows rows; "
            "mend it first"
        )
    names = engine.fetch("source_markets").to_pydict()
    codes = resolve_all(dict(zip(names["name"], names["source_rows"], strict=True)), extra=extra)
    engine.register(
        "market_names",
        pa.table(
            {
                "name": pa.array(codes, pa.string()),
                "market": pa.array([None if code == "Global" else code for code in codes.values()], pa.string()),
                "aggregate": pa.array([code == "Global" for code in codes.values()], pa.bool_()),
            }
        ),
    )
    engine.view("identified_rows")
    engine.create("readings", chart=source.chart)
    engine.create("placings")
    engine.create("contested")
    engine.create("chart_rows")
    counts = engine.fetch("accounts").to_pydict()
    malformed = engine.rejected_lines() if source.kind == "csv" else {}
    account = _account(dict(zip(counts["outcome"], counts["source_rows"], strict=True)), malformed)
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


def _account(counts: dict[str, int], rejected: Mapping[str, int]) -> RowAccount:
    kept, duplicates, aggregate, unreadable = (
        counts.pop(outcome) for outcome in ("kept", "duplicate", "aggregate", "streams unreadable")
    )
    set_aside = {reason: rows for reason, rows in sorted((counts | dict(rejected)).items()) if rows}
    read = kept + duplicates + aggregate + sum(set_aside.values())
    return RowAccount(read, kept, duplicates, aggregate, set_aside, unreadable)
