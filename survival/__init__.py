"""Survival: time until a track enters a market."""


__all__ = [
]
