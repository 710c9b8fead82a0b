"""What charts lack, by market: launches, drop-outs, ends, stale and shallow charts, and what that does to a study."""

from typing import Any, Final

import numpy as np
import pandas as pd

from diffusion import Calendar, Entries, market_names
from diffusion.arrays import Flags, Ints
from diffusion.conventions import LONG_GAP
from diffusion.risk.follow_up import End, FollowUp
from diffusion.timelines import NEVER, Timelines

ALL: Final = "all"
"""Market of stretches of dates on which no market has a chart."""

SHALLOW: Final = 0.9
"""A chart is shallow when it has fewer rows than this share of the chart of the median market."""

EVENTS: Final = {"before": "launch", "between": "drop-out", "after": "end"}
"""Where dates are missing → the event, where they are more than a long gap."""


def missing_tables(entries: Entries, *, horizon: int) -> dict[str, pd.DataFrame]:
    """Return `missing_dates`, `coverage_events`, `coverage_by_market`, `missing_effects`.

    Columns as in `pipelines.contracts.missing`.

    Parameters
    ----------
    entries
        Entries with their calendar.
    horizon
        Days of follow-up after a debut, for what missing charts do to it.
    """
    calendar = entries.calendar
    dates = missing_dates(calendar)
    events = coverage_events(calendar, dates)
    return {
        "missing_dates": dates,
        "coverage_events": events,
        "coverage_by_market": _by_market(entries, dates, events, horizon),
        "missing_effects": missing_effects(entries, horizon=horizon),
    }


