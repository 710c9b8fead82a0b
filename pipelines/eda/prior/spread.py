"""How tracks spread under the definitions of the earlier study: a debut is a first date, whatever is missing before."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

WINDOW: Final = 60
"""Days after the debut within which a market counts as entered."""

FLOW_WINDOW: Final = 30
"""Days within which a flow counts."""

COLLABORATION: Final = r"feat\.|, | & | x "
"""Signs of several artists in a string of credits."""

AUDIO: Final = (
    "danceability", "energy", "key", "loudness", "mode", "speechiness", "acousticness", "instrumentalness", "liveness",
    "valence", "tempo", "time_signature",
)  # fmt: skip

COLLINEAR: Final = (
    "danceability", "energy", "tempo", "loudness", "valence", "liveness", "acousticness", "speechiness",
    "instrumentalness",
)  # fmt: skip
"""Features whose inflation of variance the earlier study gives."""


class Scope(StrEnum):
    """Markets that are looked at."""

    WHOLE = "A"
    """All markets of the Top 200."""
    MODELLED = "B"
    """Those without the seven markets that the models leave out."""


def spread_quantities(
    firsts: pd.DataFrame, viral: pd.DataFrame, tracks: pd.DataFrame, *, scope: Scope, markets: int
) -> dict[str, float]:
    """Return name → quantity of how tracks spread; names begin with the scope.

    Parameters
    ----------
    firsts
        One row per track and market of the Top 200: `track`, `market`, `entry` (first date), `rank` (on it), `dates`.
    viral
        The same of the Viral 50.
    tracks
        Tracks as `diffusion.contracts.TRACKS`, by code.
    scope
        Markets that these are of.
    markets
        Number of markets that a track is taken to be able to enter.
    """
    rows, table = entered(firsts), by_track(firsts)
    own = tracks.reindex(table.index)
    table = table.assign(
        viral=viral.groupby("track")["entry"].min().reindex(table.index),
        artist=own["artist"],
    )
    table["prior"] = _prior_tracks(table)
    found = {
        **_sizes(rows, table, markets),
        **_reach(table),
        **_lags(rows, table),
        **_ranks(rows, table),
        **_markets(rows),
        **_kinds(table),
        **_described(table, own),
        **_flows(rows),
    }
    return {f"{scope}.{name}": float(value) for name, value in found.items()}


def entered(firsts: pd.DataFrame) -> pd.DataFrame:
    """Return the first dates with `lag`: days after the track's debut."""
    debut = firsts.groupby("track")["entry"].transform("min")
    return firsts.assign(lag=(firsts["entry"] - debut).dt.days)


def by_track(firsts: pd.DataFrame) -> pd.DataFrame:
    """Return one row per track.

    `debut`, `size` (markets on day 0), `markets`, `extra` (entered within the window), `first_extra` (days to the first
    later market), `best` (rank on day 0).
    """
    rows = entered(firsts)
    groups = rows.groupby("track")
    later, day_0 = rows[rows["lag"] > 0], rows[rows["lag"] == 0]
    table = pd.DataFrame(
        {
            "debut": groups["entry"].min(),
            "size": day_0.groupby("track").size(),
            "markets": groups.size(),
            "extra": later[later["lag"] <= WINDOW].groupby("track").size(),
            "first_extra": later.groupby("track")["lag"].min(),
            "best": day_0.groupby("track")["rank"].min(),
        }
    )
    return table.assign(extra=table["extra"].fillna(0).astype(int))


def _prior_tracks(table: pd.DataFrame) -> "pd.Series[Any]":
    """Return the number of tracks of the same string of artists that debuted before; missing without artist."""
    place = table.groupby("artist")["debut"].rank(method="min")
    return place - 1


