"""The list of all families of features."""

from pipelines.features.registry import Family
from pipelines.features.temporal import Temporal


def families() -> tuple[Family, ...]:
    """Return a new instance of every family, in the order of their columns."""
    return (Temporal(),)
