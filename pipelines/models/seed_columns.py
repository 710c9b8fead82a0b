"""The columns of the seed baseline: ten numbers of the track, and chart, explicit and continent as categories."""

from dataclasses import dataclass
from typing import Final

import pandas as pd
import pyarrow as pa

from diffusion.markets import reference_table
from pipelines.features.history import History
from pipelines.models.targets import ChartRows

AUDIO: Final = (
    "af_danceability",
    "af_energy",
    "af_valence",
    "af_tempo",
    "af_loudness",
    "af_acousticness",
    "af_speechiness",
    "af_instrumentalness",
    "af_liveness",
    "popularity",
)
"""The ten numbers: nine audio features and the popularity, which is of the day on which the source was made."""

CATEGORIES: Final = ("chart", "explicit", "continent")
"""The three categories."""

UNKNOWN: Final = "unknown"
"""Category of a value that the source does not have."""


@dataclass(frozen=True, slots=True)
class SeedColumns:
    """The columns of the seed baseline for some rows.

    Attributes
    ----------
    frame
        One row per chart row; numbers are NaN and categories None where missing.
    left_out
        Column → why it is left out.
    """

    frame: pd.DataFrame
    left_out: dict[str, str]

    @classmethod
    def of(cls, history: History, described: pa.Table, rows: ChartRows) -> "SeedColumns":
        """Return the columns of the chart rows that say something.

        Parameters
        ----------
        described
            Tracks with their audio features, as `diffusion.contracts.TRACKS`.
        """
        tracks = described.select(["track_id", "explicit", *AUDIO]).to_pandas().set_index("track_id")
        here = tracks.loc[history.tracks["track_id"].to_numpy()[rows.track]].reset_index(drop=True)
        continents = reference_table().set_index("market")["continent"].reindex([*history.markets])
        explicit = here["explicit"].map({True: "true", False: "false"})
        frame = here[[*AUDIO]].astype("float64").assign(
            chart=history.rules.chart,
            explicit=explicit.astype(object).where(explicit.notna(), None),
            continent=continents.to_numpy(object)[rows.market],
        )  # fmt: skip
        frame["continent"] = frame["continent"].where(frame["continent"].notna(), None)
        left_out = {name: _why(frame[name]) for name in frame if frame[name].nunique() < 2}
        return cls(frame.drop(columns=[*left_out]), left_out)

    def complete(self) -> "pd.Series[bool]":
        """Return the rows without a missing value: the prior study keeps only these."""
        return self.frame.notna().all(axis=1)

    def filled(self) -> pd.DataFrame:
        """Return the frame with missing categories named."""
        names = [name for name in CATEGORIES if name in self.frame]
        return self.frame.assign(**{name: self.frame[name].fillna(UNKNOWN) for name in names})


def _why(column: "pd.Series[float]") -> str:
    return f"always '{column.dropna().iloc[0]}'" if column.notna().any() else "not in the source"
