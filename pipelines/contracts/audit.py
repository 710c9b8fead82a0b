"""Contract of the audit of features for what they could not have known."""

from typing import Final

import pyarrow as pa

from diffusion.contracts import Column, Contract

_TEXT, _COUNT, _NUMBER, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()

AUDIT: Final = Contract(
    "audit",
    "a feature, or a column of the charts that is refused as one",
    (
        Column("feature", _TEXT, "name of the feature or column"),
        Column("family", _TEXT, "family of the feature; charts for a column that is refused"),
        Column("known", _TEXT, "when it is known, as its registry says"),
        Column(
            "verdict",
            _TEXT,
            "passes; looks ahead (charts after the as-of date change it); later snapshot (what the source told later "
            "changes it); contemporaneous (made of the row that is to be forecast); too good (its single score is "
            "above the bound); refused (a column that is no feature)",
        ),
        Column("reason", _TEXT, "what was found"),
        Column(
            "same_day",
            _FLAG,
            "ranks or streams of the as-of date change it: not for a forecast of that row; null for columns",
            nullable=True,
        ),
        Column("values", _COUNT, "number of values compared; null for columns", nullable=True),
        Column(
            "auc",
            _NUMBER,
            "0.5 … 1: AUC of the feature alone for entry within the horizon; null with fewer than 20 entries",
            nullable=True,
        ),
        Column(
            "r2",
            _NUMBER,
            "0 … 1: squared correlation of the feature alone with streams (rank, if none) on the next chart; null with "
            "fewer than 20 pairs",
            nullable=True,
        ),
    ),
    ("family", "feature"),
)
