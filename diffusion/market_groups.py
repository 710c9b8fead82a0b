"""Groups of markets as one market: its coverage, its entries, and what is known of it and of its pairs."""

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from diffusion.calendar import Calendar
from diffusion.contracts import COVERAGE, ENTRIES, WITHHELD, Contract
from diffusion.distances import pair_table
from diffusion.errors import DataSaysNoError, SettingError, UnknownMarketError
from diffusion.frames import frame_of
from diffusion.markets import market_names, plain_name, reference_table, resolve

if TYPE_CHECKING:
    from diffusion.entries import Entries

MarketGroups = Mapping[str, tuple[str, ...]]
"""Name of each group → codes of its markets, in order."""

LONGEST_NAME: Final = 40
"""Most characters of the name of a group."""

_OF_PAIRS: Final = {
    "distance_km": "min",
    "contiguous": "max",
    "common_language": "max",
    "language_overlap": "max",
    "cultural_distance": "min",
}
"""Number of a pair → how those of the members of a group are combined: its nearest, its most alike."""


def with_groups(entries: "Entries", groups: Mapping[str, Collection[str]]) -> "Entries":
    """Return entries with groups of markets in place of their members; see `Entries.group_markets`.

    Raises
    ------
    SettingError
        When a name or a market cannot be used, or markets are grouped already.
    DataSaysNoError
        When the members of a group were never in coverage together.
    """
    if entries.groups:
        raise SettingError(f"the markets are grouped already: {', '.join(entries.groups)}; name all groups at once")
    known, periods = checked_groups(groups, entries.calendar.markets), entries.rules.min_periods
    coverage = group_coverage(frame_of(entries.calendar.coverage), entries.calendar.spans(min_periods=periods), known)
    calendar = Calendar(_replaced(entries.calendar.coverage, coverage, known, COVERAGE))
    spans = calendar.spans(min_periods=periods)
    entered = group_entries(frame_of(entries.table), spans, known, washout=entries.rules.washout)
    return replace(
        entries,
        table=_replaced(entries.table, entered, known, ENTRIES),
        calendar=calendar,
        withheld=_replaced(entries.withheld, group_withheld(frame_of(entries.withheld), known), known, WITHHELD),
        groups=known,
    )


def _replaced(table: pa.Table, grouped: pd.DataFrame, groups: MarketGroups, contract: Contract) -> pa.Table:
    """Return a table with the rows of groups in place of those of their members, in order of its key."""
    members = pc.is_in(table["market"], pa.array(list(_group_of(groups)), pa.string()))
    own = pa.Table.from_pandas(grouped[table.column_names], schema=table.schema, preserve_index=False)
    whole = pa.concat_tables([table.filter(pc.invert(members)), own])
    return whole.sort_by([(name, "ascending") for name in contract.key])