def missing_dates(calendar: Calendar) -> pd.DataFrame:
    """Return the stretches of dates on which a market has no chart, from the first date of the charts to the last.

    Dates are due at the cadence of the market. Stretches on which no market has a chart have the market ``all``.
    """
    coverage = calendar.to_pandas()
    day = coverage["date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    every: Ints = np.unique(day)
    step = (coverage["date"] - coverage["previous"]).dt.days.groupby(coverage["market"]).agg(_usual)
    steps = coverage["market"].map(step).fillna(calendar.cadence).to_numpy().astype(np.int64)
    own = _stretches(coverage["market"].to_numpy(), day, steps, every)
    cadence: Ints = np.full(len(every), calendar.cadence)
    none = _stretches(np.full(len(every), ALL), every, cadence, every)
    table = pd.concat([none, own], ignore_index=True)
    inside = np.searchsorted(every, table["last"], side="right") - np.searchsorted(every, table["first"])
    return pd.DataFrame(
        {
            "market": table["market"],
            "first_date": _dates(table["first"]),
            "last_date": _dates(table["last"]),
            "dates": table["dates"],
            "elsewhere": np.minimum(inside, table["dates"]),
            "where": table["where"],
            "long": table["days"] > LONG_GAP,
        }
    )


def calendar_tables(calendar: Calendar) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return coverage as `pipelines.stages.inspection.calendar_cells` takes it: by market, and by date."""
    coverage = calendar.to_pandas()
    step = (coverage["date"] - coverage["previous"]).dt.days.groupby(coverage["market"]).agg(_usual)
    whole = calendar.by_market().assign(chart=calendar.chart)
    depths = coverage.rename(columns={"depth": "chart_rows"}).assign(deepest_rank=coverage["depth"], missing=0)
    return whole.assign(cadence=whole["market"].map(step)), depths


def _usual(steps: "pd.Series[float]") -> float:
    known = steps.dropna()
    return float(known.mode().iloc[0]) if len(known) else np.nan


def _stretches(market: Any, day: Ints, step: Ints, every: Ints) -> pd.DataFrame:
    """Return what is missing before, between and after the days of each market; rows are in order of market and day."""
    new = np.concatenate([[True], market[1:] != market[:-1]])
    ends = np.concatenate([new[1:], [True]])
    before = np.where(new, every[0] - step, np.concatenate([[0], day[:-1]]))
    parts = [(market, before, day, step, np.where(new, "before", "between"))]
    last, own = day[ends], step[ends]
    parts.append((market[ends], last, np.full(len(last), every[-1]) + own, own, np.full(len(last), "after")))
    columns = [np.concatenate(each) for each in zip(*parts, strict=True)]
    table = pd.DataFrame(dict(zip(["market", "from", "to", "step", "where"], columns, strict=True)))
    table["dates"] = (table["to"] - table["from"]) // table["step"] - 1
    table["first"] = table["from"] + table["step"]
    table["last"] = table["from"] + table["step"] * table["dates"]
    # a gap counts from chart to chart; before the first and after the last there is a chart on one side only
    table["days"] = table["to"] - table["from"] - np.where(table["where"] == "between", 0, table["step"])
    return table[table["dates"] > 0].sort_values(["market", "first"], ignore_index=True)


def _dates(days: "pd.Series[int]") -> "pd.Series[Any]":
    return pd.Series(days.to_numpy().astype("datetime64[D]").astype("datetime64[s]"))


def coverage_events(calendar: Calendar, dates: pd.DataFrame) -> pd.DataFrame:
    """Return launches, drop-outs and ends of markets, and their runs of stale and of shallow charts.

    Parameters
    ----------
    dates
        Result of `missing_dates`.
    """
    coverage = calendar.to_pandas()
    usual = coverage.groupby("market")["depth"].median().median()
    absent = dates[dates["long"] & (dates["market"] != ALL)]
    found = [absent.assign(event=absent["where"].map(EVENTS), depth=np.nan)]
    for event, flag in (("stale", coverage["stale"]), ("shallow", coverage["depth"] < SHALLOW * usual)):
        found.append(_runs(coverage, flag.to_numpy(np.bool_)).assign(event=event))
    columns = ["market", "event", "first_date", "last_date", "dates", "depth"]
    there = [one for one in found if len(one)] or found[:1]
    parts = [one[columns].assign(depth=one["depth"].astype(np.float64)) for one in there]
    return pd.concat(parts).sort_values(["market", "event", "first_date"], ignore_index=True)


def _runs(coverage: pd.DataFrame, flag: Flags) -> pd.DataFrame:
    """Return the runs of charts in a row that are flagged, each within one market."""
    market = coverage["market"].to_numpy()
    changes = np.ones(len(flag), np.bool_)
    changes[1:] = (flag[1:] != flag[:-1]) | (market[1:] != market[:-1])
    runs = coverage[flag].groupby(np.cumsum(changes)[flag])
    return runs.agg(
        market=("market", "first"),
        first_date=("date", "min"),
        last_date=("date", "max"),
        dates=("date", "size"),
        depth=("depth", "mean"),
    )


def missing_effects(entries: Entries, *, horizon: int) -> pd.DataFrame:
    """Return what missing charts do to entries, ties and follow-up, each with what it is counted of.

    Entries are loosely dated when the market's chart before is missing: they fell somewhere in the gap. Follow-up is
    what coverage allows a track that never enters, in each market outside its footprint, until the horizon.
    """
    lines = entries.timelines
    one_day, gaps = tied(lines)
    loose = loosely_dated(lines, entries.calendar.cadence)
    ends = _ends(lines, horizon)
    total = int(ends.sum())
    rows = [
        ("entries loosely dated", int(loose.sum()), int((~lines.left_censored).sum())),
        ("ties of one date", int(one_day.sum()), int(one_day.sum() + gaps.sum())),
        ("ties by a missing chart", int(gaps.sum()), int(one_day.sum() + gaps.sum())),
        *(
            (f"follow-up {words}", int(ends[end].sum()), total)
            for end, words in (
                (End.HORIZON, "whole"),
                (End.GAP, "cut by a drop-out"),
                (End.COVERAGE, "cut by the end of the market's charts"),
                (End.UNOBSERVED, "none: the market is not observed in time"),
            )
        ),
    ]
    table = pd.DataFrame(rows, columns=["effect", "count", "of"])
    return table.assign(share=(table["count"] / table["of"].where(table["of"] > 0)).astype("float64"))


def loosely_dated(lines: Timelines, cadence: int) -> Flags:
    """Return, (k,), whether a timed entry has no chart of its market one cadence before."""
    loose: Flags = ~lines.left_censored & (lines.last_without != NEVER) & (lines.day - lines.last_without > cadence)
    return loose


def tied(lines: Timelines) -> tuple[Ints, Ints]:
    """Return, (k,) each, earlier entries of the same track that each entry ties with: of its date, and through a gap.

    Entries and debuts within a washout are left out, as in `diffusion.pairs`. An entry ties with an earlier one that
    came after the last chart on which its own market was still without the track.
    """
    kept = np.flatnonzero(~lines.debut_censored[lines.track])
    track, day = lines.track[kept].astype(np.int64), lines.day[kept].astype(np.int64)
    without = np.maximum(lines.last_without[kept].astype(np.int64), lines.debut[lines.track[kept]] - 1)
    key = (track << 32) + day
    same, after = np.searchsorted(key, key), np.searchsorted(key, (track << 32) + without, side="right")
    usable = ~lines.left_censored[kept]
    # places among timed entries
    before = np.concatenate([[0], np.cumsum(usable)])
    one_day, gaps = np.zeros(len(lines.day), np.int64), np.zeros(len(lines.day), np.int64)
    one_day[kept] = np.where(usable, before[np.arange(len(kept))] - before[same], 0)
    gaps[kept] = np.where(usable, before[same] - before[np.minimum(after, same)], 0)
    return one_day, gaps


def _ends(lines: Timelines, horizon: int) -> Ints:
    """Return, (reasons, m), how many tracks' follow-up ends for each reason of `End`, outside their footprints."""
    follow_up = FollowUp.of_waits(lines, horizon)
    timed = ~lines.debut_censored
    rows, counts = np.unique(follow_up.row(lines.debut[timed]), return_counts=True)
    ends = np.zeros((len(End), len(lines.markets)), np.int64)
    for end in (End.HORIZON, End.COVERAGE, End.GAP, End.UNOBSERVED):
        ends[end] = counts @ (follow_up.end[rows] == end)
    there = np.flatnonzero(timed[lines.track] & (lines.day == lines.debut[lines.track]))
    reason = follow_up.end[follow_up.row(lines.day[there]), lines.market[there]]
    np.subtract.at(ends, (reason, lines.market[there]), 1)
    return ends


def _by_market(entries: Entries, dates: pd.DataFrame, events: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """Return one row per market: its charts, what they lack, and what that does to entries and follow-up."""
    lines, table = entries.timelines, entries.calendar.by_market().set_index("market")
    number = len(lines.markets)
    missing = dates.pivot_table(index="market", columns="where", values="dates", aggfunc="sum")
    kinds = events.groupby(["market", "event"])["dates"].agg(["size", "sum"])
    loose, ends = loosely_dated(lines, entries.calendar.cadence), _ends(lines, horizon)
    followed = np.maximum(ends.sum(axis=0), 1)
    found = pd.DataFrame(
        {
            "entries": np.bincount(lines.market[~lines.left_censored], minlength=number),
            "loose": np.bincount(lines.market[loose], minlength=number),
            "gap_ties": np.bincount(lines.market, tied(lines)[1], number).astype(np.int64),
            "followed_whole": ends[End.HORIZON] / followed,
            "never_followed": ends[End.UNOBSERVED] / followed,
        },
        index=pd.Index(lines.markets, name="market"),
    )
    for where in EVENTS:
        table[where] = missing[where].reindex(table.index).fillna(0).astype(int) if where in missing else 0
    for name, event, count in (("drop_outs", "drop-out", "size"), ("shallow", "shallow", "sum")):
        own = kinds[kinds.index.get_level_values("event") == event].droplevel("event")[count]
        table[name] = own.reindex(table.index).fillna(0).astype(int)
    columns = ["name", "first_date", "last_date", "dates", *EVENTS, "drop_outs", "stale", "shallow", "depth_median"]
    return table[columns].join(found).reset_index().assign(name=lambda it: it["market"].map(market_names(it["market"])))
