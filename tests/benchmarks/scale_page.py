"""The page that `bench_scale` writes of what it measured: `scale.md` and `scale.png`, from `scale.csv`.

Growth is the slope of the logarithm of processors' seconds over that of rows: other work on the machine changes these
less than seconds. What another million rows cost is taken from the last two sizes, so that what a session and its
stages cost once is left out.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

DUCKDB, ONE, TWO = "duckdb-1GB", "spark-1", "spark-2"
SUMS = ("pairs", "baseline", "waits")
"""Tasks that are sums over the tracks of entries; the others are relations over rows."""

AIM = 1.05
"""Growth of a relation at most."""

LARGE = 10_000_000_000
PARTITION_MB = 128
"""Size of a task's part of a shuffle, or of a file."""

ROW_BYTES = 7
"""Bytes of a row in cleaned charts, compressed: 180 MB for 26.8 million rows."""

CORES = (16, 64, 256)
MOVING, COST = "## When to move", "## At 10 billion rows, on paper"
"""Sections that other pages link to."""

PROCESSORS = os.cpu_count() or 1

HEAD = """# Scale, measured

Made by `make bench-scale`. The charts are simulated: 69 markets, daily Top 200 and Viral 50. Larger charts have more
days, with as many new tracks per day: dates, tracks and entries grow with the rows. Each number is the median of {runs}
run(s), each in a process of its own. The machine has {processors} processors; its load average before the runs, to
which the run before adds about 3, was {load:.1f} (median). Where that is more, something else was at work: compare the
columns with each other, and do not take the seconds as they are.

`duckdb-500MB` is DuckDB with that memory limit. `spark-2` is Spark with two executors of one processor and 1 GB each,
and a driver of 2 GB, all on this machine (`local-cluster`); `spark-1` has one executor.

![Seconds, memory and spill by rows](scale.png)"""


def growth(rows: pd.DataFrame) -> float:
    """Return the slope of the logarithm of processors' seconds over that of rows; NaN for fewer than two sizes."""
    done = rows[(rows["failed"] == 0) & (rows["processor_seconds"] > 0)]
    if len(done) < 2:
        return np.nan
    return float(np.polyfit(np.log(done["rows"]), np.log(done["processor_seconds"]), 1)[0])


def per_million(table: pd.DataFrame, engine: str, column: str) -> "pd.Series[float]":
    """Return what another million rows cost each task, from the last two sizes."""
    wide = wide_of(table[table["engine"] == engine], "task", "rows", column)
    last, before = wide.columns[-1], wide.columns[-2]
    return ((wide[last] - wide[before]) / (last - before) * 1e6).clip(lower=0)


def wide_of(table: pd.DataFrame, down: str, across: str, column: str) -> pd.DataFrame:
    """Return a column with one line per value of `down` and one column per value of `across`, in order of the table."""
    wide = table.pivot_table(index=down, columns=across, values=column, sort=False)
    return wide.reindex(index=table[down].unique(), columns=table[across].unique())


def all_tasks(table: pd.DataFrame) -> pd.DataFrame:
    """Return sums over the tasks, and their highest peaks: one row per size and engine."""
    table = table.assign(memory_mb=table["process_mb"] + table["others_mb"])
    sums = {name: (name, "sum") for name in ("seconds", "processor_seconds")}
    peaks = {name: (name, "max") for name in ("memory_mb", "process_mb", "spilled_mb")}
    return table.groupby(["size", "rows", "engine"], sort=False).agg(**sums, **peaks).reset_index()


