"""When tracks are at risk of entering markets, after a debut or after an entry elsewhere, and whether they enter."""

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
    """Time at risk of k tracks in m markets, on a clock that starts on one day per track.

    A track is at risk on day t after the start of its clock when ``start < t ≤ days``.

    Attributes
    ----------
    start
        (k, m): days from the start of the clock to the last day before the track is at risk.
    days
        (k, m): days from the start of the clock to the entry, or to the end of follow-up; `UNSEEN` where the track is
        never at risk.
    end
        (k, m): number of the reason in `End` why it ends, or why the track is never at risk.
    event_row, event_market, event_entry
        (e,): the events: row of the track, market, and index of the entry in `Timelines`. The true date of an event is
        after `Timelines.last_without` and at most `Timelines.day` of that index.
    """

    start: Days
    days: Days
    end: Ends
    event_row: Ints
    event_market: Ints
    event_entry: Ints

    @property
    def entered(self) -> Flags:
        """(k, m): whether the time at risk ends with the entry."""
        flags: Flags = self.end == End.ENTERED
        return flags


@dataclass(frozen=True, slots=True)
class OwnEntries:
    """All entries (e,) of the tracks of a risk set: row of the track, market, and index of the entry in `Timelines`."""

    row: Ints
    market: Ints
    entry: Ints

    @classmethod
    def of(cls, timelines: Timelines, tracks: NDArray[np.integer]) -> Self:
        """Return all entries of the k tracks."""
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
    """Return when tracks are at risk: `follow_up`, corrected where a track enters or has no licence.

    Parameters
    ----------
    clock
        (k,): day on which each track's clock starts.
    own
        (e,): the tracks' entries into the markets of `follow_up`.
    there
        (e,): first day on which the track has entered that market, or may have.
    withheld
        Rows and markets of tracks without a licence (default: none).
    """
    row = follow_up.row(clock)
    start, days, end = follow_up.start[row], follow_up.days[row], follow_up.end[row]
    if withheld is not None:
        days[withheld], end[withheld] = UNSEEN, End.WITHHELD
    cells, lag = (own.row, own.market), timelines.day[own.entry] - clock[own.row]
    early, went = fates(there - clock[own.row], lag, start[cells], days[cells])
    undated = (days[cells] != UNSEEN) & ~early & (end[cells] == End.GAP) & timelines.left_censored[own.entry]
    for those, reason in ((undated, End.GAP_BEFORE_ENTRY), (early, End.THERE), (went, End.ENTERED)):
        end[own.row[those], own.market[those]] = reason
    days[own.row[early], own.market[early]] = UNSEEN
    days[own.row[went], own.market[went]] = lag[went]
    return RiskSet(start, days, end, own.row[went], own.market[went], own.entry[went])


def fates(
    there: NDArray[np.integer], lag: NDArray[np.integer], start: NDArray[np.integer], days: NDArray[np.integer]
) -> tuple[Flags, Flags]:
    """Return, (e,), which entries come before the time at risk, so that there is none, and which ones end it.

    Parameters
    ----------
    there
        Days from the start of the clock to the first day on which the track has entered, or may have.
    lag
        Days from the start of the clock to the entry.
    start, days
        Follow-up of a track that never enters, as in `FollowUp`.
    """
    at_risk = days != UNSEEN
    early = at_risk & (there <= start)
    return early, at_risk & ~early & (lag <= days)


def wait_risk(
    timelines: Timelines, follow_up: FollowUp, tracks: NDArray[np.integer], withheld: csr_array | None = None
) -> RiskSet:
    """Return when tracks are at risk of entering each market, after their debut.

    Parameters
    ----------
    follow_up
        Result of `FollowUp.of_waits`.
    tracks
        (k,): indices of tracks with a timed debut.
    withheld
        Result of `withheld_markets` (default: all tracks are licensed everywhere).
    """
    own = OwnEntries.of(timelines, tracks)
    unlicensed = None if withheld is None else withheld[tracks].nonzero()
    return risk_set(timelines, follow_up, timelines.debut[tracks], own, timelines.day[own.entry], unlicensed)


def exposure_risk(timelines: Timelines, follow_up: FollowUp, entries: NDArray[np.integer]) -> RiskSet:
    """Return when tracks are at risk of entering each market, after an entry elsewhere.

    When a track is first seen in a new washout after a long gap, its follow-up ends at the gap, as for tracks that were
    never seen there. Leaving such tracks out would make rates too high: it would remove tracks that entered in the gap,
    but none of those that did not. Licences are ignored.

    Parameters
    ----------
    follow_up
        Result of `FollowUp.of_exposures`.
    entries
        (k,): indices of timed entries in `Timelines`.
    """
    own = OwnEntries.of(timelines, timelines.track[entries])
    return risk_set(timelines, follow_up, timelines.day[entries], own, first_unordered(timelines, own.entry))


def first_unordered(timelines: Timelines, entries: NDArray[np.integer]) -> Days:
    """Return, (k,), the first day on which an entry elsewhere can no longer be ordered before this entry.

    This holds for left-censored entries too: the track was absent on the market's last observed day before.
    """
    days: Days = np.minimum(timelines.last_without[entries] + 1, timelines.day[entries])
    return days


def withheld_markets(timelines: Timelines, table: pa.Table) -> csr_array:
    """Return, (n, m), where tracks are known to have no licence.

    Parameters
    ----------
    table
        Columns as in `diffusion.contracts.WITHHELD`; rows of unknown tracks and markets are ignored.
    """
    shape = (len(timelines.track_ids), len(timelines.markets))
    places = [
        pc.fill_null(pc.index_in(table[name], pa.array(known, pa.string())), -1).to_numpy()
        for name, known in (("track_id", timelines.track_ids), ("market", timelines.markets))
    ]
    known = (places[0] >= 0) & (places[1] >= 0)
    track, market = (place[known] for place in places)
    return csr_array(coo_array((np.ones(len(track), np.bool_), (track, market)), shape=shape))
