"""Contract of the numbers of an earlier study beside those of the charts given."""

from typing import Final

import pyarrow as pa

from diffusion.contracts import Column, Contract

_TEXT, _COUNT, _NUMBER = pa.string(), pa.int64(), pa.float64()

_UNIT = "in the unit of the fact (rows, tracks, days, streams, per cent …, as it says)"

PRIOR: Final = Contract(
    "prior",
    "one number of the earlier study of daily charts 2017-2021",
    (
        Column("number", _COUNT, "number of the group of facts; related rows share it"),
        Column("fact", _TEXT, "what it counts"),
        Column("scope", _TEXT, "rows or markets that it is of"),
        Column("printed", _TEXT, "the number as it was printed"),
        Column("theirs", _NUMBER, f"the number, {_UNIT}"),
        Column("ours", _NUMBER, f"the same of these charts, {_UNIT}; null where it is not computed", nullable=True),
        Column("difference", _NUMBER, f"ours − theirs, {_UNIT}; null as ours", nullable=True),
        Column("verdict", _TEXT, "equal (but for the rounding of the print), differs, or not computed"),
        Column("why", _TEXT, "what explains the difference, or why it is not computed; empty where nothing is known"),
        Column("source", _TEXT, "where it was printed: notebook and cell"),
    ),
    ("number", "fact"),
)
