"""What a comparison found, in words: the verdict first, then the numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from diffusion import market_names
from diffusion.conventions import FDR
from graphs import Comparison
from pipelines.formatting import cell, many
from survival import CurveDifference

MOST_NAMED = 5
"""Pairs or markets named in a line."""

SMALL = 0.02
"""Share below which a percentage has two digits."""

MEASURES = {
    "spreading_share": "share of tracks that enter a market after their debut",
    "markets_entered": "markets entered after the debut",
    "markets_on_debut": "markets entered on the day of the debut",
}
"""Measure of reach → what it is, in words."""


def verdict(found: Comparison, a: str, b: str) -> list[str]:
    """Return the verdict in sentences: which rates differ, which reach, and what would have been found."""
    return [_of_rates(found.edges), _of_reach(found.reach, a, b)]


def _of_rates(edges: pd.DataFrame) -> str:
    tested = edges[edges["q"].notna()]
    few = len(edges) - len(tested)
    if _same(edges):
        return "both sides have the same tracks, followed alike: there is nothing to test"
    if tested.empty:
        return f"no rate can be compared: {many(few, 'pair')}, all with too few tracks or artists on a side"
    differ = int((tested["q"] <= FDR).sum())
    verb = "differs" if differ == 1 else "differ"
    said = (
        f"{differ:,} of {many(len(tested), 'pair')} that can be tested {verb} at q ≤ .05; in half of them a difference "
        f"of {_points(tested['detectable'].median())} would have been found in most cases"
    )
    return f"{said}; {many(few, 'pair')} had too few tracks or artists on a side" if few else said


def _same(edges: pd.DataFrame) -> bool:
    """Return whether all exposed tracks are on both sides, followed alike."""
    alike = (edges["shared"] == edges["exposed_a"]) & (edges["shared"] == edges["exposed_b"])
    return bool(alike.all() and (edges["high"].fillna(0) == edges["low"].fillna(0)).all())


def _of_reach(reach: pd.DataFrame, a: str, b: str) -> str:
    tested = reach[reach["q"].notna()]
    differ = tested[tested["q"] <= FDR]
    if tested.empty:
        return "no difference in reach can be tested"
    if differ.empty:
        return f"none of {many(len(tested), 'measure')} of reach differs at q ≤ .05"
    named = [f"{MEASURES[row['measure']]}, {_larger(row, a, b)}" for row in differ.to_dict("records")]
    return f"{len(differ)} of {many(len(tested), 'measure')} of reach differ at q ≤ .05: {'; '.join(named)}"


def _larger(row: Mapping[Any, Any], a: str, b: str) -> str:
    return f"more in {a if row['difference'] > 0 else b}"


def lines(found: Comparison, curve: CurveDifference | None, a: str, b: str) -> Iterator[str]:
    """Yield the lines on screen: verdict, sides, numbers."""
    rates, reach = verdict(found, a, b)
    yield f"rates     {rates}"
    yield f"reach     {reach}"
    for name, side in zip((a, b), found.sides.to_dict("records"), strict=True):
        yield (
            f"{side['side']}         {name}: {many(side['tracks'], 'track')} of {many(side['artists'], 'artist')} in "
            f"{many(side['markets'], 'market')}, charts of {side['first_date'].date()} to {side['last_date'].date()}"
        )
    both = found.sides.iloc[0]
    yield f"both      {many(both['tracks_in_both'], 'track')} and {many(both['artists_in_both'], 'artist')} are in both"
    for name, markets in ((a, found.only_a), (b, found.only_b)):
        if markets:
            yield f"only      in {name} and not compared: {', '.join(markets)}"
    yield from (f"pair      {line}" for line in pair_lines(found.edges))
    for row in found.reach.to_dict("records"):
        yield f"reach     {MEASURES[row['measure']]}: {numbers(row)}"
    if curve is not None:
        yield f"curves    {curve_words(curve)}"
    yield f"shares    {share_words(found.leaders)}"


def pair_lines(edges: pd.DataFrame) -> list[str]:
    """Return the pairs that differ, the smallest q first, with both rates and the difference."""
    differ = edges[edges["q"] <= FDR].sort_values(["q", "p", "source", "target"])
    names = market_names(pd.unique(edges[["source", "target"]].to_numpy().ravel()))
    found = [
        f"{names[row['source']]} → {names[row['target']]}: {_percent(row['rate_a'])} and {_percent(row['rate_b'])}, "
        f"a difference of {_bounded(row)}, q {cell(row['q'])}"
        for row in differ.head(MOST_NAMED).to_dict("records")
    ]
    more = len(differ) - len(found)
    return [*found, f"and {many(more, 'more pair')}"] if more > 0 else found


def numbers(row: Mapping[Any, Any]) -> str:
    """Return both values of a measure of reach and their difference."""
    share = row["measure"] == "spreading_share"
    shown = _percent if share else cell
    if pd.isna(row["low"]):
        return f"{shown(row['value_a'])} and {shown(row['value_b'])}; too few artists for an interval"
    q = f", q {cell(row['q'])}" if pd.notna(row["q"]) else ""
    difference = _bounded(row) if share else "{difference:+.2f} ({low:+.2f} to {high:+.2f})".format(**row)
    return f"{shown(row['value_a'])} and {shown(row['value_b'])}, a difference of {difference.replace('-', '−')}{q}"


def curve_words(curve: CurveDifference) -> str:
    """Return the shares that have entered by the last day, and their difference."""
    last = curve.table.iloc[-1]
    tested = f", p {cell(curve.p)}" if pd.notna(curve.p) else ", not tested"
    return (
        f"by day {curve.days} {_percent(last['share_a'])} and {_percent(last['share_b'])} of the waits have entered, a "
        f"difference of {_bounded(last.to_dict())}{tested}"
    )


def share_words(leaders: pd.DataFrame) -> str:
    """Return in which markets the share sent differs."""
    tested = leaders[leaders["q"].notna()]
    if tested.empty:
        return "no share of a market can be tested"
    differ = tested[tested["q"] <= FDR].sort_values(["q", "market"])
    said = (
        f"the share of its moves that starts from the market differs at q ≤ .05 in {len(differ)} of "
        f"{many(len(tested), 'market')}"
    )
    names = market_names(differ["market"])
    named = [
        f"{names[row['market']]} {row['score_a']:.2f} and {row['score_b']:.2f}"
        for row in differ.head(MOST_NAMED).to_dict("records")
    ]
    return f"{said}: {', '.join(named)}" if named else said


def _percent(share: float) -> str:
    return f"{100 * share:.{2 if share < SMALL else 1}f} %"


def _points(difference: float) -> str:
    """Return a difference of shares in points of %."""
    return f"{100 * difference:.1f} points"


def _bounded(row: Mapping[Any, Any]) -> str:
    """Return a difference of shares with its interval, in points of %."""
    values = [100 * row[name] for name in ("difference", "low", "high")]
    digits = 2 if max(map(abs, values)) < 1 else 1
    difference, low, high = (f"{value:+.{digits}f}" for value in values)
    return f"{difference} points ({low} to {high})".replace("-", "−")
