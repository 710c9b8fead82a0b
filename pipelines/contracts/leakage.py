"""Contracts of what is known when."""

from typing import Final

import pyarrow as pa

from diffusion.contracts import Column, Contract
from pipelines.contracts.audit import AUDIT

_TEXT, _NUMBER = pa.string(), pa.float64()

LEAKAGE: Final = Contract(
    "leakage",
    "one feature, audited on a sample of recent charts",
    (*AUDIT.columns, Column("use", _TEXT, "when the feature is known, or never: it must not be used")),
    AUDIT.key,
)

LEAKAGE_COLUMNS: Final = Contract(
    "leakage_columns",
    "one column of the charts: when it is known, and what it may be used for",
    (
        Column("column", _TEXT, "column of the rows or of their tracks; licences: available markets"),
        Column("known", _TEXT, "when it is known"),
        Column("use", _TEXT, "what it may be used for"),
        Column("why", _TEXT, "why"),
        Column("there", _NUMBER, "share of the rows of the chart that have it"),
        Column("found", _TEXT, "what these charts show of it; empty where nothing was looked for"),
    ),
    ("column",),
)
