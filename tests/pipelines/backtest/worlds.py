"""Small charts in which tracks spread by a rule, and their truth files."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from diffusion import market_names

MARKETS = ("SE", "US", "DK", "GB", "ES", "JP", "AR", "FR")
"""Markets in two groups, the first four and the others, which share no language or continent."""

GROUP = np.array([0, 0, 0, 0, 1, 1, 1, 1])

START = date(2019, 1, 3)
HORIZON = 28


def spread_charts(place: Path, *, seed: int, weeks: int = 36, debuts: int = 10) -> Path:
    """Write weekly charts of tracks that debut in one market and enter others of its group within four weeks.

    A track enters a market of its group half of the time, another one time in 50, and stays for two weeks.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for week in range(weeks):
        rows += [(f"old{code}", week, code, 1, f"old {code}") for code in MARKETS]
        for number in range(debuts):
            track = f"{week:03}x{number:03}"
            origin = int(rng.integers(len(MARKETS)))
            chance = np.where(GROUP[origin] == GROUP, 0.5, 0.02)
            enters = (rng.random(len(MARKETS)) < chance) & (np.arange(len(MARKETS)) != origin)
            later = np.where(enters, week + rng.integers(1, 5, len(MARKETS)), -1)
            later[origin] = week
            artist = f"artist {rng.integers(60)}"
            rows += [
                (track, start + stay, MARKETS[market], 2 + number, artist)
                for market, start in enumerate(later)
                for stay in range(2)
                if start >= 0 and start + stay < weeks
            ]
    frame = pd.DataFrame(rows, columns=["track_id", "week", "region", "rank", "artist"])
    ids = frame["track_id"].str.ljust(22, "0")
    names = market_names(MARKETS)
    table = pd.DataFrame(
        {
            "title": frame["track_id"],
            "rank": frame.groupby(["region", "week"])["rank"].rank("first").astype(int),
            "date": [(START + timedelta(weeks=int(week))).isoformat() for week in frame["week"]],
            "artist": frame["artist"],
            "url": "https://open.spotify.com/track/" + ids,
            "region": frame["region"].map(names),
            "chart": "viral50",
            "trend": "NEW_ENTRY",
            "streams": np.nan,
        }
    )
    table.to_parquet(place)
    return place


def truth_of(
    charts: Path, *, train_until: int, test_from: int, test_until: int, horizon: int = HORIZON
) -> pd.DataFrame:
    """Return the truth of tracks that debut in weeks 5 … `train_until` and `test_from` … `test_until`."""
    rows = pd.read_parquet(charts)
    rows["date"] = pd.to_datetime(rows["date"])
    rows["track_id"] = rows["url"].str[-22:]
    rows = rows[~rows["track_id"].str.startswith("old")]
    first = rows.groupby(["track_id", "region"])["date"].min().unstack()  # noqa: PD010
    debut = first.min(axis=1)
    days = first.sub(debut, axis=0).apply(lambda column: column.dt.days)
    long = days.melt(ignore_index=False, var_name="market", value_name="days").reset_index()
    long["debut"] = long["track_id"].map(debut)
    long["artist"] = long["track_id"].map(rows.groupby("track_id")["artist"].first())
    week = (long["debut"] - pd.Timestamp(START)).dt.days // 7
    long["part"] = np.select(
        [week <= train_until, (week >= test_from) & (week <= test_until)], ["train", "test"], "none"
    )
    long = long[(long["days"] != 0) & (week >= 5) & (long["part"] != "none")]
    long["entered"] = long["days"] <= horizon
    long["days"] = long["days"].where(long["entered"])
    columns = ["track_id", "market", "artist", "debut", "part", "entered", "days"]
    return long.sort_values(["debut", "track_id", "market"])[columns].reset_index(drop=True)


def dealt(truth: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return the truth with each track's entries, and their days, dealt at random among its candidates."""
    order = np.random.default_rng(seed).random(len(truth))
    shuffled = truth.assign(order=order).sort_values(["track_id", "order"])[["entered", "days"]].to_numpy()
    found = truth.sort_values("track_id", kind="stable")
    found[["entered", "days"]] = shuffled
    return found.astype({"entered": bool, "days": float}).sort_index()
