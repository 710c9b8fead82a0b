"""An edge in words: what stands in a sentence when there is one of a thing, few, or none."""

from math import nan

import pytest

from pipelines.query.explain import (
    baseline_sentence,
    flow_sentence,
    influence_sentence,
    order_sentences,
    verdict_sentence,
)

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
        ({}, "that is 3.3 % to 3.6 %, 3 ties, by day 28"),
        ({}, "(95 % interval without ties 2.0 % to 5.0 %)"),
        ({"joint": 0}, "that is 3.3 %, by day 28"),
        ({}, "Lead: of 50 releases (tracks of one artist and debut count once)"),
        ({}, "Ties: 3 tracks entered both"),
        ({"lag_median": 1.0}, "half of them within 1 day;"),
        ({"exposed": 1, "tracks": 1}, "Of 1 track in Sweden that could have gone on to Norway, 1 did; that"),
        ({"exposed": 29}, "(not reliable: fewer than 30 tracks)"),
        ({"exposed": 0}, "No track could be followed from Sweden to Norway."),
        ({"lead_clusters": 1}, "Lead: of 1 release (tracks"),
        ({"lead_clusters": 0}, "no artist's release reached both Sweden and Norway in an observed order"),
        ({"joint": 1}, "Ties: 1 track entered both"),
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


def test_a_direct_edge_in_words() -> None:
    pair = {
        "alpha": 0.1, "low": 0.05, "high": 0.2, "q": 0.003, "direct": True, "credits": 12.34, "lag_median": 6.0,
        "joint": 9, "alpha_if_ties": 0.15,
    }  # fmt: skip
    text = influence_sentence(pair, "Sweden", "Norway")
    assert "bring 0.100 into Norway (0.050 to 0.200, q = 0.003); what all markets share at a time counts as" in text
    assert "so this is no evidence of it. By itself it would bring 9.5% of the tracks not there yet" in text
    assert "tracks not there yet; 12.3 of the entries into Norway are attributed to Sweden" in text
    assert "are attributed to Sweden, at a modelled median lag of 6.0 days." in text
    assert "if Sweden came first in all ties (9), it would be 0.150." in text
    assert "; no entry into Norway is attributed to Sweden." in influence_sentence(
        pair | {"credits": 0.0}, "Sweden", "Norway"
    )
    assert "no influence can be estimated" in influence_sentence(pair | {"alpha": nan}, "Sweden", "Norway")


@pytest.mark.parametrize(
    ("lift", "direct", "joint", "words"),
    [
        (
            {},
            True,
            3,
            "4.0 times as often as sizes and likeness explain, and more than from Norway to Sweden, also beside",
        ),
        ({}, True, 3, "(a direct edge)."),
        ({}, False, 3, "; that it is direct is not shown, it may come by way of other markets."),
        ({}, None, 3, "and more than from Norway to Sweden."),
        (
            {"ordered": False},
            False,
            3,
            "not shown to be more than from Norway to Sweden, so a taste that both share would",
        ),
        (
            {"edge": False},
            False,
            3,
            "do not go from Sweden to Norway more than the sizes and likeness of markets explain",
        ),
        (
            {"q": nan, "edge": False},
            False,
            3,
            "Verdict: too few tracks could go from Sweden to Norway to say anything.",
        ),
        ({}, True, 50, "; most of it is not seen in order (50 ties, 45 transitions either way)."),
    ],
)
def test_a_verdict_weighs_presence_order_influence_and_ties(
    lift: dict[str, float], direct: bool | None, joint: int, words: str
) -> None:
    pair = LIFT | {"edge": True, "ordered": True} | lift
    influence = None if direct is None else {"direct": direct}
    text = verdict_sentence(EDGE | {"joint": joint}, {"tracks": 5}, pair, influence, "Sweden", "Norway")
    assert words in text
    assert text.startswith("Verdict: ")
    assert ". " not in text