def _sizes(rows: pd.DataFrame, table: pd.DataFrame, markets: int) -> dict[str, float]:
    within = int(((rows["lag"] > 0) & (rows["lag"] <= WINDOW)).sum())
    day_0, later = int((rows["lag"] == 0).sum()), int((rows["lag"] > 0).sum())
    pairs = markets * len(table) - day_0
    single, moved = table["size"] == 1, table["first_extra"].notna()
    found = {
        "tracks": len(table),
        "entries": len(rows),
        "day_0": day_0,
        "day_0_per_track": day_0 / len(table),
        "later": later,
        "within": within,
        "within_share": _share(within, later),
        "pairs": pairs,
        "base_rate": _share(within, pairs),
        "negatives": (pairs - within) / within if within else np.nan,
        "spread_tracks": int((table["extra"] > 0).sum()),
        "spread_share": _share((table["extra"] > 0).sum(), len(table)),
        "single": int(single.sum()),
        "single_share": 100 * single.mean(),
        "multi": int((~single).sum()),
        "moved": int(moved.sum()),
        "moved_share": 100 * moved.mean(),
        "one_day": int((rows["dates"] == 1).sum()),
        "one_day_tracks": rows.loc[rows["dates"] == 1, "track"].nunique(),
        "one_day_share": 100 * (rows["dates"] == 1).mean(),
    }
    for name, own in (("single", single), ("multi", ~single)):
        found |= {f"moved.{name}": int(moved[own].sum()), f"moved_share.{name}": 100 * moved[own].mean()}
    sizes, extra = table["size"].value_counts(), table["extra"].value_counts()
    found |= {f"size.{k}": sizes.get(k, 0) for k in range(1, 11)} | {
        f"extra.{k}": extra.get(k, 0) for k in range(1, 11)
    }
    for year, of_year in table.groupby(table["debut"].dt.year):
        positives = int(of_year["extra"].sum())
        possible = markets * len(of_year) - int(of_year["size"].sum())
        found |= {
            f"tracks.{year}": len(of_year),
            f"within.{year}": positives,
            f"pairs.{year}": possible,
            f"base_rate.{year}": _share(positives, possible),
            f"spread_tracks.{year}": int((of_year["extra"] > 0).sum()),
            f"spread_share.{year}": 100 * (of_year["extra"] > 0).mean(),
        }
    return found


def _share(part: float, whole: float) -> float:
    return 100 * part / whole if whole else np.nan


def _reach(table: pd.DataFrame) -> dict[str, float]:
    reach = table["markets"]
    found = {f"reach.{name}": value for name, value in _described_by(reach).items()}
    found["one_market"] = int((reach == 1).sum())
    for low, high in ((1, 1), (2, 3), (4, 5), (6, 10), (11, 20), (21, 30), (31, 50), (51, 10_000)):
        found[f"reach_share.{low}-{high}"] = 100 * reach.between(low, high).mean()
    for least in (2, 3, 5, 7, 10, 15, 20):
        found[f"reach_least.{least}"] = 100 * (reach >= least).mean()
    found |= {f"reach_count.{least}": int((reach >= least).sum()) for least in (30, 50)}
    by_year = (reach >= 5).groupby(table["debut"].dt.year).mean()
    return found | {f"reach_least_5.{year}": 100 * value for year, value in by_year.items()}


def _described_by(values: "pd.Series[Any]") -> dict[str, float]:
    """Return mean, sd, quartiles, least and most."""
    found = values.astype("float64").describe()
    names = {"mean": "mean", "std": "sd", "min": "min", "25%": "q25", "50%": "q50", "75%": "q75", "max": "max"}
    return {ours: float(found[name]) for name, ours in names.items()} | {"n": float(found["count"])}


def _lags(rows: pd.DataFrame, table: pd.DataFrame) -> dict[str, float]:
    later = rows.loc[rows["lag"] > 0, "lag"]
    if later.empty:
        return {}
    found = {f"lag.{name}": value for name, value in _described_by(later).items()}
    found |= {f"lag60.{name}": value for name, value in _described_by(later[later <= WINDOW]).items()}
    for low, high in ((1, 7), (8, 30), (31, 90), (91, 180), (181, 365), (366, 730), (731, 100_000)):
        found[f"lag_share.{low}-{high}"] = 100 * later.between(low, high).mean()
    for name, own in (("single", table["size"] == 1), ("multi", table["size"] > 1)):
        first = table.loc[own, "first_extra"].dropna()
        for days in (1, 2, 3, 4, 5, 6, 7, 14, 21, 30):
            found[f"first_extra.{name}.{days}"] = 100 * (first <= days).mean()
    first = table["first_extra"].dropna()
    return found | {"first_extra.day_1": int((first == 1).sum()), "first_extra.day_1_share": 100 * (first == 1).mean()}


def _ranks(rows: pd.DataFrame, table: pd.DataFrame) -> dict[str, float]:
    rank = rows.loc[rows["lag"] == 0, "rank"]
    found = {f"rank_0.{name}": value for name, value in _described_by(rank).items()}
    found |= {"rank_0.top5": int((rank <= 5).sum()), "rank_0.top5_share": 100 * (rank <= 5).mean()}
    return found | _by_class(table, table["best"], ((1, 10), (11, 25), (26, 50), (51, 100), (101, 200)), "best")


def _by_class(
    table: pd.DataFrame, value: "pd.Series[Any]", classes: tuple[tuple[int, int], ...], name: str
) -> dict[str, float]:
    """Return by class of a value the share of tracks that spread within the window, and their number."""
    found = {}
    for low, high in classes:
        own = table.loc[value.between(low, high), "extra"]
        found[f"{name}.{low}-{high}"] = 100 * (own > 0).mean() if len(own) else np.nan
        found[f"{name}_n.{low}-{high}"] = len(own)
    return found


