"""Which markets a track may enter on a date: coverage, washout, gaps and licences."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csr_array

from diffusion.arrays import Days, Flags
from diffusion.entries import Entries
from diffusion.risk.follow_up import FollowUp
from diffusion.risk.risk_set import withheld_markets
from diffusion.timelines import NEVER

Since = NDArray[np.int16]

LONGEST_SINCE: Final = 32_767
"""Days since the previous chart of a market that had none before, and of one whose gap is longer."""


@dataclass(frozen=True, slots=True)
class Availability:
    """Which of m markets are open to a track on a date.

    Attributes
    ----------
    follow_up
        When coverage lets a track be followed, by the day of its debut.
    debut
        (n,): day of every track's debut.
    first
        Day (from 1970-01-01) of the first row of `charts`.
    charts
        (d, m): days since the market's previous chart on every day with a chart, 0 on the others.
    withheld
        (n, m): where tracks have no licence; none where nothing is withheld.
    """

    follow_up: FollowUp
    debut: Days
    first: int
    charts: Since
    withheld: csr_array | None

    @classmethod
    def of(cls, entries: Entries, *, horizon: int) -> Self:
        """Return the availability of the markets of entries, up to `horizon` days after a debut.

        Raises
        ------
        SettingError
            When the horizon is not between 1 and 36,500 days.
        """
        lines = entries.timelines
        unlicensed = withheld_markets(lines, entries.withheld) if entries.withheld.num_rows else None
        first, charts = _charts(entries)
        return cls(FollowUp.of_waits(lines, horizon), lines.debut, first, charts, unlicensed)

    def since(self, tracks: NDArray[np.integer], day: Days, entered: Flags) -> Since:
        """Return days since the previous chart of every market that tracks (k,) may enter on days (k,).

        Parameters
        ----------
        entered
            (k, m): whether the track had entered before that day.

        Returns
        -------
        array
            (k, m): days, 0 where the track is not at risk.
        """
        row, age = self.follow_up.row(self.debut[tracks]), (day - self.debut[tracks])[:, None]
        open_ = (self.follow_up.start[row] < age) & (age <= self.follow_up.days[row]) & ~entered
        if self.withheld is not None:
            open_ &= ~self.withheld[tracks].toarray()
        since: Since = np.where(open_, self.charts[day - self.first], 0)
        return since


def _charts(entries: Entries) -> tuple[int, Since]:
    """Return the first day of coverage, and for every day from then on and market the days since its previous chart."""
    coverage = entries.calendar.coverage
    market = pc.index_in(coverage["market"], pa.array(entries.calendar.markets, pa.string())).to_numpy()
    day = coverage["date"].cast(pa.int32()).to_numpy()
    previous = pc.fill_null(coverage["previous"].cast(pa.int32()), int(NEVER)).to_numpy()
    first = int(day.min())
    charts = np.zeros((int(day.max()) - first + 1, len(entries.calendar.markets)), np.int16)
    charts[day - first, market] = np.minimum(day.astype(np.int64) - previous, LONGEST_SINCE)
    return first, charts
