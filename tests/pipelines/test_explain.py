"""An edge in words: what stands in a sentence when there is one of a thing, few, or none."""

from math import log, nan

import pandas as pd
import pytest

from pipelines.query.answer import Answer, Question
from pipelines.query.explain import (
    baseline_sentence,
    flow_sentence,
    influence_sentence,
    order_sentence,
    questions_of,
    ties_sentence,
    verdict_sentence,
)
from pipelines.query.tracks import next_sentence

EDGE = {
    "exposed": 1_200, "tracks": 40, "joint": 3, "rate": 0.0333, "rate_low": 0.02, "rate_high": 0.05,
    "rate_if_ties": 0.036, "lag_median": 7.0, "followed_to": 28.0,
}  # fmt: skip

LEAD = {
    "q_order": 0.02, "ordered": True, "lead_share": 0.8, "lead_share_low": 0.66, "lead_share_high": 0.9,
    "lead_expected": 0.75,
}  # fmt: skip


def said(**other: float) -> str:
    edge = EDGE | other
    return f"{flow_sentence(edge, 'Sweden', 'Norway')}\n{ties_sentence(edge)}"


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({}, "Of 1,200 tracks in Sweden that could have gone on to Norway, 40 did, half of them within 7 days;"),
        ({}, "that is 3.3 % to 3.6 %, 3 ties, by day 28"),
        ({}, "(95 % interval without ties 2.0 % to 5.0 %)"),
        ({"joint": 0}, "that is 3.3 %, by day 28"),
        ({}, "\n3 tracks entered both with neither order observed; ties count for no direction."),
        ({"lag_median": 1.0}, "half of them within 1 day;"),
        ({"exposed": 1, "tracks": 1}, "Of 1 track in Sweden that could have gone on to Norway, 1 did; that"),
        ({"exposed": 29}, "(not reliable: fewer than 30 tracks)"),
        ({"exposed": 0}, "No track could be followed from Sweden to Norway."),
        ({"joint": 1}, "\n1 track entered both"),
    ],
)
def test_an_edge_in_words(other: dict[str, float], words: str) -> None:
    assert words in said(**other)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({}, "Sweden: more goes from Sweden to Norway than from Norway to Sweden, each beside what is expected"),
        ({}, "(q = 0.02). Of the tracks that entered both within the window in an observed order, Sweden was first in"),
        ({}, "first in 80 % (66 % to 90 %), where 75 % are expected."),
        (
            {"q_order": 0.2, "ordered": False},
            "Not shown: Sweden to Norway is not shown to be more than Norway to Sweden",
        ),
        ({"q_order": 0.2, "ordered": False}, "(q = 0.2), so a taste that both share would look the same."),
        ({"ordered": False}, "Not shown: there is less from Norway to Sweden (q = 0.02), but no more from Sweden to"),
        ({"q_order": nan, "ordered": False}, "Not tested: too few tracks went either way between Sweden and Norway."),
        (
            {"lead_share_low": nan, "lead_share_high": nan, "lead_expected": nan},
            "Sweden was first in 80 % (of too few artists for an interval).",
        ),
    ],
)
def test_who_is_first_in_words(other: dict[str, float], words: str) -> None:
    assert words in order_sentence(LEAD | other, "Sweden", "Norway")


def test_without_a_lead_share_there_is_no_sentence_on_it() -> None:
    assert order_sentence(LEAD | {"lead_share": nan}, "Sweden", "Norway").endswith("(q = 0.02).")


LIFT = {
    "observed": 40, "expected": 10.0, "lift": 4.0, "lift_low": 2.5, "lift_high": 5.5, "p": 0.001, "q": 0.01,
    "q_order": 0.02, "detectable": 1.8,
}  # fmt: skip


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({}, "Yes: 40 tracks took a step to Norway after Sweden, where 10.0 are expected by market sizes and likeness"),
        ({}, "if no market follows another (lift 4.00 (2.50 to 5.50), q = 0.01)."),
        ({"observed": 1, "q": 0.2}, "Not shown: 1 track took a step to Norway after Sweden"),
        ({"q": 0.2}, "(lift 4.00, p = 0.001, q = 0.2); a lift of 1.80 would be found with a power of 80 %."),
        ({"q": nan}, "Not tested: 40 tracks took a step"),
        ({"q": nan}, "; these are too few."),
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
        ({}, "Yes: an entry into Sweden multiplies the weight of Norway on the next chart, compared with other"),
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
        ({"direct": False, "q_joint": 0.2}, "Not shown: fitted beside all other pairs the ratio is 2.00 (1.50"),
        ({"direct": False, "q_joint": 0.2}, "; a ratio of 1.80 would be found with a power of 80 %."),
        ({"direct": False}, "but taken by itself the pair is not shown to be more than the baseline expects."),
        ({"direct": False, "q_joint": nan}, "Not tested: too few tracks reached Norway after Sweden."),
    ],
)
def test_direct_influence_in_words(other: dict[str, float], words: str) -> None:
    assert words in influence_sentence(INFLUENCE | other, "Sweden", "Norway")


