"""When tracks are at risk of entering markets, and whether they enter: from a debut on, or from an entry elsewhere."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from diffusion.arrays import Days, Flags, Ints
from diffusion.risk.follow_up import UNSEEN, End, Ends, FollowUp
from diffusion.timelines import Timelines, expanded


@dataclass(frozen=True, slots=True)
class RiskSet:
    """When k tracks are at risk of entering m markets, by a clock that starts on one day of each track.

    A track is at risk on day t after its clock has started when ``start < t ≤ days``.

    Attributes
    ----------
    start
        (k, m): days from the start of the clock to the last day before the track is at risk.
    days
        (k, m): days from the start of the clock to the entry, or to the end of follow-up; `UNSEEN` where the track is
        never at risk.
    end
        (k, m): why it ends, or why the track is never at risk, as `End` numbers reasons.
    event_row, event_market, event_entry
        (e,): the events: row of the track, market, and number of the entry in `Timelines`. An event lies after
        `Timelines.last_without` and not after `Timelines.day` of that number.
    """

    start: Days
    days: Days
    end: Ends
    event_row: Ints
    event_market: Ints
    event_entry: Ints

    @property
    def entered(self) -> Flags:
        """(k, m): whether it ends with the entry."""
        flags: Flags = self.end == End.ENTERED
        return flags


@dataclass(frozen=True, slots=True)
class OwnEntries:
    """Entries (e,) of the tracks that a risk set is of: row of the track there, market, and number in `Timelines`."""

    row: Ints
    market: Ints
    entry: Ints

    @classmethod
    def of(cls, timelines: Timelines, tracks: NDArray[np.integer]) -> Self:
        """Return all entries of tracks, (k,)."""
        entry, sizes = expanded(timelines.starts[tracks], timelines.starts[tracks + 1])
        return cls(np.repeat(np.arange(len(tracks)), sizes), timelines.market[entry].astype(np.int64), entry)


def risk_set(
    timelines: Timelines,
    follow_up: FollowUp,
    clock: Days,
    own: OwnEntries,
    there: Days,
    withheld: tuple[NDArray[np.integer], NDArray[np.integer]] | None = None,
) -> RiskSet:
    """Return when tracks are at risk: follow-up as if none ever entered, corrected where they did or have no licence.

    Parameters
    ----------
    clock
        (k,): day on which each track's clock starts.
    own
        The tracks' entries into the markets of `follow_up`, (e,).
    there
        (e,): first day on which the track has entered, or may have.
    withheld
        Rows and markets without a licence.
    """
    row = follow_up.row(clock)
    start, days, end = follow_up.start[row], follow_up.days[row], follow_up.end[row]
    if withheld is not None:
        days[withheld], end[withheld] = UNSEEN, End.WITHHELD
    cells, clock = (own.row, own.market), clock[own.row]
    at_risk = days[cells] != UNSEEN
    early = at_risk & (there <= clock + start[cells])
    lag = timelines.day[own.entry] - clock
    went = at_risk & ~early & (lag <= days[cells])
    undated = at_risk & ~early & (end[cells] == End.GAP) & timelines.left_censored[own.entry]
    for those, reason in ((undated, End.GAP_BEFORE_ENTRY), (early, End.THERE), (went, End.ENTERED)):
        end[own.row[those], own.market[those]] = reason
    days[own.row[early], own.market[early]] = UNSEEN
    days[own.row[went], own.market[went]] = lag[went]
    return RiskSet(start, days, end, own.row[went], own.market[went], own.entry[went])


def wait_risk(
    timelines: Timelines, follow_up: FollowUp, tracks: NDArray[np.integer], withheld: csr_array | None = None
) -> RiskSet:
    """Return when tracks are at risk of entering every market, from their debut on.

    Parameters
    ----------
    follow_up
        As `FollowUp.of_waits` returns it.
    tracks
        (k,) numbers of tracks with a timed debut.
    withheld
        As `withheld_markets` returns it.
    """
    own = OwnEntries.of(timelines, tracks)
    unlicensed = None if withheld is None else withheld[tracks].nonzero()
    return risk_set(timelines, follow_up, timelines.debut[tracks], own, timelines.day[own.entry], unlicensed)


def exposure_risk(timelines: Timelines, follow_up: FollowUp, entries: NDArray[np.integer]) -> RiskSet:
    """Return when tracks are at risk of entering every market, from an entry of theirs elsewhere on.

    Where a track was first seen in a new washout, after a long gap, follow-up ends at the gap, as it does for tracks
    that were not seen there: to leave it out would lose entries that the gap hides but none of the tracks that stayed
    away, and rates would be too high. Licences do not matter here.

    Parameters
    ----------
    follow_up
        As `FollowUp.of_exposures` returns it.
    entries
        (k,) numbers of timed entries.
    """
    own = OwnEntries.of(timelines, timelines.track[entries])
    return risk_set(timelines, follow_up, timelines.day[entries], own, first_unordered(timelines, own.entry))


def first_unordered(timelines: Timelines, entries: NDArray[np.integer]) -> Days:
    """Return, (k,), the first day on which an entry elsewhere can no longer be ordered before each of these entries.

    Of a left-censored entry it is known when the track was not there, too: on the market's last observed day before.
    """
    days: Days = np.minimum(timelines.last_without[entries] + 1, timelines.day[entries])
    return days


def withheld_markets(timelines: Timelines, table: pa.Table) -> csr_array:
    """Return where tracks are known to have no licence, (n, m).

    Parameters
    ----------
    table
        As `diffusion.contracts.WITHHELD`; rows of unknown tracks and markets do not count.
    """
    shape = (len(timelines.track_ids), len(timelines.markets))
    places = [
        pc.fill_null(pc.index_in(table[name], pa.array(known, pa.string())), -1).to_numpy()
        for name, known in (("track_id", timelines.track_ids), ("market", timelines.markets))
    ]
    known = (places[0] >= 0) & (places[1] >= 0)
    track, market = (place[known] for place in places)
    return csr_array(coo_array((np.ones(len(track), np.bool_), (track, market)), shape=shape))
