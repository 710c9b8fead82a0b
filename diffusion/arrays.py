"""Types of arrays, named by what they hold."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
"""Real numbers."""

Ints = NDArray[np.int64]
"""Counts, and indices into other arrays."""

Flags = NDArray[np.bool_]
"""Truth values."""

Days = NDArray[np.int32]
"""Days since 1970-01-01, or numbers of days."""
