"""Opening of charts: reading and validating the rows of any source, or of a cleaned folder."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path

from diffusion.charts import Charts
from diffusion.contracts.star import AGGREGATE, AVAILABILITY
from diffusion.engine import MEMORY_LIMIT, Engine, OpenEngine, open_engine
from diffusion.errors import SourceError
from diffusion.sources.account import RowAccount, check_kept, check_set_aside, read_account
from diffusion.sources.addresses import RemoteStar, find_remote_star, is_address
from diffusion.sources.cleaning import code_tracks, judge_rows, learn_names, read_fields
from diffusion.sources.planning import find_source
from diffusion.sources.reading import ReadingOptions
from diffusion.sources.source import Source
from diffusion.sources.source_rows import read_source
from diffusion.sources.star import Star, find_star
from diffusion.sources.tables import Table
from diffusion.sources.wholeness import check_holes


def open_charts(
    path: str | Path | Sequence[str | Path] | Table,
    *,
    columns: Mapping[str, str] | None = None,
    market_names: Mapping[str, str] | None = None,
    from_name: str | None = None,
    encoding: str | None = None,
    date_format: str | None = None,
    first_rank: int = 1,
    accept: Collection[str] = (),
    memory_limit: str = MEMORY_LIMIT,
    open_engine: OpenEngine = open_engine,
) -> Charts:
    """Return the charts at `path`, read and validated, with every row accounted for.

    Parameters
    ----------
    path
        A file, a glob or a folder, or several; or a table of pandas, polars or Arrow. Columns are recognised by their
        names (`diffusion.sources.layouts`), also where files differ; market, date and chart may stand in the names of
        files and folders. A folder made by ``chart-diffusion clean`` is read as it is, without asking again for
        consent; with Spark also at an address, such as ``s3a://bucket/clean``.
    columns, market_names, from_name, encoding, date_format, first_rank, accept
        What the files do not tell themselves, as in `diffusion.sources.reading.ReadingOptions`; not needed for a
        cleaned folder.
    memory_limit
        Memory that the engine may use before it spills to disk (default 1GB).
    open_engine
        Function that opens the engine for these rows (default: DuckDB in this process). Sums over the entries made from
        them are made by the engine's workers.

    Raises
    ------
    SourceError
        When no file is found, no row is readable, a column is missing, or a market is unknown.
    DataSaysNoError
        When more than 1 % of the rows are set aside or tied, or most charts have holes, and `accept` does not name it.

    Examples
    --------
    >>> with open_sample() as charts:
    ...     charts.account.read, len(charts.calendar().markets)
    (302600, 67)
    """
    options = ReadingOptions(
        columns or {}, market_names or {}, from_name, encoding, date_format, first_rank, tuple(accept)
    )
    engine = open_engine(memory_limit=memory_limit)
    try:
        if is_address(path):
            remote = find_remote_star(engine, path)
            return Charts(engine, remote.source, _read_remote_star(engine, remote), open_engine)
        star = find_star(path) if isinstance(path, str | Path) else None
        if star is not None:
            return Charts(engine, star.source, _read_star(engine, star), open_engine)
        source = find_source(path, options)
        read_source(source, engine)
        account, said = _read(engine, source, options)
        charts = Charts(engine, replace(source, said=(*source.said, *said)), account, open_engine)
        check_holes(charts.wholeness, source.place, options.accept)
        return charts
    except BaseException:
        engine.close()
        raise


def open_sample() -> Charts:
    """Return the packaged charts: the daily Top 50 of 67 countries, 2021-03-25 to 2021-06-30.

    Examples
    --------
    >>> with open_sample() as charts:
    ...     entries = charts.entries(top=10)
    >>> entries
    <Entries of top50: 3,087 in 67 markets; first appearance at rank ≤ 10, washout 28 days>
    """
    with resources.as_file(resources.files("diffusion").joinpath("data", "top50_daily_2021.parquet")) as file:
        return open_charts(file)


def _read(engine: Engine, source: Source, options: ReadingOptions) -> tuple[RowAccount, tuple[str, ...]]:
    """Return the account of the rows, and what is to be said of their names."""
    path = source.place
    names = learn_names(
        engine,
        charts={file.name: file.chart for file in source.files},
        market_names=options.market_names,
        date_format=options.date_format,
        first_rank=options.first_rank,
    )
    code_tracks(engine, by_title=names.by_title)
    judge_rows(engine)
    engine.view("observations")
    read_fields(engine)
    engine.create("tracks")
    engine.view("availability")
    account = read_account(engine)
    check_kept(account, path)
    check_set_aside(account, path, options.accept)
    return account, names.said()


def _read_star(engine: Engine, star: Star) -> RowAccount:
    engine.open_table("observations", star.source.paths)
    engine.open_table("tracks", [star.tracks])
    if star.availability is None:
        engine.register("availability", AVAILABILITY.schema.empty_table())
    else:
        engine.open_table("availability", [star.availability])
    kept, aggregate = _count_markets(engine, star.place)
    read = kept + aggregate + star.duplicates + sum(star.set_aside.values())
    return RowAccount(read, kept, star.duplicates, aggregate, star.set_aside, star.tied)


def _read_remote_star(engine: Engine, star: RemoteStar) -> RowAccount:
    engine.open_table("observations", star.observations)
    engine.open_table("tracks", [star.tracks])
    engine.open_table("availability", [star.availability])
    kept, aggregate = _count_markets(engine, star.address)
    star.check(kept + aggregate)
    read = star.kept + star.duplicates + sum(star.set_aside.values())
    return RowAccount(read, kept, star.duplicates, aggregate, star.set_aside, star.tied)


def _count_markets(engine: Engine, place: object) -> tuple[int, int]:
    """Return the observations of markets, and those of Global.

    Raises
    ------
    SourceError
        When no market has any.
    """
    rows = engine.fetch("market_rows").to_pylist()
    aggregate = sum(row["source_rows"] for row in rows if row["market"] == AGGREGATE)
    kept = sum(row["source_rows"] for row in rows) - aggregate
    if not kept:
        raise SourceError(f"no market in '{place}': it has {aggregate:,} rows, all of Global")
    return kept, aggregate
