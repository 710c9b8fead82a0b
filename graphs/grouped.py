"""A market graph for each group of tracks."""

from diffusion import DataSaysNoError, Entries
from diffusion.groups import By, ByGroup
from graphs.market_graph import MarketGraph, market_graph


def market_graphs(entries: Entries, *, by: By, window: int | None = None) -> ByGroup[MarketGraph]:
    """Return the graph of each group of tracks, on one calendar, so that graphs can be held against each other.

    Parameters
    ----------
    by
        Groups of tracks, as `Entries.split` takes them.
    window
        As in `market_graph`.

    Returns
    -------
    ByGroup
        Group → graph; `not_grouped` is the number of tracks in no group, `not_made` says which groups have too few
        tracks for a graph, and why.

    Raises
    ------
    SettingError
        When `by` cannot be read, or groups something else than tracks.
    DataSaysNoError
        When no group makes a transition.

    Examples
    --------
    >>> graphs.market_graphs(entries, by=lambda tracks: tracks["debut"].dt.month_name())
    <ByGroup groups: April, June, May; 0 tracks not grouped; not made: March>
    """
    parts = entries.split(by)
    made: dict[str, MarketGraph] = {}
    not_made = dict(parts.not_made)
    for name, own in parts.items():
        try:
            made[name] = market_graph(own, window=window)
        except DataSaysNoError as error:
            not_made[name] = str(error)
    if not made:
        raise DataSaysNoError(f"no group of '{parts.name}' makes a graph: {next(iter(not_made.values()))}")
    return ByGroup(made, parts.name, parts.not_grouped, not_made)
