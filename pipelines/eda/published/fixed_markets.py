"""Markets that can be compared over the whole time of the charts: always there, and as deep as the others."""

from typing import Final

import pandas as pd

from diffusion import Entries

LATE: Final = 28
"""Days by which a market may begin later, or end earlier, than the charts."""

WHOLE: Final = 0.9
"""Share of the dates and of the depth of the usual market that a market must have."""


def fixed_markets(entries: Entries) -> list[str]:
    """Return the codes of the markets that are there from the first month to the last, with nearly all dates and ranks.

    Charts that gain markets gain and lose much that no market did; among these, the number of markets is the same
    throughout. Groups of markets are left out.

    Examples
    --------
    >>> len(fixed_markets(entries))  # entries = diffusion.open_sample().entries()
    67
    """
    table = entries.calendar.by_market()
    first, last = (pd.Timestamp(day) for day in (entries.calendar.first_date, entries.calendar.last_date))
    late = pd.Timedelta(days=LATE)
    kept = (
        (table["first_date"] <= first + late)
        & (table["last_date"] >= last - late)
        & (table["dates"] >= WHOLE * table["dates"].max())
        & (table["depth_median"] >= WHOLE * table["depth_median"].median())
        & ~table["market"].isin(list(entries.groups))
    )
    return sorted(table.loc[kept, "market"])
