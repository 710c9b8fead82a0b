"""The map: land and markets in the Equal Earth projection, as the figures have it, in units that suit a page."""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from figures.maps.geography import equal_earth, globe, outlines

UNIT: Final = 1000
"""Units of the page per unit of the projection; the world is about 5,400 wide."""


def world() -> dict[str, str]:
    """Return the outline of the `land` and the edge of the `globe`, as SVG paths."""
    return {"land": "".join(_path(ring) for ring in outlines()), "globe": _path(globe())}


def _path(ring: NDArray[np.float64]) -> str:
    """Return a closed ring as an SVG path of whole units, each point relative to the one before."""
    points = np.rint(ring * [UNIT, -UNIT]).astype(int)
    steps = np.diff(points, axis=0)
    lines = " ".join(f"{x} {y}" for x, y in steps[steps.any(axis=1)])
    return f"M{points[0, 0]} {points[0, 1]}l{lines}z"


def placed(nodes: pd.DataFrame) -> list[dict[str, Any]]:
    """Return where each market is on the map.

    Parameters
    ----------
    nodes
        `latitude` and `longitude` (degrees), one row per market; others have no place.

    Returns
    -------
    list of dict
        `x`, `y`, `longitude`, and `half` (from the middle of the map to its edge, in the market's latitude); None where
        the position is not known.
    """
    latitude, longitude = (nodes[name].to_numpy(dtype=float, na_value=np.nan) for name in ("latitude", "longitude"))
    x, y = equal_earth(longitude, latitude)
    half = equal_earth(np.full(len(latitude), 180.0), latitude)[0]
    places = pd.DataFrame({"x": x * UNIT, "y": -y * UNIT, "longitude": longitude, "half": half * UNIT}).round(1)
    return [
        {str(name): value if known else None for name, value in row.items()}
        for row, known in zip(places.to_dict("records"), places.notna().all(axis=1), strict=True)
    ]
