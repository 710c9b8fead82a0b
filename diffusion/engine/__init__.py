"""The engine that works on rows: what relations need of one, and the one that is used."""

from diffusion.engine.door import MEMORY_LIMIT, Engine, OpenEngine, open_engine

__all__ = ["MEMORY_LIMIT", "Engine", "OpenEngine", "open_engine"]
