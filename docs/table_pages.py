"""The reference of tables: every artifact that is a table, by step or command, with the columns of its contract."""

from typing import Final

import pyarrow as pa

from diffusion.contracts import Contract
from diffusion.contracts.star import REASONS
from pipelines.artifacts import ARTIFACTS
from pipelines.study.step import with_needs
from pipelines.study.steps import COMMANDS, STEPS

TYPES: Final = {
    pa.string(): "text",
    pa.date32(): "date",
    pa.int16(): "whole number",
    pa.int32(): "whole number",
    pa.int64(): "whole number",
    pa.float64(): "number",
    pa.list_(pa.float64()): "list of numbers",
    pa.bool_(): "true or false",
}
"""Arrow type → the word for it."""


def table_text() -> str:
    """Return all artifacts that are tables under the step or command that makes them, as Markdown.

    What another one makes too, with the same columns, is a line that leads there.
    """
    parts: list[str] = []
    known: list[Contract] = []
    for maker, tables in ARTIFACTS.items():
        parts.append(_maker_text(maker))
        again = []
        for name, contract in tables.items():
            if contract in known:
                again.append(f"- `{name}`: as {_link(contract)}.")
            else:
                parts.append(_artifact_text(name, contract, known))
                known.append(contract)
        if again:
            parts.append("\n".join(["With the columns of a table above:\n", *again]))
    return "\n\n".join(parts)


def reason_text() -> str:
    """Return why rows are set aside, as a table."""
    return "\n".join(["| reason | meaning |", "|---|---|", *(f"| {name} | {text} |" for name, text in REASONS.items())])


def _maker_text(maker: str) -> str:
    """Return the heading of a step, with the commands that make it, or of a command."""
    if maker not in {step.name for step in STEPS}:
        return f"## Command `{maker}`"
    made_by: list[str] = []
    for command, names in COMMANDS.items():
        makes = maker in {step.name for step in with_needs(names, STEPS)}
        if makes and command.split()[0] not in made_by:
            made_by.append(command)
    return f"## Step `{maker}`\n\nMade by {', '.join(f'`{command}`' for command in made_by)}."


def _artifact_text(name: str, contract: Contract, known: list[Contract]) -> str:
    """Return one artifact: what a row is, its key and columns; where most are those of a table above, the others."""
    key = ", ".join(f"`{column}`" for column in contract.key)
    row = f"A row is {contract.row}. " + (f"Key: {key}." if key else "Rows may stand twice.")
    columns = contract.columns
    for start in known:
        count = len(start.columns)
        if contract.columns[:count] == start.columns and 2 * count > len(contract.columns):
            row += f" It has the columns of {_link(start)}, and:"
            columns = contract.columns[count:]
    lines = [f"({_target(contract)})=", f"### `{name}`", "", row, "", "| column | type | meaning |", "|---|---|---|"]
    for column in columns:
        kind = TYPES[column.type] + (", may be missing" if column.nullable else "")
        meaning = column.meaning.replace("|", r"\|")
        lines.append(f"| `{column.name}` | {kind} | {meaning} |")
    return "\n".join(lines)


def _link(contract: Contract) -> str:
    return f"[{contract.name}](#{_target(contract)})"


def _target(contract: Contract) -> str:
    return f"table-{contract.name.replace('_', '-')}"
