"""Kinds of arrays, by what they hold."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
"""Numbers."""

Ints = NDArray[np.int64]
"""Counts, and places in other arrays."""

Flags = NDArray[np.bool_]
"""Truth values."""

Days = NDArray[np.int32]
"""Days: counted from 1970-01-01, or how many there are between two."""
