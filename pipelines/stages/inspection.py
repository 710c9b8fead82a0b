"""Inspection: what chart files are, before anything is computed from them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pandas as pd

from diffusion.engine import MEMORY_LIMIT, Engine, open_engine
from diffusion.errors import DataSaysNoError, SourceError
from diffusion.frames import frame_of
from diffusion.sources.account import RowAccount, check_kept, check_set_aside, read_account
from diffusion.sources.cleaning import code_tracks, judge_rows, learn_names
from diffusion.sources.planning import find_source
from diffusion.sources.reading import ReadingOptions
from diffusion.sources.source import ChartFile, Source
from diffusion.sources.source_rows import read_source
from diffusion.sources.star import find_star
from diffusion.sources.wholeness import HOLE_PERCENT, Wholeness, check_holes, measure_wholeness
from pipelines.progress import Report

MOST_CELLS: Final = 365
"""Stretches of time that a picture of the charts has at most."""

SHOWN: Final[Mapping[str, str]] = {
    "no market": "market",
    "unknown market": "market",
    "unreadable date": "date",
    "date outside the file's span": "date",
    "no track id": "track",
    "negative streams": "streams",
    "unreadable streams": "streams",
    "streams beyond the bound": "streams",
}
"""Reason why a row is set aside → its column that is shown; for other reasons the rank."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """Files of one layout, with the same columns and facts.

    Attributes
    ----------
    files
        Number of files.
    layout
        Name of the layout.
    kind, encoding
        Kind of the files, and encoding of text files (else empty).
    columns
        Our column → the files' column.
    facts
        Our column → value that counts where the rows have none, of the first file.
    unused
        Columns of the files that are not used.
    """

    files: int
    layout: str
    kind: str
    encoding: str
    columns: Mapping[str, str]
    facts: Mapping[str, str]
    unused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What chart files are.

    Attributes
    ----------
    source
        The files and how each is read.
    said
        Lines about what was recognised in the files, their names, and their values.
    mapped
        How columns are read, for each group of files alike.
    account
        Numbers of rows by outcome.
    examples
        One row per reason why rows are set aside: `reason`, `rows`, `value` (the first one's), `file`, `line`.
    unknown_markets
        Market name that is not known → message about it.
    wholeness
        How whole the charts of every market are.
    depths
        One row per chart, market and date; columns as in `diffusion.contracts.CHART_DEPTHS`.
    refused
        Why a run would refuse these files, with the option to go on; empty where it would not.
    """

    source: Source
    said: tuple[str, ...]
    mapped: tuple[Mapped, ...]
    account: RowAccount
    examples: pd.DataFrame
    unknown_markets: Mapping[str, str]
    wholeness: Wholeness
    depths: pd.DataFrame
    refused: tuple[str, ...]


def inspect_charts(
    paths: Sequence[str | Path], reading: ReadingOptions, *, memory_limit: str = MEMORY_LIMIT, tell: Report
) -> Inspection:
    """Return what chart files are and what a run would set aside or refuse; nothing is computed from them.

    Raises
    ------
    SourceError
        When no file is found, or a file is no chart file as it stands.
    """
    stars = [path for path in paths if find_star(path) is not None]
    if stars:
        raise SourceError(f"'{stars[0]}' is a cleaned folder; inspect the files that it was made from")
    tell("finding files")
    source = find_source(list(paths), reading)
    with open_engine(memory_limit=memory_limit) as engine:
        tell("reading rows")
        read_source(source, engine)
        charts = {file.name: file.chart for file in source.files}
        names = learn_names(
            engine,
            charts=charts,
            market_names=reading.market_names,
            unknown_aside=True,
            date_format=reading.date_format,
            first_rank=reading.first_rank,
        )
        code_tracks(engine, by_title=names.by_title)
        judge_rows(engine)
        engine.view("observations")
        tell("measuring charts")
        account, wholeness = read_account(engine), measure_wholeness(engine)
        depths = frame_of(engine.kept("chart_depths"))
        examples = _examples(engine) if account.set_aside else _no_examples()
    refused = _refused(account, wholeness, source.place, reading.accept, list(names.unknown_markets.values()))
    source = replace(source, said=(*source.said, *names.said()))
    return Inspection(
        source,
        (*source.said, *names.said()),
        _mapped(source.files),
        account,
        examples,
        names.unknown_markets,
        wholeness,
        depths,
        refused,
    )


