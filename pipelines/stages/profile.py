"""The profile of RAW, counted while it is written: rows, nulls, dates and distinct values."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from diffusion.foreign_text import csv_cell

DISTINCT: Final = ("track_id", "artist", "region", "chart")
"""Columns whose distinct values are counted; `distinct_values.parquet` keeps the values, so that RAW can grow."""

_FIRST_SIGN: Final = "!"
"""Texts that sort below it are empty or begin with white space."""


@dataclass
class Profile:
    """Counts of rows and values, added up block by block.

    Attributes
    ----------
    rows, damaged
        Numbers of rows merged and of damaged lines.
    filled
        Column in full → number of rows in which it is neither null nor blank.
    first_date, last_date
        First and last readable date; empty if there is none.
    distinct
        Column → distinct values, trimmed, without blanks.
    """

    rows: int = 0
    damaged: int = 0
    filled: Counter[str] = field(default_factory=Counter)
    first_date: str = ""
    last_date: str = ""
    distinct: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in DISTINCT})

    def add(self, full: pl.DataFrame, slim: pl.DataFrame, columns: Sequence[str], damaged: int) -> None:
        """Add the rows of a block; `columns` are the source's, in full; `damaged` is the number of damaged lines."""
        self.damaged += damaged
        self.rows += full.height
        low = full.select((pl.col(*columns) < _FIRST_SIGN).sum()).row(0, named=True)
        for name in columns:
            blank = _blank(full[name]) if low[name] else 0
            self.filled[name] += full.height - full[name].null_count() - blank
        dates = full["observation_date"]
        if (first := dates.min()) is not None:
            self.first_date = min(self.first_date or str(first), str(first))
            self.last_date = max(self.last_date, str(dates.max()))
        for name, known in self.distinct.items():
            known.update(value for value in slim[name].unique().str.strip_chars() if value)

    def notes(self) -> dict[str, Any]:
        """Return the counts for the manifest; `from_notes` reads them back."""
        return {
            "rows": self.rows,
            "damaged": self.damaged,
            "filled": dict(self.filled),
            "first_date": self.first_date,
            "last_date": self.last_date,
        }

    @classmethod
    def from_notes(cls, notes: Mapping[str, Any], distinct: pa.Table) -> "Profile":
        """Return the profile from the results of `notes` and `distinct_table`."""
        profile = cls(**{**notes, "filled": Counter(notes["filled"])})
        for name in DISTINCT:
            profile.distinct[name].update(distinct.filter(pc.equal(distinct["column_name"], name))["value"].to_pylist())
        return profile

    def distinct_table(self) -> pa.Table:
        """Return one row per distinct value: `column_name`, `value`."""
        values = [pa.array(list(self.distinct[name]), pa.string()) for name in DISTINCT]
        parts = [
            pa.table({"column_name": pa.repeat(name, len(value)), "value": value.take(pc.array_sort_indices(value))})
            for name, value in zip(DISTINCT, values, strict=True)
        ]
        return pa.concat_tables(parts)

    def reports(self, columns: Sequence[str], *, join_aux: bool) -> dict[str, bytes]:
        """Return file name → CSV, with the names and headers of the prior study."""
        merged, raw = self.rows, self.rows + self.damaged
        accounting = {"raw_rows": raw, "merged_rows": merged, "damaged_rows": self.damaged, "rows_filtered": 0}
        overview = {
            "raw_rows": raw,
            "merged_rows": merged,
            "min_date": self.first_date,
            "max_date": self.last_date,
            **{f"distinct_{name}": len(self.distinct[name]) for name in DISTINCT},
            "join_aux_enabled": int(join_aux),
        }
        rates = [(name, f"{(merged - self.filled[name]) / merged:.10g}" if merged else "") for name in columns]
        schema = [(place, name, "STRING", 0, "", 0) for place, name in enumerate(columns)]
        return {
            "row_accounting.csv": to_csv(("metric", "value"), accounting.items()),
            "profile_overview.csv": to_csv(tuple(overview), [tuple(overview.values())]),
            "profile_null_rates.csv": to_csv(("column_name", "null_rate"), rates),
            "source_schema.csv": to_csv(("cid", "name", "type", "not_null", "dflt_value", "pk"), schema),
        }


def _blank(text: pl.Series) -> int:
    """Return the number of blank values, without nulls."""
    return int((text.filter(text < _FIRST_SIGN).str.strip_chars() == "").sum())


def to_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return rows as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([csv_cell(cell) if isinstance(cell, str) else cell for cell in row] for row in (header, *rows))
    return text.getvalue().encode()
