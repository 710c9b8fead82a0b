"""Curves by groups of one's own, of every form: each is the curve of the waits of the group, cut out by hand."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import diffusion
import survival
from diffusion import SettingError, contracts
from survival import breakthrough
from tests.random_charts import study

HORIZON = 20
LANGUAGES = {"SE": "Nordic", "FI": "Nordic", "US": None, "XA": "Simulated"}


def world(seed: int) -> diffusion.Entries:
    """Return entries of sixteen tracks of five artists into four markets, one launched late, one with a gap."""
    rng = np.random.default_rng(seed)
    observed = {"SE": range(50), "FI": range(9, 50), "US": [*range(15), *range(17, 50)], "XA": range(45)}
    entered = {}
    for number in range(16):
        day, own = int(rng.integers(4, 25)), {}
        for market, days in observed.items():
            later = [at for at in days if at >= day + rng.integers(0, 12)]
            if later and rng.random() < 0.6:
                own[market] = later[0]
        entered[f"t{number:02}"] = own or {"SE": day}
    bare = study({market: list(days) for market, days in observed.items()}, entered, washout=3)
    tracks = pd.DataFrame(
        {
            "track_id": sorted(entered),
            "artist": [["Åsa", "Bo, Åsa", "C & D", "Ed", None][number % 5] for number in range(16)],
            "label": [["Warner", "Sony", None][number % 3] for number in range(16)],
        }
    )
    whole = bare.open()
    frame = whole.table.to_pandas()[contracts.ENTRIES.names]
    return diffusion.Entries.from_frame(frame, calendar=whole.calendar, washout=3, tracks=tracks)


def by_hand(waits: pd.DataFrame, groups: "pd.Series[Any]") -> dict[str, dict[int, tuple[int, int]]]:
    """Return group → day → waits at risk and entries, wait by wait."""
    found: dict[str, tuple[Counter[int], Counter[int]]] = {}
    for wait, group in zip(waits.to_dict("records"), groups.to_list(), strict=True):
        if group is None or group != group:
            continue
        at_risk, events = found.setdefault(str(group), (Counter(), Counter()))
        at_risk.update(range(wait["start"] + 1, wait["days"] + 1))
        events.update([wait["days"]] if wait["entered"] else [])
    return {name: {day: (a[day], e[day]) for day in sorted(a)} for name, (a, e) in found.items()}


def curves(found: survival.Breakthrough) -> dict[str, dict[int, tuple[int, int]]]:
    """Return group → day → waits at risk and entries, where any is at risk."""
    table = found.curves[(found.curves["days"] > 0) & (found.curves["at_risk"] > 0)]
    return {
        str(group): {row.days: (row.at_risk, row.events) for row in own.itertuples()}
        for group, own in table.groupby("group")
    }


Grouped = Callable[[diffusion.Entries, pd.DataFrame], tuple[Any, "pd.Series[Any]"]]
"""Entries and waits → `by`, and the group of each wait."""


def _label(entries: diffusion.Entries, waits: pd.DataFrame) -> "pd.Series[Any]":
    return waits["track_id"].map(entries.tracks().set_index("track_id")["label"])


def _artist(entries: diffusion.Entries, waits: pd.DataFrame) -> "pd.Series[Any]":
    first = entries.tracks().set_index("track_id")["artist"].str.split(",").str[0]
    return waits["track_id"].map(first).map({"Åsa": "A", "Bo": "B"})


def _both(waits: pd.DataFrame) -> "pd.Series[Any]":
    number = waits["track_id"].str[1:].astype(int) + waits["market"].map({"SE": 0, "FI": 1, "US": 2, "XA": 3})
    return number.map(lambda value: ["odd", None, "even"][value % 3])


FORMS: dict[str, Grouped] = {
    "a column of tracks": lambda entries, waits: ("label", _label(entries, waits)),
    "a column of markets": lambda entries, waits: (
        "iso3",
        waits["market"].map({"SE": "SWE", "FI": "FIN", "US": "USA"}),
    ),
    "a mapping of markets": lambda entries, waits: (
        {"Sweden": "Nordic", "FI": "Nordic", "Simulated XA": "Simulated", "Brazil": "America"},
        waits["market"].map(LANGUAGES),
    ),
    "a mapping of tracks": lambda entries, waits: (
        dict(entries.tracks()[["track_id", "label"]].to_numpy()),
        _label(entries, waits),
    ),
    "a mapping of artists": lambda entries, waits: ({"asa": "A", "BO": "B", "Zoë": "Z"}, _artist(entries, waits)),
    "a table of artists": lambda entries, waits: (
        pd.DataFrame({"artist": ["ÅSA", "Åsa", "Bo, Åsa"], "who": ["A", "A", "B"]}),
        _artist(entries, waits),
    ),
    "a table of markets": lambda entries, waits: (
        pd.DataFrame({"market": ["Sweden", "FIN", "US", "XA"], "place": list(LANGUAGES.values())}),
        waits["market"].map(LANGUAGES),
    ),
    "a table of tracks and markets": lambda entries, waits: (
        waits[["track_id", "market"]].assign(kind=_both(waits)),
        _both(waits),
    ),
    "a function of tracks": lambda entries, waits: (
        lambda tracks: np.where(tracks["footprint"] > 1, "wide", "narrow"),
        waits["footprint"].map(lambda number: "wide" if number > 1 else "narrow"),
    ),
    "a function of markets": lambda entries, waits: (
        lambda markets: markets["population"] > 50e6,
        waits["market"].map({"SE": False, "FI": False, "US": True}),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_curves_by_groups_are_those_of_the_waits_cut_by_hand(form: str) -> None:
    for seed in range(3):
        entries = world(seed)
        waits = entries.waits(horizon=HORIZON)
        by, groups = FORMS[form](entries, waits)
        found = breakthrough(entries, by=by, horizon=HORIZON)
        assert curves(found) == by_hand(waits, groups)
        assert found.not_grouped.get("waits", 0) == groups.isna().sum()


def test_curves_by_pairs_count_each_market_of_the_footprint() -> None:
    """`common_language` is a column of the packaged pairs; the simulated market has none."""
    entries = world(0)
    footprints = entries.footprints()[["track_id", "market"]].rename(columns={"market": "source"})
    waits = entries.waits(horizon=HORIZON).merge(footprints, on="track_id").rename(columns={"market": "target"})
    pairs = diffusion.pair_table()[["source", "target", "common_language"]]
    joined = waits.merge(pairs, how="left", on=["source", "target"])
    found = breakthrough(entries, by="common_language", horizon=HORIZON)
    assert curves(found) == by_hand(joined, joined["common_language"].astype(object).where(lambda x: x.notna(), None))
    assert found.not_grouped == {"waits": int(joined["common_language"].isna().sum())}


def test_columns_cross_with_variables_and_other_statistics_take_the_same_groups() -> None:
    entries = world(1)
    waits = entries.waits(horizon=HORIZON)
    label = _label(entries, waits)
    found = breakthrough(entries, by=("label", "market"), horizon=HORIZON)
    assert curves(found) == by_hand(waits, (label + ", " + waits["market"]).where(label.notna(), None))
    assert found.by == "label, market"
    tested = survival.log_rank(entries, "label", horizon=HORIZON)
    sizes = label.value_counts()
    assert dict(tested.groups[["group", "waits"]].to_numpy()) == sizes.to_dict()
    means = survival.restricted_mean(survival.waits(entries, horizon=HORIZON), by={"Åsa": "A", "Bo": "B"})
    assert list(means.table["group"]) == ["A", "B"]


def test_what_is_in_no_group_is_counted_and_said() -> None:
    found = breakthrough(world(0), by={"SE": "north", "FI": "north", "NO": "north", "BR": "south"}, horizon=HORIZON)
    assert found.not_grouped["markets"] == 2 and found.not_grouped["waits"] > 0
    assert found.by == "groups" and found.absent == ("south",)
    said = f"by groups: not grouped, so in no curve: 2 markets and {found.not_grouped['waits']:,} waits"
    assert said in found.notes()
    assert not breakthrough(world(0), by="market", horizon=HORIZON).not_grouped


def test_groups_do_not_take_the_place_of_variables() -> None:
    """A column of groups may be called like a variable, and the clock since release keeps its table."""
    entries = world(0)
    groups = pd.DataFrame({"track_id": entries.tracks()["track_id"], "continent": "one"})
    assert list(breakthrough(entries, by=groups, horizon=HORIZON).summary["group"]) == ["one"]
    released = entries.tracks()[["track_id"]].assign(release_date=entries.tracks()["debut"])
    waiting = survival.waits(entries, clock="release", tracks=released, horizon=HORIZON)
    assert list(breakthrough(waiting, by=groups).summary["group"]) == ["one"]


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("labels", "unknown variable 'labels'; did you mean 'label'"),
        ("star", "unknown variable 'star'; there are none, continent, "),
        (("label", "common_language"), "'common_language' is a column of pairs of markets; group by it alone"),
        ({"Atlantis": "a"}, "no markets, tracks or artists of the charts, such as 'Atlantis'"),
        ({}, "no markets, tracks or artists of the charts$"),
        ({"SE": "a", "Åsa": "b"}, "1 are markets, 0 tracks and 1 artists; give a DataFrame with a column"),
        (pd.DataFrame({"artist": ["Åsa", "asa"], "who": ["A", "B"]}), "the table of groups has asa more than once"),
        (pd.DataFrame({"market": ["SE", "Sweden"], "who": ["A", "B"]}), "the table of groups has SE more than once"),
        (lambda tracks: tracks["mood"], "a column that neither table has: of tracks or of markets: track_id, "),
        (lambda tracks: ["a"], "a group for each of the 16 rows of its table; it returned 1"),
        (5, "groups are by a column, a mapping, a DataFrame or a function, not by a int"),
    ],
)
def test_groups_that_cannot_be_read_are_refused(by: Any, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        breakthrough(world(0), by=by, horizon=HORIZON)