@pytest.mark.parametrize(
    ("lift", "direct", "joint", "words"),
    [
        (
            {},
            True,
            3,
            "4.0 times as often as sizes and likeness explain, also beside all other markets that were entered before",
        ),
        ({}, True, 3, "(a direct edge), and more than from Norway to Sweden."),
        (
            {},
            False,
            3,
            ", which may be by way of other markets or from one before both (not shown to be direct), and more",
        ),
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
            "too few tracks could go from Sweden to Norway to say anything.",
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
    assert text.endswith(".")
    assert ". " not in text


def test_tests_stand_in_the_order_of_their_questions_and_say_what_was_not_made() -> None:
    lift, influence = (pd.DataFrame([part]) for part in (LIFT | LEAD | {"p_order": 0.01}, INFLUENCE))
    asked = [test.question for test in questions_of(lift, influence, "Sweden", "Norway", why_not=str)]
    assert asked == ["Is there more than expected?", "Who is first?", "Is it direct?"]
    more, first, direct = questions_of(None, None, "Sweden", "Norway", why_not=lambda table: f"no {table}")
    assert (more.answer, first.answer, more.numbers) == (*["Not tested: no lifts."] * 2, None)
    assert direct.answer == "Not tested: no influence."


NEXT = {
    "name": "Norway", "share": 0.4, "low": 0.3, "high": 0.5, "base_share": 0.1, "q": 0.01, "differs": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (
            {},
            "look-alikes next entered Norway (40 %, 30 % to 50 %; all tracks 10 %) more than others (q ≤ 0.05); not "
            "shown for 1 of 2 tested.",
        ),
        ({"share": 0.01}, "60 look-alikes are not shown to enter any of 2 tested markets more than others."),
        (
            {"q": 0.3, "differs": False},
            "60 look-alikes are not shown to enter any of 2 tested markets more than others.",
        ),
    ],
)
def test_what_look_alikes_did_next_is_claimed_only_where_it_is_more(other: dict[str, float], sentence: str) -> None:
    silent = NEXT | {"name": "Peru", "q": 0.5, "differs": False}
    assert next_sentence(pd.DataFrame([NEXT | other, silent]), 60) == sentence


def test_of_look_alikes_of_few_artists_nothing_is_claimed() -> None:
    few = pd.DataFrame([NEXT | {"q": nan, "differs": False}])
    assert next_sentence(few, 1) == "1 look-alike, of too few artists to say what such tracks do next."


def test_an_answer_is_the_same_on_screen_and_as_data() -> None:
    tested = Question("Is it so?", "Yes: \x1b[31m2.", {"q": 0.1})
    table = pd.DataFrame({"title": ["=1|<b>\u202e"], "ids": [("a", "b")], "tracks": [1200]})
    answer = Answer("it is so.", "charts", {"tracks": 1200}, ("A line.",), (tested,), table, ("title", "ids"))
    assert answer.text().splitlines() == [
        "Verdict: it is so.", "charts", "A line.", "Is it so? Yes: \ufffd[31m2.", "  title ids", "=1|<b>\ufffd a b",
    ]  # fmt: skip
    assert list(answer.data()) == ["verdict", "about", "numbers", "tests"]
    assert answer.data()["tests"] == [{"question": "Is it so?", "answer": "Yes: \x1b[31m2.", "numbers": {"q": 0.1}}]
    assert answer.csv() == "title,ids,tracks\n'=1|<b>\\u202e,a b,1200\n"
    assert answer.markdown() == "| title | ids |\n| :-- | :-- |\n| =1\\|&lt;b&gt;\ufffd | a b |"
