"""The numbers of one ordered pair of markets in words."""

from collections.abc import Mapping
from typing import Any

import numpy as np
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


def baseline_sentence(pair: Mapping[Any, Any], a: str, b: str) -> str:
    """Return a sentence on what goes beyond market sizes and likeness, and whether more so than the other way."""
    counts = (
        f"Baseline: {many(pair['observed'], 'track')} entered {b} after {a}, where {pair['expected']:.1f} are expected "
        "by market sizes and likeness if no market follows another"
    )
    if pd.isna(pair["q"]):
        return f"{counts}: too few for a test."
    if pair["q"] > FDR:
        return (
            f"{counts}: not shown to be more (lift {pair['lift']:.2f}, p = {pair['p']:.2g}, q = {pair['q']:.2g}); "
            f"a lift of {pair['detectable']:.2f} would be found with a power of 80 %."
        )
    lift = f"lift {pair['lift']:.2f} ({pair['lift_low']:.2f} to {pair['lift_high']:.2f}), q = {pair['q']:.2g}"
    if pd.notna(pair["q_order"]) and pair["q_order"] <= FDR:
        return f"{counts}: more ({lift}), and more than from {b} to {a} (q = {pair['q_order']:.2g})."
    return f"{counts}: more ({lift}), and not shown to be more than from {b} to {a}, as markets of one taste would."


def order_sentences(edge: Mapping[Any, Any], a: str, b: str) -> list[str]:
    """Return sentences on who was first, and on ties."""
    return [
        *_lead(edge, a, b),
        f"Ties: {many(edge['joint'], 'track')} entered both with neither order observed; "
        + (
            f"had all of them gone from {a} to {b}, P would be {edge['rate_if_ties']:.3f}."
            if pd.notna(edge["rate_if_ties"])
            else "they have no direction."
        ),
    ]


def _lead(edge: Mapping[Any, Any], a: str, b: str) -> list[str]:
    if not edge["lead_clusters"]:
        return [f"Lead: no artist's release reached both {a} and {b} in an observed order."]
    return [
        f"Lead: of {many(edge['lead_clusters'], 'release')} (tracks of one artist and debut count once) that reached "
        f"both in an observed order, {a} was first in {edge['lead_share']:.0%} ({edge['lead_share_low']:.0%} to "
        f"{edge['lead_share_high']:.0%}); if all ties count against it "
        f"{edge['lead_if_against']:.0%}, if all count for it {edge['lead_if_for']:.0%}."
    ]


def influence_sentence(pair: Mapping[Any, Any], a: str, b: str) -> str:
    """Return a sentence on whether `a` is shown to have a direct influence on `b`, and how large it is."""
    if pd.isna(pair["q_joint"]):
        return f"Direct: not tested, as too few tracks reached {b} after {a}."
    ratio, low, high = (f"{np.exp(pair[name]):.2f}" for name in ("beta", "beta_low", "beta_high"))
    found = f"{ratio} ({low} to {high}), q = {pair['q_joint']:.2g}"
    if not pair["direct"]:
        why = (
            "but taken by itself the pair is not shown to be more than the baseline expects"
            if pair["q_joint"] <= FDR
            else f"a ratio of {pair['detectable']:.2f} would be found with a power of 80 %"
        )
        return f"Direct: not shown; fitted beside all other pairs the ratio is {found}; {why}."
    way = (
        f"and more than from {b} to {a}"
        if pair["ordered"]
        else f"but not shown to be more than from {b} to {a}, so that a common taste is not ruled out"
    )
    return (
        f"Direct: an entry into {a} multiplies the weight of {b} on the next chart, compared with other targets, by "
        f"{found}, {way}; {pair['credits']:.1f} entries into {b} are attributed to it, {pair['credits_per_entry']:.3f} "
        f"per entry into {a}, half of them within {pair['lag_median']:g} days. What {a} brings to all markets alike is "
        "not in it, nor what is faster than the charts."
    )
