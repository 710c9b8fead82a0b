"""Accounts of cleaning: rows read = kept + duplicates + quarantined, for each file of the source."""

import io
from collections import Counter
from collections.abc import Mapping
from typing import Final

import pandas as pd
import pyarrow as pa

from diffusion import SourceError
from diffusion.foreign_text import read_csv_table

COUNTS: Final = ("raw_rows", "kept_rows", "duplicate_rows", "quarantined_rows", "repaired_rows", "tied_rows")
"""Counts of rows: the first is the sum of the next three; the last two are parts of the kept."""

COLUMNS: Final = ("file", "year", *COUNTS)

DAMAGED: Final = "damaged"
"""Value of `year` for damaged lines."""


def account_by_file(outcomes: pa.Table, year: str) -> pd.DataFrame:
    """Return the accounts of one year, one row per file, from the relation `accounts`."""
    frame = outcomes.to_pandas()
    rows, outcome = frame["source_rows"], frame["outcome"]
    counts = {
        "raw_rows": rows,
        "kept_rows": rows.where(outcome == "kept", 0),
        "duplicate_rows": rows.where(outcome == "duplicate", 0),
        "quarantined_rows": rows.where(~outcome.isin(["kept", "duplicate"]), 0),
        "repaired_rows": frame["repaired_rows"],
        "tied_rows": frame["tied_rows"],
    }
    table = pd.DataFrame(counts).groupby(frame["file"], sort=True).sum().reset_index()
    table.insert(1, "year", year)
    return table.astype(dict.fromkeys(COUNTS, "int64"))


def count_reasons(outcomes: pa.Table) -> Counter[str]:
    """Return reason → rows set aside, from the relation `accounts`."""
    counted: Counter[str] = Counter()
    for row in outcomes.select(["outcome", "source_rows"]).to_pylist():
        if row["outcome"] not in ("kept", "duplicate"):
            counted[row["outcome"]] += row["source_rows"]
    return counted


def account_damaged(lines: Mapping[str, int]) -> pd.DataFrame:
    """Return the accounts of damaged lines, one row per file, from file → lines; all of them are in quarantine."""
    files = sorted(lines)
    rows = [lines[file] for file in files]
    counts = dict.fromkeys(COUNTS, [0] * len(files)) | {"raw_rows": rows, "quarantined_rows": rows}
    table = pd.DataFrame({"file": files, "year": [DAMAGED] * len(files)} | counts, columns=list(COLUMNS))
    return table.astype(dict.fromkeys(COUNTS, "int64"))


def check_accounts(accounts: pd.DataFrame, files: Mapping[str, int]) -> None:
    """Check that each row of every file is accounted for once.

    Raises
    ------
    SourceError
        When two rows have the same file and line, or a row was lost.
    """
    sums = accounts.groupby("file")[list(COUNTS)].sum()
    for file, rows in files.items():
        found = int(sums["raw_rows"].get(file, 0))
        if found != rows:
            raise SourceError(
                f"{rows:,} rows of '{file}' are in RAW, but {found:,} were accounted for: several have the same line;  "
                "ingest the file again"
            )


def total_counts(accounts: pd.DataFrame) -> dict[str, int]:
    """Return count → sum over all files and years."""
    return {name: int(accounts[name].sum()) for name in COUNTS}


def counts_csv(counts: Mapping[str, int]) -> bytes:
    """Return counts as CSV: `metric`, `value`."""
    lines = "".join(f"{name},{value}\n" for name, value in counts.items())
    return f"metric,value\n{lines}".encode()


def read_accounts(content: bytes) -> pd.DataFrame:
    """Return accounts by file and year from their CSV."""
    read = pd.read_csv(io.BytesIO(content), dtype={"file": str, "year": str}, keep_default_na=False)
    return read_csv_table(read)
