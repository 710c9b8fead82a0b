"""The engine that works on rows: its interface, and DuckDB as the default."""

from diffusion.engine.door import MEMORY_LIMIT, Engine, OpenEngine, interrupt_engines, memory_bytes, open_engine

__all__ = ["MEMORY_LIMIT", "Engine", "OpenEngine", "interrupt_engines", "memory_bytes", "open_engine"]