def checked_groups(groups: Mapping[str, Collection[str]], markets: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return name → codes of the members that the charts have.

    Parameters
    ----------
    groups
        Name → names or codes of its markets.
    markets
        Codes of the markets of the charts.

    Raises
    ------
    SettingError
        When a name is empty, too long, or that of a market; when a market is in two groups, or unknown; or when the
        charts have no market of a group.
    """
    if not groups:
        raise SettingError('no group of markets is named; give name and members, such as { Nordics = ["SE", "NO"] }')
    found: dict[str, tuple[str, ...]] = {}
    for name, members in groups.items():
        _check_name(name, markets)
        if isinstance(members, str) or not members:
            raise SettingError(f'the group \'{name}\' needs a list of markets, such as ["SE", "NO"]')
        codes = sorted({member if member in markets else str(resolve(member)) for member in members})
        found[name] = tuple(code for code in codes if code in markets)
        if not found[name]:
            raise SettingError(f"the charts have no market of the group '{name}': {', '.join(codes)}")
    plain = [plain_name(name) for name in found]
    if len(set(plain)) < len(plain):
        raise SettingError(f"groups of markets need names that differ in letters: {', '.join(found)}")
    all_members = [code for codes in found.values() for code in codes]
    twice = sorted({code for code in all_members if all_members.count(code) > 1})
    if twice:
        raise SettingError(f"{', '.join(twice)} stand in two groups of markets; a market belongs to one")
    return found


def _check_name(name: str, markets: Collection[str]) -> None:
    """Refuse a name of a group that is no text for files and figures, or means a market."""
    plain = isinstance(name, str) and bool(plain_name(name)) and name == name.strip() and len(name) <= LONGEST_NAME
    if not plain or any(unicodedata.category(letter)[0] == "C" for letter in name):
        raise SettingError(f"{name!r} is no name of a group: give 1 to {LONGEST_NAME} letters, without line breaks")
    try:
        code = resolve(name)
    except UnknownMarketError:
        code = name if name in markets else ""
    if code:
        raise SettingError(f"the group '{name}' is called like the market {code}; give it another name")


def group_coverage(coverage: pd.DataFrame, spans: pd.DataFrame, groups: MarketGroups) -> pd.DataFrame:
    """Return the coverage of groups: the dates on which some member was observed while all were in coverage.

    Parameters
    ----------
    coverage
        As `diffusion.contracts.COVERAGE`.
    spans
        As `diffusion.contracts.SPANS`, of the dates on which an event can be dated.

    Raises
    ------
    DataSaysNoError
        When the members of a group were never in coverage together.
    """
    parts = []
    for name, members in groups.items():
        own = coverage[coverage["market"].isin(members)]
        dates = own.groupby("date").agg(chart=("chart", "first"), depth=("depth", "sum"), stale=("stale", "all"))
        stretches = _together(spans, members)
        for number, (first, last) in enumerate(stretches, start=1):
            parts.append(dates.loc[first:last].assign(market=name, span=number))
        if not stretches:
            names = ", ".join(market_names(members).values())
            raise DataSaysNoError(f"the markets of the group '{name}' were never in coverage together: {names}")
    found = pd.concat(parts).reset_index()
    return found.assign(previous=found.groupby("market")["date"].shift())


def _together(spans: pd.DataFrame, members: tuple[str, ...]) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """Return first and last day of each time in which all members are in one of their stretches."""
    found = [(pd.Timestamp.min, pd.Timestamp.max)]
    for market in members:
        own = spans[spans["market"] == market].sort_values("first_date")
        stretches = list(zip(own["first_date"], own["last_date"], strict=True))
        both = [(max(a, first), min(b, last)) for a, b in found for first, last in stretches]
        found = [(first, last) for first, last in both if first <= last]
    return found


def group_entries(entries: pd.DataFrame, spans: pd.DataFrame, groups: MarketGroups, *, washout: int) -> pd.DataFrame:
    """Return the entries into groups: into the first of its members that a track enters.

    The event falls after the earliest `last_without` of the members entered, and at the earliest `entry`. It is
    left-censored outside the coverage of the group and in its washout.

    Parameters
    ----------
    entries
        As `diffusion.contracts.ENTRIES`.
    spans
        As `diffusion.contracts.SPANS`, of the groups.
    washout
        Days.
    """
    own = entries.assign(market=entries["market"].map(_group_of(groups))).dropna(subset="market")
    own = own.sort_values(["entry", "rank"], kind="stable")
    by_group = own.groupby(["track_id", "market"], sort=False)["last_without"]
    never = own["last_without"].isna().groupby([own["track_id"], own["market"]]).transform("any")
    own = own.assign(last_without=by_group.transform("min").where(~never)).drop_duplicates(["track_id", "market"])
    timed = np.zeros(len(own), bool)
    for span in spans[spans["market"].isin(list(groups))].to_dict("records"):
        past = span["first_date"] + pd.Timedelta(washout, "D")
        timed |= ((own["market"] == span["market"]) & own["entry"].between(past, span["last_date"])).to_numpy()
    return own.assign(left_censored=~timed)


def group_withheld(withheld: pd.DataFrame, groups: MarketGroups) -> pd.DataFrame:
    """Return `track_id`, `market`: the groups of which a track has no licence in any member."""
    named = withheld.assign(market=withheld["market"].map(_group_of(groups))).dropna(subset="market")
    counted = named.groupby(["track_id", "market"]).size().rename("members").reset_index()
    every = counted["market"].map({name: len(members) for name, members in groups.items()})
    return counted.loc[counted["members"] == every, ["track_id", "market"]]


def market_table(groups: MarketGroups) -> pd.DataFrame:
    """Return the reference table with one row more for each group.

    A group's population and area are sums, where those of all members are known. Its position is the middle of the
    members' by population. What else all members share, such as the continent, is the group's too.
    """
    table = reference_table()
    if not groups:
        return table
    rows = [_described(name, table[table["market"].isin(members)]) for name, members in groups.items()]
    return pd.concat([table, pd.DataFrame(rows, columns=table.columns).astype(table.dtypes)], ignore_index=True)


def _described(name: str, members: pd.DataFrame) -> dict[str, Any]:
    """Return what is known of a group, column → value."""
    first = members.iloc[:1]
    same = [column for column in members if members[column].isin(first[column]).all()]
    shared: dict[str, Any] = dict(first[same].iloc[0]) if len(members) else {}
    sums = {column: members[column].sum(skipna=False) for column in ("population", "area_km2") if len(members)}
    latitude, longitude = _middle(members)
    return shared | sums | {"market": name, "name": name, "iso3": "", "latitude": latitude, "longitude": longitude}


def _middle(members: pd.DataFrame) -> tuple[float, float]:
    """Return latitude and longitude of the middle of markets on the globe, weighted by population; NaN if not known."""
    known = members.dropna(subset=["latitude", "longitude"])
    weight = known["population"].astype(float).fillna(0).to_numpy() + 1
    north, east = (np.radians(known[name].to_numpy(np.float64)) for name in ("latitude", "longitude"))
    x, y, z = (
        float((weight * part).sum())
        for part in (np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north))
    )
    if np.hypot(np.hypot(x, y), z) <= 0:
        return np.nan, np.nan
    return float(np.degrees(np.arctan2(z, np.hypot(x, y)))), float(np.degrees(np.arctan2(y, x)))


def group_pairs(groups: MarketGroups) -> pd.DataFrame:
    """Return the table of pairs with the groups in place of their members.

    A group is as near to another market as its nearest member, and as alike as the member most like it.
    """
    table = pair_table()
    if not groups:
        return table
    of = _group_of(groups)
    named = table.assign(**{side: table[side].map(of).fillna(table[side]) for side in ("source", "target")})
    touched = (named["source"] != table["source"]) | (named["target"] != table["target"])
    joined = named[touched & (named["source"] != named["target"])]
    pairs = joined.groupby(["source", "target"], as_index=False).agg({**_OF_PAIRS, "origin": "min"})
    whole = pd.concat([table[~touched], pairs.astype(table.dtypes)], ignore_index=True)
    return whole.sort_values(["source", "target"], ignore_index=True)


def _group_of(groups: MarketGroups) -> dict[str, str]:
    """Return code of each member → name of its group."""
    return {code: name for name, members in groups.items() for code in members}
