"""The engine that works on rows: its interface, and DuckDB as the default; and the SQL of users over views."""

from diffusion.engine.door import (
    ENGINES,
    MEMORY_LIMIT,
    Engine,
    OpenEngine,
    engines,
    memory_bytes,
    open_engine,
    workers,
)
from diffusion.engine.interruption import interrupt_engines
from diffusion.engine.parts import Parts, Tables, Work, Workers
from diffusion.engine.remote import OWN, PARTS, RemoteFiles
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
    "ENGINES",
    "MEMORY_LIMIT",
    "OWN",
    "PARTS",
    "SQL_TYPES",
    "Engine",
    "OpenEngine",
    "Parts",
    "RemoteFiles",
    "Tables",
    "View",
    "Work",
    "Workers",
    "engines",
    "interrupt_engines",
    "memory_bytes",
    "open_engine",
    "quoted_name",
    "quoted_text",
    "select_rows",
    "unknown_table",
    "view_statement",
    "workers",
]
