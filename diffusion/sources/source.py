"""A source of charts: its files, and how each is read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import polars as pl

from diffusion.display import Displayed
from diffusion.sources.chart_files import Blocks, OpenFile
from diffusion.sources.layouts import MADE_ARTIST, MADE_DATE, MADE_TITLE, Recognised
from diffusion.sources.listing import ListedFile

UNNAMED: Final = "chart"
"""Name of a chart that neither rows nor names of files nor the layout give."""


@dataclass(frozen=True, slots=True)
class ChartFile:
    """One chart file and how it is read.

    Attributes
    ----------
    listed
        The file.
    name
        Its name in the rows: the path below the root of the source.
    opened
        The file, open for reading.
    recognised
        Layout and columns; the columns that the caller named included.
    facts
        Our column → value that counts where the rows have none.
    chart
        Name of the chart where neither rows nor facts give one.
    """

    listed: ListedFile
    name: str
    opened: OpenFile
    recognised: Recognised
    facts: Mapping[str, str]
    chart: str = UNNAMED

    @property
    def layout(self) -> str:
        """Name of the layout."""
        return self.recognised.layout.name

    @property
    def columns(self) -> Mapping[str, str | None]:
        """Our column → the file's column, None where there is none."""
        return self.recognised.columns

    def blocks(self) -> Blocks:
        """Yield the rows in blocks, with all columns of the file and those made from them, and the share read."""
        for block, share in self.opened.blocks():
            if block.rows.height or block.damaged:
                yield replace(block, rows=self._with_made(block.rows)), share

    def chosen(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return our columns of a block's rows, all text; an empty value is replaced by the fact of that column."""
        return rows.select(self._value(ours, theirs).alias(ours) for ours, theirs in self.columns.items())

    def _value(self, ours: str, theirs: str | None) -> pl.Expr:
        text = pl.lit(None, pl.String) if theirs is None else pl.col(theirs)
        if ours not in self.facts:
            return text
        return pl.when(text.is_null() | (text == "")).then(pl.lit(self.facts[ours])).otherwise(text)

    def _with_made(self, rows: pl.DataFrame) -> pl.DataFrame:
        year_month_day, credit = self.recognised.date_parts, self.recognised.credit
        if year_month_day:
            year, *rest = (pl.col(name).str.strip_chars().str.replace(r"[.]0+$", "") for name in year_month_day)
            day = pl.concat_str(year, *(part.str.zfill(2) for part in rest), separator="-")
            rows = rows.with_columns(day.alias(MADE_DATE))
        if credit:
            parts = pl.col(credit).str.splitn(" - ", 2).struct
            rows = rows.with_columns(parts[0].alias(MADE_ARTIST), parts[1].alias(MADE_TITLE))
        return rows


@dataclass(frozen=True, repr=False)
class Source(Displayed):
    """Chart files and how each is read.

    Attributes
    ----------
    files
        The files, in order.
    root
        Folder that the names of the files are relative to.
    passed_over
        Name below the root of another file or folder → why it is not read.
    said
        Lines about what was recognised, for the screen and for notes.
    """

    files: tuple[ChartFile, ...]
    root: Path
    passed_over: Mapping[str, str]
    said: tuple[str, ...]

    def _facts(self) -> str:
        return f" of {len(self.files)} files ({self.layout})"

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """Files on disk, in order; none of a table in memory."""
        return tuple(dict.fromkeys(file.listed.path for file in self.files if file.listed.kind != "table"))

    @property
    def place(self) -> Path:
        """The file, or the folder that holds the files, for messages."""
        return self.files[0].listed.place if len(self.files) == 1 else self.root

    @property
    def layout(self) -> str:
        """Names of the layouts of the files."""
        return ", ".join(dict.fromkeys(file.layout for file in self.files))
