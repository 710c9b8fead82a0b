"""The engine that works on rows: its interface, and DuckDB as the default; and the SQL of users over views."""

from diffusion.engine.door import MEMORY_LIMIT, Engine, OpenEngine, interrupt_engines, memory_bytes, open_engine
from diffusion.engine.user_sql import (
    SQL_TYPES,
    View,
    quoted_name,
    quoted_text,
    select_rows,
    unknown_table,
    view_statement,
)

__all__ = [
    "MEMORY_LIMIT",
    "SQL_TYPES",
    "Engine",
    "OpenEngine",
    "View",
    "interrupt_engines",
    "memory_bytes",
    "open_engine",
    "quoted_name",
    "quoted_text",
    "select_rows",
    "unknown_table",
    "view_statement",
]
