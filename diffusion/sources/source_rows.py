"""Rows of chart files loaded into an engine: CSV in blocks, Parquet without a copy."""

from collections.abc import Mapping

import polars as pl
import pyarrow as pa

from diffusion.engine import Engine
from diffusion.sources.chart_files import open_chart_file
from diffusion.sources.csv_files import DAMAGED, Block, folder_values
from diffusion.sources.layouts import Source
from diffusion.sources.listing import ListedFile


def read_source(source: Source, engine: Engine) -> None:
    """Make the rows of chart files readable as `source_rows`, and damaged lines as `damaged_rows`.

    `source_rows` has the columns of `diffusion.sources.layouts.SOURCE_COLUMNS`, all text, and `file` and `line`.
    `damaged_rows` has `file`, `line`, `reason` and `row`.

    Raises
    ------
    SourceError
        When a file cannot be read as the kind that its name says.
    """
    if source.kind == "parquet":
        columns = {ours: [theirs] if theirs else [] for ours, theirs in source.columns.items()}
        engine.open_text(source.files, columns, root=source.root, partitioned=source.partitioned)
        engine.keep("damaged_rows", DAMAGED.empty_table())
        return
    for file in source.files:
        name = file.relative_to(source.root).as_posix()
        folders = folder_values(file) if source.partitioned else {}
        for block, _ in open_chart_file(ListedFile(file, source.kind)).blocks():
            engine.add("source_rows", _chosen(block, source.columns, folders, name))
            engine.add("damaged_rows", block.damaged_table(name))


def _chosen(block: Block, columns: Mapping[str, str | None], folders: Mapping[str, str], file: str) -> pa.Table:
    """Return a block's rows with our columns; columns that the file lacks come from the folders above it."""
    rows = block.rows.select(
        *(
            (pl.col(theirs) if theirs in block.rows.columns else pl.lit(folders.get(theirs or ""))).alias(ours)
            for ours, theirs in columns.items()
        ),
        pl.lit(file).alias("file"),
        pl.Series("line", block.lines),
    )
    return rows.cast(dict.fromkeys(columns, pl.String)).to_arrow()
