"""What the figures of a study are of: a line below each with the charts, their period and how much they hold."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_LINE: ContextVar[str] = ContextVar("line", default="")


@contextmanager
def about(
    chart: str, first: object, last: object, *, markets: int | None = None, tracks: int | None = None, every: str = ""
) -> Iterator[None]:
    """Return a context in which the last note of every figure names the charts, their period, and their size.

    A study draws all its figures in one, because tables of results do not hold what they were made of.

    Parameters
    ----------
    chart
        Name of the charts, such as ``top200``.
    first, last
        First and last date of the charts.
    markets, tracks
        Numbers of them (default: not said).
    every
        Time from one chart to the next, such as ``week`` (default: not said).

    Examples
    --------
    >>> import pandas as pd
    >>> from figures import lag_distribution
    >>> with about("top50", "2021-04-01", "2021-07-07", markets=67, every="day"):
    ...     figure = lag_distribution(pd.DataFrame({"days": [7], "transitions": [3]}), joint=0, window=56)
    >>> figure.texts[-1].get_text()
    'Charts: top50, one every day, 2021-04-01 to 2021-07-07; 67 markets.'
    """
    size = ", ".join(
        f"{count:,} {noun}{'' if count == 1 else 's'}"
        for count, noun in ((markets, "market"), (tracks, "track"))
        if count is not None
    )
    cadence = f", one every {every}" if every else ""
    token = _LINE.set(f"Charts: {chart}{cadence}, {first} to {last}{'; ' if size else ''}{size}.")
    try:
        yield
    finally:
        _LINE.reset(token)


def scope_notes() -> list[str]:
    """Return the note on the charts, or none outside of `about`."""
    return [_LINE.get()] if _LINE.get() else []