def _markets(rows: pd.DataFrame) -> dict[str, float]:
    """Return by market the debuts there, its entries, and the share that are debuts."""
    first = (rows["lag"] == 0).astype("float64").groupby(rows["market"])
    found = {f"origins.{market}": value for market, value in first.sum().items()}
    found |= {f"entries_of.{market}": value for market, value in first.size().items()}
    return found | {f"first_share.{market}": 100 * value for market, value in first.mean().items()}


def _kinds(table: pd.DataFrame) -> dict[str, float]:
    """Return spread by earlier tracks of the artists, and by whether the track was on a viral chart before."""
    found = _by_class(table, table["prior"], ((0, 0), (1, 5), (6, 20), (21, 100_000)), "prior")
    found["with_prior"] = int((table["prior"] > 0).sum())
    before = table["viral"].notna() & (table["viral"] <= table["debut"])
    for name, own in (("viral", before), ("not_viral", ~before)):
        found[f"{name}_share"] = 100 * (table.loc[own, "extra"] > 0).mean()
        found[f"{name}_n"] = int(own.sum())
    return found


def _described(table: pd.DataFrame, own: pd.DataFrame) -> dict[str, float]:
    """Return what goes with the fields of tracks: credits, explicit, release date, sound."""
    extra = table["extra"]
    together = own["artist"].str.contains(COLLABORATION, na=False)
    found: dict[str, float] = {"together": 100 * together.mean()}
    explicit = own["explicit"].astype("boolean")
    if explicit.notna().any():
        found["explicit"] = 100 * explicit.mean()
        for loud, many in ((0, 0), (0, 1), (1, 0), (1, 1)):
            chosen = (explicit == bool(loud)).fillna(value=False).astype(bool) & (together == bool(many))
            found[f"extra.explicit_{loud}_together_{many}"] = extra[chosen].mean()
    return found | _releases(table, own) | _sound(extra > 0, own)


def _releases(table: pd.DataFrame, own: pd.DataFrame) -> dict[str, float]:
    dated = (own["release_precision"] == "day").fillna(value=False).astype(bool)
    if not dated.any():
        return {}
    release = own.loc[dated, "release_date"]
    weekday, extra = (release.dt.dayofweek + 1) % 7, table.loc[dated, "extra"]
    age = (table.loc[dated, "debut"] - release).dt.days
    found: dict[str, float] = {"dated": int(dated.sum()), "fridays": int((weekday == 5).sum())}
    for number in range(7):
        found[f"weekday.{number}"] = 100 * (weekday == number).mean()
        found[f"weekday_extra.{number}"] = extra[weekday == number].mean()
    for low, high in ((0, 0), (1, 7), (8, 30), (31, 180), (181, 100_000)):
        found[f"age_extra.{low}-{high}"] = extra[age.between(low, high)].mean()
    return found | {f"age.{name}": value for name, value in _described_by(age).items()}


def _sound(spread: "pd.Series[bool]", own: pd.DataFrame) -> dict[str, float]:
    """Return correlations of audio features with spread, and their uncentred inflation of variance."""
    found = {}
    for name in AUDIO:
        values = own[f"af_{name}"].astype("float64")
        known = values.notna()
        if known.sum() > 2 and values[known].std() > 0 and spread[known].any() and not spread[known].all():
            found[f"sound.{name}"] = float(np.corrcoef(values[known], spread[known].astype(float))[0, 1])
    table = own[[f"af_{name}" for name in COLLINEAR]].astype("float64").dropna().to_numpy()
    if len(table) > len(COLLINEAR):
        found |= _inflation(table)
    return found


def _inflation(table: NDArray[np.float64]) -> dict[str, float]:
    squares = table.T @ table
    if np.linalg.matrix_rank(squares) < len(COLLINEAR):
        return {}
    inflation = np.diag(np.linalg.inv(squares)) * np.diag(squares)
    return {f"vif.{name}": float(value) for name, value in zip(COLLINEAR, inflation, strict=True)}


def _flows(rows: pd.DataFrame) -> Mapping[str, float]:
    """Return by pair the tracks that debut in one market and enter the other within 30 days after."""
    origins = rows.loc[rows["lag"] == 0, ["track", "market"]]
    targets = rows.loc[(rows["lag"] > 0) & (rows["lag"] <= FLOW_WINDOW), ["track", "market"]]
    both = origins.merge(targets, on="track", suffixes=("_from", "_to"))
    counts = both.groupby(["market_from", "market_to"]).size().reset_index(name="tracks")
    names = "flow." + counts["market_from"] + "-" + counts["market_to"]
    return dict(zip(names, counts["tracks"].tolist(), strict=True))
