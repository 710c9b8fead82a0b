"""Geometry of maps: outlines of countries, the Equal Earth projection, arcs, and places for labels."""

import json
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_A: Final = (1.340264, -0.081106, 0.000893, 0.003796)
_M: Final = np.sqrt(3) / 2


def equal_earth(longitude: Array, latitude: Array) -> tuple[Array, Array]:
    """Return x and y of positions in degrees, in the Equal Earth projection of a sphere of radius 1.

    References
    ----------
    Šavrič, Patterson & Jenny 2019, The Equal Earth map projection, doi 10.1080/13658816.2018.1504949.

    Examples
    --------
    >>> x, y = equal_earth(np.array([0.0, 180.0]), np.array([90.0, 0.0]))
    >>> [f"{value:.4f}" for value in (*x, *y)]
    ['0.0000', '2.7066', '1.3174', '0.0000']
    """
    theta = np.arcsin(_M * np.sin(np.radians(latitude)))
    square, sixth = theta**2, theta**6
    slope = _A[0] + 3 * _A[1] * square + sixth * (7 * _A[2] + 9 * _A[3] * square)
    x = np.radians(longitude) * np.cos(theta) / (_M * slope)
    y = theta * (_A[0] + _A[1] * square + sixth * (_A[2] + _A[3] * square))
    return x, y


@cache
def outlines() -> tuple[Array, ...]:
    """Return the projected outer ring of every piece of land, each of shape (points, 2).

    Examples
    --------
    >>> all(ring.shape[1] == 2 for ring in outlines())
    True
    """
    with resources.files("diffusion").joinpath("data", "countries.geojson").open(encoding="utf-8") as file:
        shapes = [feature["geometry"] for feature in json.load(file)["features"]]
    pieces = [
        piece
        for shape in shapes
        for piece in (shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]])
    ]
    rings = [np.asarray(piece[0], dtype=float) for piece in pieces]
    return tuple(np.column_stack(equal_earth(ring[:, 0], ring[:, 1])) for ring in rings)


def globe() -> Array:
    """Return the projected edge of the world map, of shape (points, 2): the meridians at 180° east and 180° west.

    Examples
    --------
    >>> globe().shape
    (362, 2)
    """
    up = np.linspace(-90.0, 90.0, 181)
    x, y = equal_earth(np.repeat([180.0, -180.0], 181), np.concatenate([up, up[::-1]]))
    return np.column_stack([x, y])


def way(start: Array, end: Array, *, bend: float) -> list[Array]:
    """Return the projected arc between two positions, the shorter way round the world.

    The arc bends to the right of its direction. An arc that does not cross the meridian of 180° is a curve on the map.
    One that crosses it is a curve in longitude and latitude, and has two pieces: up to the edge of the map, and from
    the same latitude at the other edge.

    Parameters
    ----------
    start, end
        Longitude and latitude in degrees.
    bend
        Distance of the control point from the chord, as a share of the chord.

    Returns
    -------
    list of array
        One or two pieces of shape (points, 2), in order.

    Examples
    --------
    >>> tokyo, denver = np.array([139.7, 35.7]), np.array([-105.0, 39.7])
    >>> east, west = way(tokyo, denver, bend=0.2)
    >>> bool(east[-1, 0] > 2 and west[0, 0] == -east[-1, 0])
    True
    """
    turn = np.array([360.0 * (int(start[0] - end[0] > 180) - int(end[0] - start[0] > 180)), 0.0])
    if not turn.any():
        ends = np.column_stack(equal_earth(np.array([start[0], end[0]]), np.array([start[1], end[1]])))
        return [arc(ends[0], ends[1], bend)]
    points = arc(start, end + turn, bend)
    ahead = np.maximum.accumulate(np.sign(turn[0]) * points[:, 0])
    crossing = np.array([np.sign(turn[0]) * 180.0, np.interp(180.0, ahead, points[:, 1])])
    near = np.vstack([points[ahead <= 180], crossing])
    far = np.vstack([crossing, points[ahead >= 180]]) - turn
    return [np.column_stack(equal_earth(piece[:, 0], np.clip(piece[:, 1], -85, 85))) for piece in (near, far)]


def arc(start: Array, end: Array, bend: float) -> Array:
    """Return 97 points of a quadratic Bézier curve that bends to the right of its direction; see `way`.

    Examples
    --------
    >>> arc(np.array([0.0, 0.0]), np.array([1.0, 0.0]), 0.2)[48].round(2).tolist()
    [0.5, -0.1]
    """
    dx, dy = end - start
    control = (start + end) / 2 + bend * np.array([dy, -dx])
    t = np.linspace(0, 1, 97)[:, None]
    points: Array = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
    return points


def label_places(
    dots: Array, radii: Array, sizes: Array, wanted: Sequence[int], *, frame: tuple[float, float, float, float]
) -> dict[int, tuple[int, float, float]]:
    """Return places for the labels of some dots where they cover no dot, no other label and not the frame.

    Dots are labelled in the order of `wanted`. A dot gets its first label that fits, at the first free place out of
    eight around it; without a free place it gets no label.

    Parameters
    ----------
    dots, radii
        Centre (n, 2) and radius (n,) of all dots, in points.
    sizes
        (labels, n, 2): width and height of the possible labels of each dot, the preferred first, in points.
    wanted
        Numbers of the dots to label, the most important first.
    frame
        Left, bottom, right and top, in points.

    Returns
    -------
    dict
        Number of a dot → number of its label, left and bottom of the label in points.

    Examples
    --------
    >>> dots = np.array([[50.0, 50.0], [60.0, 50.0]])
    >>> sizes = np.array([[[20.0, 8.0], [20.0, 8.0]]])
    >>> label_places(dots, np.array([2.0, 2.0]), sizes, [0, 1], frame=(0, 0, 100, 100))
    {0: (0, 27.0, 46.0), 1: (0, 63.0, 46.0)}
    """
    taken = np.hstack([dots - radii[:, None], dots + radii[:, None]])
    placed: dict[int, tuple[int, float, float]] = {}
    for dot in wanted:
        boxes = np.vstack([_around(dots[dot], radii[dot], size) for size in sizes[:, dot]])
        free = [place for place, box in enumerate(boxes) if _inside(box, frame) and not _overlaps(box, taken).any()]
        if free:
            box = boxes[free[0]]
            placed[dot] = (free[0] // 8, float(box[0]), float(box[1]))
            taken = np.vstack([taken, box])
    return placed


def _around(dot: Array, radius: float, size: Array) -> Array:
    """Return eight boxes (left, bottom, right, top) around a dot, the most readable first."""
    gap, slant = radius + 1, 0.75 * radius + 0.5
    width, height = size
    lower_left = [
        (gap, -height / 2),
        (-gap - width, -height / 2),
        (-width / 2, gap),
        (-width / 2, -gap - height),
        (slant, slant),
        (slant, -slant - height),
        (-slant - width, slant),
        (-slant - width, -slant - height),
    ]
    corners = dot + np.asarray(lower_left)
    return np.hstack([corners, corners + size])


def _inside(box: Array, frame: tuple[float, float, float, float]) -> bool:
    return bool(box[0] >= frame[0] and box[1] >= frame[1] and box[2] <= frame[2] and box[3] <= frame[3])


def _overlaps(box: Array, others: Array) -> NDArray[np.bool_]:
    overlaps: NDArray[np.bool_] = (
        (box[0] < others[:, 2]) & (box[2] > others[:, 0]) & (box[1] < others[:, 3]) & (box[3] > others[:, 1])
    )
    return overlaps
