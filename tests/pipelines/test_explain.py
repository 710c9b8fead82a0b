"""An edge in words: what stands in a sentence when there is one of a thing, few, or none."""

from math import nan

import pytest

from pipelines.query.explain import chance_sentences, flow_sentence, influence_sentence

EDGE = {
    "exposed": 1_200, "tracks": 40, "joint": 3, "rate": 0.0333, "rate_low": 0.02, "rate_high": 0.05,
    "rate_if_ties": 0.036, "lag_median": 7.0, "followed_to": 28.0, "expected": 10.0, "lift": 4.0, "p": 0.001, "q": 0.01,
    "expected_order": 20.0, "p_order": 0.002, "q_order": 0.02, "lead_clusters": 50, "lead_share": 0.8,
    "lead_share_low": 0.66, "lead_share_high": 0.9, "lead_p": 0.00001, "lead_if_against": 0.7, "lead_if_for": 0.85,
}  # fmt: skip


def said(**other: float) -> str:
    edge = EDGE | other
    return "\n".join([flow_sentence(edge, "Sweden", "Norway"), *chance_sentences(edge, "Sweden", "Norway")])


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({}, "Of 1,200 tracks in Sweden that could have gone on to Norway, 40 did, half of them within 7 days;"),
        ({}, "P = 0.033 (0.020 to 0.050) by day 28"),
        ({}, "Presence: 40 tracks, where 10.0 are expected"),
        ({}, "4.00 times as many: more than chance (p = 0.001, q = 0.01)."),
        ({}, "Lead: of 50 releases (tracks of one artist and debut count once)"),
        ({}, "Ties: 3 tracks entered both"),
        ({"lag_median": 1.0}, "half of them within 1 day;"),
        ({"exposed": 1, "tracks": 1}, "Of 1 track in Sweden that could have gone on to Norway, 1 did; P"),
        ({"exposed": 29}, "(not reliable: fewer than 30 tracks)"),
        ({"exposed": 0}, "No track could be followed from Sweden to Norway."),
        ({"tracks": 1}, "Presence: 1 track, where"),
        ({"q": 0.06}, "more than chance for this pair alone, but not after correction for all pairs (p = 0.001, q"),
        ({"p": 0.06, "q": 0.2}, "4.00 times as many: not more than by chance (p = 0.06, q = 0.2)."),
        ({"p": 0.9, "q": 1.0, "tracks": 9}, ": fewer than by chance (p = 0.9, q = 1)."),
        ({"p": 0.03, "q": 0.02}, "(p = 0.03, q = 0.02; p counts the random charts that reach it, q uses the curve"),
        ({"q": nan}, "no track can go from Sweden to Norway by chance"),
        ({"q_order": nan}, "no track has entries on two dates here"),
        ({"p_order": 0.1, "q_order": 0.2}, "random order: not more than by chance (p = 0.1, q = 0.2).\n"),
        ({"joint": 41}, "q = 0.02).\nLead"),
        (
            {"joint": 41, "q_order": 1.0},
            "Random order has no ties; with 41 ties both directions can be below the expectation",
        ),
        ({"lead_clusters": 1}, "Lead: of 1 release (tracks"),
        ({"lead_clusters": 0}, "no artist's release reached both Sweden and Norway in an observed order"),
        ({"joint": 1}, "Ties: 1 track entered both"),
        ({"rate_if_ties": nan}, "they have no direction"),
    ],
)
def test_an_edge_in_words(other: dict[str, float], words: str) -> None:
    assert words in said(**other)


def test_a_direct_edge_in_words() -> None:
    pair = {
        "alpha": 0.1, "low": 0.05, "high": 0.2, "q": 0.003, "direct": True, "credits": 12.34, "lag_median": 6.0,
        "joint": 9, "alpha_if_ties": 0.15,
    }  # fmt: skip
    text = influence_sentence(pair, "Sweden", "Norway")
    assert (
        "bring 0.100 into Norway (0.050 to 0.200, q = 0.003), a direct edge. By itself it would bring 9.5% of the"
        in text
    )
    assert "tracks not there yet; 12.3 of the entries into Norway are attributed to Sweden" in text
    assert "are attributed to Sweden, at a modelled median lag of 6.0 days." in text
    assert "if Sweden came first in all ties (9), it would be 0.150." in text
    assert "; no entry into Norway is attributed to Sweden." in influence_sentence(
        pair | {"credits": 0.0}, "Sweden", "Norway"
    )
    assert "not distinguished from no edge" in influence_sentence(pair | {"direct": False}, "Sweden", "Norway")
    assert "no influence can be estimated" in influence_sentence(pair | {"alpha": nan}, "Sweden", "Norway")
