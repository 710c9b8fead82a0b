"""The page of a comparison: one self-contained HTML file."""

from collections.abc import Mapping

import pandas as pd

from diffusion import market_names
from diffusion.conventions import FDR
from graphs import Comparison
from pipelines.comparison.sides import Side
from pipelines.comparison.words import MEASURES, curve_words, numbers, share_words, verdict
from pipelines.formatting import html_table, sentence
from pipelines.study.report.page import environment, source
from survival import CurveDifference

MOST_ROWS = 15
"""Most rows of a table."""

ALTERNATIVES = {
    "compared_rates": "Rates of the pairs on both sides against each other, and the pairs that differ.",
    "curve_difference": "Share of waits that have entered on both sides, and the difference, with 95 % bands.",
}
"""Figure → what it shows, for those who cannot see it."""

PAIR_COLUMNS = ["source", "target", "exposed_a", "rate_a", "exposed_b", "rate_b", "difference", "low", "high", "q"]

SHARE_COLUMNS = ["market", "score_a", "score_b", "difference", "low", "high", "q"]


def comparison_html(
    found: Comparison,
    curve: CurveDifference | None,
    sides: tuple[Side, Side],
    drawn: Mapping[str, bytes],
    not_made: Mapping[str, str],
) -> str:
    """Return the page of a comparison; `drawn` has name → PNG of the figures."""
    a, b = (side.name for side in sides)
    return (
        environment()
        .get_template("comparison.html")
        .render(
            title=f"{a} and {b}",
            a=a,
            b=b,
            verdict=[sentence(said) for said in verdict(found, a, b)],
            window=found.window,
            sides=html_table(_sides(found, (a, b))),
            only=[(name, ", ".join(own)) for name, own in ((a, found.only_a), (b, found.only_b)) if own],
            pairs=html_table(_pairs(found.edges)),
            reach=[
                (sentence(MEASURES[row["measure"]])[:-1], f"{numbers(row)}.") for row in found.reach.to_dict("records")
            ],
            curve=None if curve is None else sentence(curve_words(curve)),
            shares=sentence(share_words(found.leaders)),
            markets=html_table(_markets(found.leaders)),
            pictures={name: {"source": source(png), "alt": ALTERNATIVES[name]} for name, png in drawn.items()},
            not_made=list(not_made.items()),
            folders=[(side.name, side.folder) for side in sides],
        )
    )


def _sides(found: Comparison, names: tuple[str, str]) -> pd.DataFrame:
    return found.sides.assign(side=[f"{side}: {name}" for side, name in zip("ab", names, strict=True)])


def _pairs(edges: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs that differ, the smallest q first."""
    differ = edges[edges["q"] <= FDR].sort_values(["q", "p", "source", "target"]).head(MOST_ROWS)[PAIR_COLUMNS]
    return differ.assign(**{side: differ[side].map(market_names(differ[side])) for side in ("source", "target")})


def _markets(leaders: pd.DataFrame) -> pd.DataFrame:
    """Return the markets whose share sent differs, the smallest q first."""
    differ = leaders[leaders["q"] <= FDR].sort_values(["q", "market"]).head(MOST_ROWS)[SHARE_COLUMNS]
    return differ.assign(market=differ["market"].map(market_names(differ["market"])))
