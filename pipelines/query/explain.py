"""The numbers of one ordered pair of markets in words."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from diffusion.conventions import FDR, LEAST_EXPOSED
from pipelines.formatting import many


def flow_sentence(edge: Mapping[Any, Any], a: str, b: str) -> str:
    """Return a sentence on how many tracks went from `a` to `b`, and with what probability."""
    if not edge["exposed"]:
        return f"No track could be followed from {a} to {b}."
    lag = (
        f", half of them within {edge['lag_median']:g} day{'' if edge['lag_median'] == 1 else 's'}"
        if edge["tracks"] > 1
        else ""
    )
    few = f" (not reliable: fewer than {LEAST_EXPOSED} tracks)" if edge["exposed"] < LEAST_EXPOSED else ""
    return (
        f"Of {many(edge['exposed'], 'track')} in {a} that could have gone on to {b}, {edge['tracks']:,} did{lag}; "
        f"P = {edge['rate']:.3f} ({edge['rate_low']:.3f} to {edge['rate_high']:.3f}) by day {edge['followed_to']:g}, "
        f"with censored follow-up taken into account{few}."
    )


def chance_sentences(edge: Mapping[Any, Any], a: str, b: str) -> list[str]:
    """Return sentences on the edge against both nulls, on who was first, and on ties."""
    return [
        *_presence(edge, a, b),
        *_direction(edge, a, b),
        *_lead(edge, a, b),
        f"Ties: {many(edge['joint'], 'track')} entered both with neither order observed; "
        + (
            f"had all of them gone from {a} to {b}, P would be {edge['rate_if_ties']:.3f}."
            if pd.notna(edge["rate_if_ties"])
            else "they have no direction."
        ),
    ]


def _presence(edge: Mapping[Any, Any], a: str, b: str) -> list[str]:
    if pd.isna(edge["q"]):
        return [f"Presence: no track can go from {a} to {b} by chance under the null, so there is no test."]
    said = _verdict(edge["tracks"], edge["expected"], edge["p"], edge["q"])
    lift = f", {edge['lift']:.2f} times as many" if pd.notna(edge["lift"]) else ""
    return [
        f"Presence: {many(edge['tracks'], 'track')}, where {edge['expected']:.1f} are expected when each day's "
        f"entries are given to tracks at random{lift}: {said} ({_p_and_q(edge['p'], edge['q'])})."
    ]


def _direction(edge: Mapping[Any, Any], a: str, b: str) -> list[str]:
    if pd.isna(edge["q_order"]):
        return ["Direction: no track has entries on two dates here, so there is no test."]
    said = _verdict(edge["tracks"], edge["expected_order"], edge["p_order"], edge["q_order"])
    ties = (
        f" Random order has no ties; with {many(edge['joint'], 'tie')} both directions can be below the expectation, "
        "so the lead says more."
        if edge["q_order"] > FDR and edge["joint"] > edge["tracks"]
        else ""
    )
    return [
        f"Direction: {edge['expected_order']:.1f} are expected when every track's markets take its dates in random "
        f"order: {said} ({_p_and_q(edge['p_order'], edge['q_order'])}).{ties}"
    ]


def _lead(edge: Mapping[Any, Any], a: str, b: str) -> list[str]:
    if not edge["lead_clusters"]:
        return [f"Lead: no artist's release reached both {a} and {b} in an observed order."]
    return [
        f"Lead: of {many(edge['lead_clusters'], 'release')} (tracks of one artist and debut count once) that reached "
        f"both in an observed order, {a} was first in {edge['lead_share']:.0%} ({edge['lead_share_low']:.0%} to "
        f"{edge['lead_share_high']:.0%}; p = {edge['lead_p']:.2g}); if all ties count against it "
        f"{edge['lead_if_against']:.0%}, if all count for it {edge['lead_if_for']:.0%}."
    ]


def influence_sentence(pair: Mapping[Any, Any], a: str, b: str) -> str:
    """Return a sentence on the strength of the direct edge."""
    if pd.isna(pair["alpha"]):
        return f"Direct: no track in {a} was at risk in {b}, so no influence can be estimated."
    found = "a direct edge" if pair["direct"] else "not distinguished from no edge"
    owed = (
        f"{pair['credits']:.1f} of the entries into {b} are attributed to {a}, at a modelled median lag of "
        f"{pair['lag_median']:.1f} days"
        if pair["credits"] > 0
        else f"no entry into {b} is attributed to {a}"
    )
    return (
        f"Direct: one entry into {a} is expected to bring {pair['alpha']:.3f} into {b} ({pair['low']:.3f} to "
        f"{pair['high']:.3f}, q = {pair['q']:.2g}), {found}. By itself it would bring "
        f"{-math.expm1(-pair['alpha']):.1%} of the tracks not there yet; {owed}. Spread faster than the charts' "
        f"cadence is not observed; if {a} came first in all ties ({pair['joint']:,}), it would be "
        f"{pair['alpha_if_ties']:.3f}."
    )


def _verdict(tracks: int, expected: float, p: float, q: float) -> str:
    """Return the verdict on the number of tracks against chance; only an excess is tested."""
    if q <= FDR:
        return "more than chance"
    if p <= FDR:
        return "more than chance for this pair alone, but not after correction for all pairs"
    return "fewer than by chance" if tracks < expected else "not more than by chance"


def _p_and_q(p: float, q: float) -> str:
    """Return p, and q over all pairs; p may be counted on random charts and q is not, so q can be smaller."""
    why = "; p counts the random charts that reach it, q uses the curve fitted to them" if p > q else ""
    return f"p = {p:.2g}, q = {q:.2g}{why}"
