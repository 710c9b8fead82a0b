"""The reference of tables: one section per contract, from the contracts themselves."""

import pyarrow as pa

from diffusion.contracts import COVERAGE, ENTRIES, LAGS, TRANSITIONS, WITHHELD, Contract
from diffusion.contracts.star import ARTISTS, AVAILABILITY, OBSERVATIONS, QUARANTINE, REASONS, RECORDINGS, TRACKS

TABLES: dict[str, tuple[Contract, ...]] = {
    "What clean makes": (OBSERVATIONS, TRACKS, ARTISTS, AVAILABILITY, RECORDINGS, QUARANTINE),
    "What the graph is counted from": (ENTRIES, COVERAGE, WITHHELD, LAGS, TRANSITIONS),
}
"""Heading → the contracts of the tables below it."""

TYPES = {
    pa.string(): "text",
    pa.date32(): "date",
    pa.int32(): "whole number",
    pa.int64(): "whole number",
    pa.float64(): "number",
    pa.bool_(): "true or false",
}
"""Arrow type → the word for it."""


def table_text() -> str:
    """Return all tables under their headings, as Markdown."""
    parts = []
    for heading, contracts in TABLES.items():
        parts += [f"## {heading}", *map(contract_text, contracts)]
    return "\n\n".join(parts)


def contract_text(contract: Contract) -> str:
    """Return one table: what a row is, its key, and its columns."""
    key = ", ".join(f"`{name}`" for name in contract.key)
    lines = [f"### {contract.name}", "", f"One row is {contract.row}. Key: {key}."]
    lines += ["", "| column | type | meaning |", "|---|---|---|"]
    for column in contract.columns:
        kind = TYPES[column.type] + (", may be missing" if column.nullable else "")
        meaning = column.meaning.replace("|", r"\|")
        lines.append(f"| `{column.name}` | {kind} | {meaning} |")
    return "\n".join(lines)


def reason_text() -> str:
    """Return why rows are set aside, as a table."""
    return "\n".join(["| reason | meaning |", "|---|---|", *(f"| {name} | {text} |" for name, text in REASONS.items())])
