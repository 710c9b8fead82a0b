"""An edge in words: what stands in a sentence when there is one of a thing, few, or none."""

from math import log, nan

import pytest

from pipelines.query.explain import baseline_sentence, flow_sentence, influence_sentence, order_sentences

EDGE = {
    "exposed": 1_200, "tracks": 40, "joint": 3, "rate": 0.0333, "rate_low": 0.02, "rate_high": 0.05,
    "rate_if_ties": 0.036, "lag_median": 7.0, "followed_to": 28.0, "lead_clusters": 50, "lead_share": 0.8,
    "lead_share_low": 0.66, "lead_share_high": 0.9, "lead_if_against": 0.7, "lead_if_for": 0.85,
}  # fmt: skip


def said(**other: float) -> str:
    edge = EDGE | other
    return "\n".join([flow_sentence(edge, "Sweden", "Norway"), *order_sentences(edge, "Sweden", "Norway")])


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({}, "Of 1,200 tracks in Sweden that could have gone on to Norway, 40 did, half of them within 7 days;"),
        ({}, "P = 0.033 (0.020 to 0.050) by day 28"),
        ({}, "Lead: of 50 releases (tracks of one artist and debut count once)"),
        ({}, "Ties: 3 tracks entered both"),
        ({"lag_median": 1.0}, "half of them within 1 day;"),
        ({"exposed": 1, "tracks": 1}, "Of 1 track in Sweden that could have gone on to Norway, 1 did; P"),
        ({"exposed": 29}, "(not reliable: fewer than 30 tracks)"),
        ({"exposed": 0}, "No track could be followed from Sweden to Norway."),
        ({"lead_clusters": 1}, "Lead: of 1 release (tracks"),
        ({"lead_clusters": 0}, "no artist's release reached both Sweden and Norway in an observed order"),
        ({"joint": 1}, "Ties: 1 track entered both"),
        ({"rate_if_ties": nan}, "they have no direction"),
    ],
)
def test_an_edge_in_words(other: dict[str, float], words: str) -> None:
    assert words in said(**other)


LIFT = {
    "observed": 40, "expected": 10.0, "lift": 4.0, "lift_low": 2.5, "lift_high": 5.5, "p": 0.001, "q": 0.01,
    "q_order": 0.02, "detectable": 1.8,
}  # fmt: skip


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({}, "Baseline: 40 tracks entered Norway after Sweden, where 10.0 are expected by market sizes and likeness"),
        ({}, ": more (lift 4.00 (2.50 to 5.50), q = 0.01), and more than from Norway to Sweden (q = 0.02)."),
        ({"q_order": 0.2}, "and not shown to be more than from Norway to Sweden, as markets of one taste would."),
        ({"q_order": nan}, "and not shown to be more than from Norway to Sweden"),
        ({"observed": 1, "q": 0.2}, "1 track entered Norway after Sweden"),
        ({"q": 0.2}, ": not shown to be more (lift 4.00, p = 0.001, q = 0.2); a lift of 1.80 would be found with"),
        ({"q": nan}, ": too few for a test."),
    ],
)
def test_an_edge_beyond_the_baseline_in_words(other: dict[str, float], words: str) -> None:
    assert words in baseline_sentence(LIFT | other, "Sweden", "Norway")


INFLUENCE = {
    "beta": log(2), "beta_low": log(1.5), "beta_high": log(3), "q_joint": 0.003, "direct": True, "ordered": True,
    "detectable": 1.8, "credits": 12.34, "credits_per_entry": 0.1, "lag_median": 6.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({}, "Direct: an entry into Sweden multiplies the weight of Norway on the next chart, compared with other"),
        ({}, "by 2.00 (1.50 to 3.00), q = 0.003, and more than from Norway to Sweden;"),
        (
            {"ordered": False},
            "but not shown to be more than from Norway to Sweden, so that a common taste is not ruled",
        ),
        (
            {},
            "; 12.3 entries into Norway are attributed to it, 0.100 per entry into Sweden, half of them within 6 days",
        ),
        ({}, "What Sweden brings to all markets alike is not in it, nor what is faster than the charts."),
        ({"direct": False, "q_joint": 0.2}, "Direct: not shown; fitted beside all other pairs the ratio is 2.00 (1.50"),
        ({"direct": False, "q_joint": 0.2}, "; a ratio of 1.80 would be found with a power of 80 %."),
        ({"direct": False}, "but taken by itself the pair is not shown to be more than the baseline expects."),
        ({"direct": False, "q_joint": nan}, "Direct: not tested, as too few tracks reached Norway after Sweden."),
    ],
)
def test_direct_influence_in_words(other: dict[str, float], words: str) -> None:
    assert words in influence_sentence(INFLUENCE | other, "Sweden", "Norway")
