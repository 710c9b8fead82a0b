"""Quantities of charts under the definitions of the earlier study: counts of rows, markets, streams and artists."""

from importlib import resources
from typing import Final

import numpy as np
import pandas as pd

from diffusion import Charts
from diffusion.contracts.star import AGGREGATE
from pipelines.eda.prior.spread import Scope, spread_quantities

Quantities = dict[str, float]
"""Name of a quantity → its value; a share is in per cent."""

LEFT_OUT: Final = ("KR", "RU", "UA", "LU", "EG", "MA", "SA")
"""Markets that the earlier study's models leave out: their Top 200 is missing on more than half of all dates. The
query `viral_on_day` leaves out the same."""

MAIN, VIRAL = "top200", "viral50"


QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99_9": 0.999}
"""Name → share of the rows below a quantile of streams."""


def quantities(charts: Charts) -> Quantities:
    """Return all quantities that these charts give; those that need a chart or column they lack are left out."""
    found = _rows(charts) | _nulls(charts)
    if MAIN not in set(charts.present["chart"]):
        return found
    found |= _streams(charts) | _artists(charts)
    firsts = fetched(charts, "first_dates")
    tracks = charts.tracks().set_index("track")
    main, viral = (firsts[firsts["chart"] == chart].drop(columns="chart") for chart in (MAIN, VIRAL))
    regions = firsts["market"].nunique()
    found["viral_tracks"] = viral["track"].nunique()
    for name, left_out in ((Scope.WHOLE, ()), (Scope.MODELLED, LEFT_OUT)):
        own = main[~main["market"].isin(left_out)]
        if len(own):
            seen = viral[~viral["market"].isin(left_out)]
            found |= spread_quantities(own, seen, tracks, scope=name, markets=regions - len(left_out))
    if "B.tracks" in found:
        on_day = len(fetched(charts, "viral_on_day"))
        found |= {"B.viral_on_day": on_day, "B.viral_on_day_share": 100 * on_day / found["B.tracks"]}
    return {name: float(value) for name, value in found.items() if np.isfinite(value)}


def fetched(charts: Charts, name: str) -> pd.DataFrame:
    """Return the rows of one of the queries beside this module."""
    text = resources.files("pipelines.eda.prior").joinpath(f"{name}.sql").read_text(encoding="utf-8")
    return charts.sql(text)


def _rows(charts: Charts) -> Quantities:
    counts = fetched(charts, "counts")
    total = int(counts["chart_rows"].sum())
    found: Quantities = {
        "rows": charts.account.read,
        "regions": counts["market"].nunique(),
        "tracks": len(charts.arrow("tracks")),
        "dates": fetched(charts, "dates")["dates"].iloc[0],
        "duplicates": charts.account.duplicates,
        "no_track_id": charts.account.set_aside.get("no track id", 0),
    }
    for by, prefix in (
        (["year"], "rows"),
        (["chart"], "rows"),
        (["chart", "year"], "rows"),
        (["market"], "market_rows"),
    ):
        sums = counts.groupby(by)["chart_rows"].sum()
        found |= {f"{prefix}.{_joined(key)}": value for key, value in sums.items()}
    for chart in {MAIN, VIRAL} & {*counts["chart"]}:
        found[f"share.{chart}"] = 100 * found[f"rows.{chart}"] / total
    found["global_rows"] = found.get(f"market_rows.{AGGREGATE}", 0)
    found["global_share"] = 100 * found["global_rows"] / total
    tracks = fetched(charts, "market_tracks")
    found |= dict(zip("market_tracks." + tracks["market"], tracks["tracks"].tolist(), strict=True))
    local = counts[(counts["market"] != AGGREGATE) & (counts["chart"] == MAIN)]
    by_market = local.groupby("market")["chart_rows"].sum().astype("float64")
    if len(by_market):
        found |= {"A.rows": by_market.sum(), "A.markets": len(by_market)}
        found |= {f"rows_per_market.{name}": value for name, value in by_market.describe().items()}
    world = counts[(counts["market"] == AGGREGATE) & (counts["chart"] == MAIN)]
    whole = world.groupby("year")["streams"].sum(min_count=1).dropna().astype("float64")
    found |= {f"global_streams.{year}": value for year, value in whole.items()}
    found |= {f"global_growth.{year}": value for year, value in (100 * whole.pct_change()).dropna().items()}
    return found


def _joined(key: object) -> str:
    return ".".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _nulls(charts: Charts) -> Quantities:
    """Return rows without streams, album and audio: of all, by chart, and of markets by year and market."""
    table = charts.arrow("nulls").to_pandas()
    found: Quantities = {f"null.{name}": table[f"{name}_missing"].sum() for name in ("streams", "album", "audio")}
    by_chart = table.groupby("chart")[["audio_missing", "chart_rows"]].sum()
    found |= {f"null.audio.{chart}": row["audio_missing"] for chart, row in by_chart.iterrows()}
    local = table[table["market"] != AGGREGATE]
    for by in ("year", "market"):
        sums = local.groupby(by)[["audio_missing", "chart_rows"]].sum()
        found |= {f"null.audio.{key}": row["audio_missing"] for key, row in sums.iterrows()}
        share = 100 * sums["audio_missing"] / sums["chart_rows"]
        found |= {f"null.audio.share.{key}": value for key, value in share.items()}
    return found


def _streams(charts: Charts) -> Quantities:
    counts, means = fetched(charts, "stream_counts"), fetched(charts, "market_streams").dropna()
    names = "mean_streams." + means["market"]
    found: Quantities = dict(zip(names, means["mean_streams"].astype("float64").tolist(), strict=True))
    told = fetched(charts, "audio").iloc[0].dropna()
    found |= {f"streams.{name}": float(value) for name, value in told.items()}
    if len(counts):
        found |= {f"streams.{name}": counted_quantile(counts, share) for name, share in QUANTILES.items()}
        found["streams.most"] = float(counts["streams"].max())
    american = counts[counts["american"]]
    return found | ({"median_streams.US": counted_quantile(american, 0.5)} if len(american) else {})


def counted_quantile(counts: pd.DataFrame, share: float) -> float:
    """Return a quantile of `streams`, each counted as many times as it has `chart_rows`, between the two next to it.

    Examples
    --------
    >>> counted_quantile(pd.DataFrame({"streams": [10, 20], "chart_rows": [3, 1]}), 0.9)
    17.0
    """
    upto = counts["chart_rows"].cumsum().to_numpy()
    place = share * (upto[-1] - 1)
    below, above = (counts["streams"].iloc[np.searchsorted(upto, int(at), "right")] for at in (place, np.ceil(place)))
    return float(below + (place - int(place)) * (above - below))


def _artists(charts: Charts) -> Quantities:
    table = fetched(charts, "artists")
    if table.empty:
        return {}
    reach = table["markets"]
    return {
        "artists": len(table),
        "artists.reach.1": 100 * (reach == 1).mean(),
        "artists.reach.2-3": 100 * reach.between(2, 3).mean(),
        "artists.reach.31+": 100 * (reach > 30).mean(),
        **dict(zip("artist_rows." + table["artist"], table["chart_rows"].tolist(), strict=True)),
        **dict(zip("artist_tracks." + table["artist"], table["tracks"].tolist(), strict=True)),
    }