def calendar_cells(whole: pd.DataFrame, depths: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the cells of `figures.chart_calendar`, and the days of one.

    A cell has as many days as the quickest charts take from one to the next, or a multiple of it.

    Parameters
    ----------
    whole
        One row per chart and market: `chart`, `market`, `cadence`, `first_date`, `last_date`, as in
        `diffusion.contracts.WHOLENESS`.
    depths
        One row per chart, market and date; columns as in `diffusion.contracts.CHART_DEPTHS`.
    """
    cadence = int(whole["cadence"].min()) if whole["cadence"].notna().any() else 1
    first, last = whole["first_date"].min(), whole["last_date"].max()
    days = cadence * max(-(-((last - first).days // cadence + 1) // MOST_CELLS), 1)
    own = depths.merge(whole[["chart", "market", "cadence"]], on=["chart", "market"])
    number = (own["date"] - first).dt.days
    own["cell"] = number // days
    own["usual"] = own["cadence"].fillna(cadence).astype("int64")
    # a chart that comes less often than a cell fills the cells of its period
    end = ((number + own["usual"] - 1) // days).where(own["usual"] > days, own["cell"])
    own = own.loc[own.index.repeat(end - own["cell"] + 1)]
    own["cell"] += own.groupby(["chart", "market", "date"]).cumcount()
    cells = [_cells(market, days) for _, market in own.groupby(["chart", "market"], sort=True)]
    table = pd.concat(cells, ignore_index=True)
    return table.assign(start=first + pd.to_timedelta(table["cell"] * days, unit="D")), days


def _cells(own: pd.DataFrame, days: int) -> pd.DataFrame:
    """Return the cells of one chart and market from its first to its last."""
    one = own.iloc[0]
    sums = own.groupby("cell")[["chart_rows", "deepest_rank", "missing"]].sum()
    sums["dates"] = own.groupby("cell").size()
    sums = sums.reindex(range(int(own["cell"].min()), int(own["cell"].max()) + 1), fill_value=0).rename_axis("cell")
    missing = (sums["missing"] / sums["deepest_rank"]).fillna(0.0)
    return pd.DataFrame(
        {
            "chart": one["chart"],
            "market": one["market"],
            "dates": sums["dates"],
            "expected": max(days // int(one["usual"]), 1),
            "depth": (sums["chart_rows"] / sums["dates"]).fillna(0.0),
            "missing": missing,
            "holes": (100 * missing > HOLE_PERCENT).astype("int64"),
        }
    ).reset_index()


def _mapped(files: Sequence[ChartFile]) -> tuple[Mapped, ...]:
    groups: dict[tuple[object, ...], list[ChartFile]] = {}
    for file in files:
        alike = (file.layout, file.listed.kind, file.opened.encoding, *file.columns.values(), *file.facts)
        groups.setdefault((*alike, *file.opened.names), []).append(file)
    return tuple(_one_mapped(group) for group in groups.values())


def _one_mapped(group: Sequence[ChartFile]) -> Mapped:
    first = group[0]
    columns = {ours: theirs for ours, theirs in first.columns.items() if theirs}
    unused = tuple(name for name in first.opened.names if name not in columns.values())
    kind, encoding = first.listed.kind, first.opened.encoding
    return Mapped(len(group), first.layout, kind, encoding, columns, dict(first.facts), unused)


def _no_examples() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=object) for name in ("reason", "rows", "value", "file", "line")})


def _examples(engine: Engine) -> pd.DataFrame:
    engine.create("set_aside")
    rows = engine.fetch("examples").to_pylist()
    return pd.DataFrame(
        {
            "reason": row["reason"],
            "rows": row["source_rows"],
            "value": _value(row),
            "file": row["file"],
            "line": row["line"],
        }
        for row in rows
    )


def _value(row: Mapping[str, str | None]) -> str:
    """Return what is wrong with a row as it is written; a track's id and link are parted by bars."""
    shown = row["row"] if row["row"] is not None else row[SHOWN.get(str(row["reason"]), "rank")]
    return (shown or "").strip("|")


def _refused(
    account: RowAccount, wholeness: Wholeness, place: Path, accept: Collection[str], unknown: Sequence[str]
) -> tuple[str, ...]:
    """Return the lines with which a run would refuse."""
    lines = [f"{message}; add it with --market-name NAME=CODE" for message in unknown[:1]]
    try:
        check_kept(account, place)
    except SourceError as error:
        return (*lines, str(error))
    try:
        check_set_aside(account, place, accept)
    except DataSaysNoError as error:
        lines.append(str(error))
    try:
        check_holes(wholeness, place, accept)
    except DataSaysNoError as error:
        lines.append(str(error))
    return tuple(lines)
