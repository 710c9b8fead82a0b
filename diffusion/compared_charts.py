"""Charts of some dates held against each other: tracks that markets share and keep, and places of local artists."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from diffusion.display import Displayed
from diffusion.engine import Engine
from diffusion.timelines import distinct, primary_artists


@dataclass(frozen=True, slots=True, repr=False)
class ComparedCharts(Displayed):
    """What is counted over the charts of some markets and dates, without their rows; made by `Charts.compared`.

    Attributes
    ----------
    shared
        One row per date and pair of markets; columns as in `diffusion.contracts.SHARED_TRACKS`.
    stayed
        One row per market and date; columns as in `diffusion.contracts.STAYED_TRACKS`.
    local
        One row per market and date; columns as in `diffusion.contracts.LOCAL_PLACES`.
    """

    shared: pa.Table
    stayed: pa.Table
    local: pa.Table

    def _facts(self) -> str:
        return f": {self.shared.num_rows:,} pairs of markets with tracks in common on a date"

    @classmethod
    def of(cls, engine: Engine, *, recent: int) -> "ComparedCharts":
        """Return what is counted over `compared_rows` and `track_artists`, which the engine holds.

        Parameters
        ----------
        engine
            Engine with the rows and the artists.
        recent
            Number of dates over which it is counted where an artist stands, the chart's own included.
        """
        return cls(
            engine.fetch("shared_tracks"),
            engine.fetch("stayed_tracks"),
            engine.fetch("local_places", before=recent - 1),
        )


def in_turn(charts: pa.Table) -> pa.Table:
    """Return `market`, `date` and `turn` of charts: the number of the date among all their dates, from 1."""
    _, turn = np.unique(charts["date"].cast(pa.int32()).to_numpy(), return_inverse=True)
    return charts.select(["market", "date"]).append_column("turn", pa.array(turn + 1, pa.int32()))


def track_artists(tracks: pa.Table) -> pa.Table:
    """Return `track` and `artist`: each track's code, and the number of its primary artist.

    Parameters
    ----------
    tracks
        `track`, `track_id`, `artist`.
    """
    names = primary_artists(tracks["track_id"].to_numpy(zero_copy_only=False), tracks)
    return pa.table({"track": tracks["track"], "artist": pa.array(distinct(names), pa.int32())})