def markdown(table: pd.DataFrame) -> str:
    """Return a table and its index as Markdown."""
    table = table.reset_index()
    lines = [list(map(str, table.columns)), ["---"] * len(table.columns)]
    lines += [[cell(value) for value in row] for row in table.itertuples(index=False)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def cell(value: object) -> str:
    """Return a value as it stands in a table."""
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{value:,.2f}" if abs(value) < 10 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int | np.integer) else str(value)


def in_words(rows: Sequence[int]) -> list[str]:
    """Return numbers of rows as headings."""
    return [f"{number / 1e6:.1f} M rows" for number in rows]


def totals_part(table: pd.DataFrame) -> str:
    rows = all_tasks(table)
    parts = []
    for column, heading in (
        ("seconds", "Seconds, all tasks"),
        ("memory_mb", "Peak memory in MB, all processes"),
        ("process_mb", "Peak memory in MB, this process (on Spark: without its Java)"),
    ):
        wide = wide_of(rows, "engine", "rows", column)
        parts.append(f"**{heading}**\n\n{markdown(wide.set_axis(in_words(list(wide.columns)), axis=1))}")
    return "\n\n".join(["## All tasks", *parts])


def growth_part(table: pd.DataFrame) -> str:
    found = table.groupby(["task", "engine"], sort=False)[["rows", "processor_seconds", "failed"]].apply(growth)
    wide = wide_of(found.rename("growth").reset_index(), "task", "engine", "growth")
    steep = found.drop(index=list(SUMS), errors="ignore", level="task")
    above = [f"{task} on {engine} ({number:.3f})" for (task, engine), number in steep[steep > AIM].items()]
    said = f"Relations that grow faster than {AIM}: {', '.join(above) or 'none'}."
    pairs = (
        "Pairs, and with them the sums, grow with Σ markets² of the tracks; here tracks reach as many markets in large "
        "charts as in small ones, so that they grow with the rows."
    )
    return (
        f"## Growth\n\nSlopes of processors' seconds over rows; 1 is in proportion. {said} {pairs}\n\n{markdown(wide)}"
    )


def task_part(table: pd.DataFrame, engine: str) -> str:
    rows = table[table["engine"] == engine]
    wide = wide_of(rows, "task", "rows", "processor_seconds")
    wide = wide.set_axis(in_words(list(wide.columns)), axis=1)
    largest = rows[rows["rows"] == rows["rows"].max()].set_index("task")
    more = ["seconds", "process_mb", "spilled_mb"]
    if engine.startswith("spark"):
        more = ["seconds", "stages", "shuffles", "tasks", "shuffled_mb", "shuffled_rows"]
    named = {name: f"{name.replace('_', ' ')} at most rows" for name in more}
    return f"**{engine}: seconds of processors**\n\n{markdown(wide.join(largest[more].rename(columns=named)))}"


def spill_part(table: pd.DataFrame) -> str:
    rows = table[table["engine"].str.startswith("duckdb")].copy()
    most = rows.loc[rows.groupby(["rows", "engine"], sort=False)["spilled_mb"].idxmax()]
    lines = [
        f"| {row.rows / 1e6:.1f} M | {row.engine} | {row.spilled_mb:,.0f} | {row.task} |" for row in most.itertuples()
    ]
    failed = rows[rows["failed"] > 0]
    said = [f"{row.task} at {row.rows / 1e6:.1f} M rows with {row.engine}" for row in failed.itertuples()]
    head = "Megabytes in the spill folder at most, and the task that had them there. "
    return "\n".join(
        [
            "## Where DuckDB spills\n",
            head + f"Out of memory: {', '.join(said) or 'never'}.\n",
            "| rows | engine | MB on disk | task |\n| --- | --- | --- | --- |",
            *lines,
        ]
    )


def ratios(seconds: pd.DataFrame, longer: str, shorter: str) -> str:
    """Return how many times as long one engine takes as the other, at the sizes that both have done."""
    there = seconds.reindex(columns=[longer, shorter]).dropna()
    found = [f"{row[longer] / row[shorter]:.2g} × at {rows / 1e6:.1f} M rows" for rows, row in there.iterrows()]
    return ", ".join(found) or "not measured"


def moving_part(table: pd.DataFrame, with_session: pd.DataFrame) -> str:
    """Return from how many rows on Spark is quicker, by processors of its cluster."""
    totals = all_tasks(table)
    seconds = wide_of(totals, "rows", "engine", "seconds")
    sessions = with_session[(with_session["engine"] == TWO) & (with_session["task"] == "session")]
    cost = float(per_million(table, TWO, "processor_seconds").sum())
    ours = float(per_million(table, DUCKDB, "processor_seconds").sum())
    spent = wide_of(totals, "rows", "engine", "processor_seconds")
    largest = spent[TWO].dropna()
    fixed = max(0.0, float(largest.iloc[-1]) - cost * float(largest.index[-1]) / 1e6) / 2
    once = float(sessions["seconds"].median()) + fixed
    lines = []
    for cores in CORES:
        gain = ours / PROCESSORS - cost / cores
        lines.append(f"| {cores} | {'never' if gain <= 0 else f'{once / gain / 1e3:,.1f} billion rows'} |")
    return f"""{MOVING}

Spark with two executors takes longer than DuckDB on the same machine: {ratios(seconds, TWO, DUCKDB)}. In seconds of
processors it is {ratios(spent, TWO, DUCKDB)}.

One executor takes so many times as long as two: {ratios(seconds, ONE, TWO)}. Here all of them share {PROCESSORS}
processors with the driver.

Another million rows cost DuckDB {ours:.2f} s of a processor, and Spark {cost:.2f} s. Besides, Spark takes about
{once:.0f} s once: to start its session, and to plan and start its stages. So against DuckDB on {PROCESSORS} processors
Spark needs more than {PROCESSORS * cost / ours:.0f} to be quicker at all. With more, it is quicker from so many rows on
({once:.0f} ÷ ({ours:.2f} ÷ {PROCESSORS} − {cost:.2f} ÷ processors) millions):

| processors of the cluster | quicker from |
| --- | --- |
""" + "\n".join(lines)


def cost_part(table: pd.DataFrame) -> str:
    """Return what `LARGE` rows cost on Spark, in proportion."""
    million = {name: per_million(table, TWO, name) for name in ("processor_seconds", "shuffled_mb", "shuffled_rows")}
    done = table[table["engine"] == TWO]
    largest = done[done["rows"] == done["rows"].max()].set_index("task")
    times = LARGE / 1e6
    cost = pd.DataFrame(
        {
            "s of a processor per M rows": million["processor_seconds"],
            "MB shuffled per M rows": million["shuffled_mb"],
            "shuffles": largest["shuffles"],
            "processor hours": million["processor_seconds"] * times / 3600,
            "GB shuffled": million["shuffled_mb"] * times / 1000,
            "billion rows shuffled": million["shuffled_rows"] * times / 1e9,
            "tasks that read shuffles": np.ceil(million["shuffled_mb"] * times / PARTITION_MB),
        }
    ).reindex(largest.index)
    hours, shuffled = float(cost["processor hours"].sum()), float(cost["GB shuffled"].sum())
    files = LARGE * ROW_BYTES / 1e9
    return f"""{COST}

Every number is {times:,.0f} times what another million rows cost between the last two sizes above. The charts are
{files:,.0f} GB of Parquet ({ROW_BYTES} bytes a row): {files * 1000 / PARTITION_MB:,.0f} tasks of {PARTITION_MB} MB to
read them once. All tasks together take {hours:,.0f} hours of one processor, which is {hours / 64 * 60:,.0f} minutes of
a cluster with 64 of them, and shuffle {shuffled:,.0f} GB.

{markdown(cost)}"""


def drawn(table: pd.DataFrame, path: Path) -> None:
    """Draw seconds, memory and spill of all tasks over rows."""
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    rows = all_tasks(table)
    ticks = sorted(rows["rows"].unique() / 1e6)
    titles = {
        "processor_seconds": "seconds of processors",
        "memory_mb": "peak memory, MB, all processes",
        "spilled_mb": "MB on disk",
    }
    for panel, (column, title) in zip(figure.subplots(1, 3), titles.items(), strict=True):
        for engine, one in rows.groupby("engine", sort=False):
            panel.plot(one["rows"] / 1e6, one[column], marker="o", label=engine)
        panel.set(title=title, xlabel="million rows", xscale="log")
        panel.set_xticks(ticks, [f"{tick:.1f}" for tick in ticks], minor=False)
        panel.minorticks_off()
        if column == "processor_seconds":
            panel.set_yscale("log")
            panel.legend(fontsize=8)
    figure.savefig(path, dpi=100)


def write_page(out: Path) -> str:
    """Write `scale.md` and `scale.png` beside `scale.csv`, and return the text."""
    with_session = pd.read_csv(out / "scale.csv")
    table = with_session[with_session["task"] != "session"]
    drawn(table, out / "scale.png")
    parts = [totals_part(table), growth_part(table), spill_part(table)]
    if len(set(table["rows"][table["engine"] == TWO])) > 1:
        parts += [moving_part(table, with_session), cost_part(table)]
    else:
        parts += [f"{title}\n\nNot known: {TWO} was measured at fewer than two sizes." for title in (MOVING, COST)]
    head = HEAD.format(runs=int(table["runs"].min()), load=table["load"].median(), processors=PROCESSORS)
    tasks = [task_part(table, engine) for engine in table["engine"].unique()]
    text = "\n\n".join([head, *parts, "## Every task", *tasks]) + "\n"
    (out / "scale.md").write_text(text, encoding="utf-8")
    return text
