"""The contract of a table: its columns, their types and meaning, and its key."""

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, Arrow type, meaning with unit, and whether it may be null."""

    name: str
    type: pa.DataType
    meaning: str
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Contract:
    """One table: its name, what one row is, its columns in order, and the columns that identify a row.

    With an empty key, rows may repeat.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the table."""
        return pa.schema([pa.field(c.name, c.type, c.nullable) for c in self.columns])

    def pick(self, *names: str) -> tuple[Column, ...]:
        """Return the columns of these names, in the order given, to use them in another contract."""
        columns = {column.name: column for column in self.columns}
        return tuple(columns[name] for name in names)

    def conform(self, table: pa.Table) -> pa.Table:
        """Return `table` with exactly the contract's columns and types.

        Raises
        ------
        ValueError
            When a column is missing, cannot be cast without loss or has nulls it must not have, or when a key repeats.
        """
        missing = [name for name in self.names if name not in table.column_names]
        if missing:
            raise ValueError(f"table '{self.name}' lacks {', '.join(missing)}; it has {', '.join(table.column_names)}")
        table = table.select(self.names)
        for column in self.columns:
            if not column.nullable and table[column.name].null_count:
                raise ValueError(f"table '{self.name}' has nulls in '{column.name}', which must not be null")
        table = table.cast(self.schema)
        if self.key and table.group_by(list(self.key)).aggregate([]).num_rows != table.num_rows:
            raise ValueError(f"table '{self.name}' has a key ({', '.join(self.key)}) twice")
        return table
