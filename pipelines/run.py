"""Running a study: charts in; entries, graph, curves, figures and report out, skipping what is unchanged."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

import figures
from diffusion import Calendar, Charts, DataSaysNoError, Entries, EventRules, SettingError, open_charts
from diffusion.engine import Engine
from diffusion.layouts import find_source
from diffusion.star import find_star
from graphs import MarketGraph, market_graph
from pipelines.drawings import DRAWN, Drawing, graph_figures, survival_figures, tested_figures
from pipelines.explain import LEVEL
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import file_facts, fingerprint
from pipelines.graph_tables import direct_tables, leader_tables, structure_tables
from pipelines.progress import Report
from pipelines.report import report_html
from pipelines.study import SAMPLE, Study
from pipelines.summary import unmatched_counts
from pipelines.tables import load_graph
from survival import Breakthrough, breakthrough

KINDS: tuple[figures.Kind, ...] = ("png", "svg")

GRAPH_STEPS = ("entries", "graph", "leaders", "structure")
"""What `graph` makes, in order."""

STEPS = (*GRAPH_STEPS, "direct", "survival", "graph_figures", "survival_figures", "report")
"""What a full run makes, in order."""

OUTDATES = {
    "entries": STEPS[1:],
    "graph": ("leaders", "structure", "direct", "graph_figures", "report"),
    "leaders": ("graph_figures", "report"),
    "structure": ("graph_figures", "report"),
    "direct": ("graph_figures", "report"),
    "survival": ("survival_figures", "report"),
}
"""Step → steps that were made from what it made before."""


@dataclass
class Run:
    """One run of a study into a folder; each method makes one step, or finds it unchanged."""

    study: Study
    folder: Folder
    tell: Report

    def make(self, *steps: str) -> None:
        """Make the named steps in order."""
        for step in steps:
            getattr(self, f"make_{step}")()

    @cached_property
    def charts_path(self) -> Path | str:
        """Where the charts are."""
        if self.study.path == SAMPLE:
            return Path(str(resources.files("diffusion").joinpath("data", "top50_daily_2021.parquet")))
        return self.study.path

    @cached_property
    def inputs(self) -> list[dict[str, Any]]:
        """Path, size and SHA-256 of every chart file."""
        star = find_star(self.charts_path)
        if star is not None:
            return file_facts(star.files, star.place)
        with Engine() as engine:
            files = find_source(self.charts_path, engine, columns=self.study.columns or None).files
        root = Path(self.charts_path)
        return file_facts(files, root if root.is_dir() else files[0].parent)

    @cached_property
    def entries_print(self) -> str:
        """Fingerprint of the entries."""
        return fingerprint("entries", self.inputs, self.study.settings("charts", "events"))

    @cached_property
    def graph_print(self) -> str:
        """Fingerprint of the graph."""
        return fingerprint("graph", self.entries_print, self.study.window, self.study.permutations, self.study.seed)

    @cached_property
    def leaders_print(self) -> str:
        """Fingerprint of the leaders and of the graph's structure."""
        return fingerprint("leaders", self.graph_print, self.study.replicates)

    @cached_property
    def direct_print(self) -> str:
        """Fingerprint of direct influence."""
        return fingerprint("direct", self.entries_print, self.study.window, self.study.horizon)

    @cached_property
    def survival_print(self) -> str:
        """Fingerprint of the survival curves."""
        return fingerprint("survival", self.entries_print, self.study.settings("survival"))

    @cached_property
    def entries(self) -> Entries:
        """The entries, read from the folder where they are already there."""
        self.make_entries()
        calendar = Calendar(self.folder.read_table("coverage.parquet"))
        study = self.study
        rules = EventRules(calendar.chart, study.top, study.min_periods, study.washout, study.identity)
        return Entries(
            self.folder.read_table("entries.parquet"),
            calendar,
            rules,
            self.folder.read_table("withheld.parquet"),
            self.folder.read_table("tracks.parquet").select(["track_id", "artist"]),
        )

    @cached_property
    def graph(self) -> MarketGraph:
        """The graph, read from the folder where it is already there."""
        self.make_graph()
        return load_graph(self.folder.read_table, self.folder.notes("graph"), self.entries.timelines)

    @cached_property
    def curves(self) -> tuple[Breakthrough, ...]:
        """The survival curves of every grouping."""
        return tuple(breakthrough(self.entries, by=by, horizon=self.study.horizon) for by in self.study.by)

    def make_entries(self) -> None:
        """Read the charts; write entries, coverage, tracks, and what licences withhold."""
        if self.folder.unchanged("entries", self.entries_print):
            return
        self.tell("reading charts")
        study = self.study
        with open_charts(self.charts_path, columns=study.columns or None, market_names=study.market_names) as charts:
            entries = charts.entries(
                top=study.top,
                min_periods=study.min_periods,
                washout=study.washout,
                identity=study.identity,
                chart=study.chart,
            )
            tracks = charts.tracks().select(["track_id", "title", "artist"])
            tracks = tracks.filter(pc.is_in(tracks["track_id"], entries.table["track_id"].unique()))
            notes = _notes(charts, entries)
        parameters = {"inputs": self.inputs} | study.settings("charts", "events")
        self._begin("entries", self.entries_print, parameters=parameters, notes=notes)
        self.folder.put_table("entries", "entries.parquet", entries.table)
        self.folder.put_table("entries", "coverage.parquet", entries.calendar.coverage)
        self.folder.put_table("entries", "withheld.parquet", entries.withheld)
        self.folder.put_table("entries", "tracks.parquet", tracks)

    def make_graph(self) -> None:
        """Write nodes, edges, lag counts and GraphML of the market graph."""
        self.make_entries()
        if self.folder.unchanged("graph", self.graph_print):
            return
        self.tell("counting transitions")
        study = self.study
        bare = market_graph(self.entries, window=study.window)
        self.tell(f"testing edges against chance, {study.permutations} fillings")
        graph = bare.tested(permutations=study.permutations, seed=study.seed)
        edges = graph.edges
        notes = {
            "chart": graph.chart,
            "window": graph.window,
            "transitions": int(edges["tracks"].sum()),
            "ties": int(edges["joint"].sum()) // 2,
            "permutations": study.permutations,
            "significant": int((edges["q"] <= LEVEL).sum()),
            "directed": int((edges["q_order"] <= LEVEL).sum()),
            "both": int(((edges["q"] <= LEVEL) & (edges["q_order"] <= LEVEL)).sum()),
            "exposed": int(edges["exposed"].sum()),
            "unmatched": unmatched_counts(graph),
        }
        parameters = study.settings("graph") | {"window": graph.window}
        self._begin("graph", self.graph_print, parameters=parameters, notes=notes)
        self.folder.put_table("graph", "edges.parquet", edges)
        self.folder.put_table("graph", "markets.parquet", graph.nodes)
        self.folder.put_table("graph", "lags.parquet", graph.lags)
        self.folder.put_table("graph", "periods.parquet", _arrow(graph.periods()))
        self.folder.put("graph", "graph.graphml", graph.graphml())
        self.folder.put("graph", "graph.gexf", graph.gexf())
        self.folder.put("graph", "graph.dot", graph.dot().encode())

    def make_leaders(self) -> None:
        """Write the leaders with intervals, over time, and what they predict."""
        self.make_graph()
        if self.folder.unchanged("leaders", self.leaders_print):
            return
        study = self.study
        self.tell(f"drawing {study.replicates:,} graphs")
        made = leader_tables(self.graph, self.entries, replicates=study.replicates, seed=study.seed)
        self._put_tables("leaders", self.leaders_print, *made)

    def make_structure(self) -> None:
        """Write the backbone, the communities, and whether distances explain the flows."""
        self.make_graph()
        key = fingerprint("structure", self.leaders_print)
        if self.folder.unchanged("structure", key):
            return
        self.tell("finding communities")
        made = structure_tables(self.graph, replicates=self.study.replicates, seed=self.study.seed)
        self._put_tables("structure", key, *made)

    def make_direct(self) -> None:
        """Write who is followed directly by whom, and whom every entry is owed to."""
        self.make_entries()
        if self.folder.unchanged("direct", self.direct_print):
            return
        self.tell("fitting direct edges")
        made = direct_tables(self.entries, window=self.study.window, horizon=self.study.horizon)
        self._put_tables("direct", self.direct_print, *made)

    def _put_tables(self, step: str, key: str, tables: Mapping[str, pd.DataFrame], gaps: Mapping[str, str]) -> None:
        self._begin(step, key, parameters=self.study.settings("graph"), notes={"not_made": dict(gaps)})
        for name, table in tables.items():
            self.folder.put_table(step, f"{name}.parquet", _arrow(table))

    def make_survival(self) -> None:
        """Write the survival curves and their summary."""
        self.make_entries()
        if self.folder.unchanged("survival", self.survival_print):
            return
        self.tell("following waits")
        curves = pd.concat([part.curves for part in self.curves], ignore_index=True)
        curves = curves.sort_values(["group", "days"], ignore_index=True)
        summary = pd.concat([part.summary for part in self.curves], ignore_index=True)
        notes = {"caveats": [note for part in self.curves for note in part.notes()]}
        self._begin("survival", self.survival_print, parameters=self.study.settings("survival"), notes=notes)
        for name, table in (("survival.csv", curves), ("survival_summary.csv", summary)):
            self.folder.put("survival", name, table.to_csv(index=False).encode(), rows=len(table))

    def make_graph_figures(self) -> None:
        """Write the figures of the graph as PNG and SVG."""
        key = fingerprint("graph_figures", self.leaders_print, self.direct_print)
        if not self.folder.unchanged("graph_figures", key):
            tables = {
                name: self.folder.read_table(f"{name}.parquet").to_pandas(date_as_object=False)
                for name in DRAWN
                if self.folder.holds(f"{name}.parquet")
            }
            self._draw("graph_figures", key, graph_figures(self.graph) | tested_figures(self.graph, tables))

    def make_survival_figures(self) -> None:
        """Write the figures of the survival curves as PNG and SVG."""
        key = fingerprint("survival_figures", self.survival_print)
        if not self.folder.unchanged("survival_figures", key):
            self._draw("survival_figures", key, survival_figures(self.curves))

    def make_report(self) -> None:
        """Write the report, one HTML file that needs no other."""
        key = fingerprint("report", self.study.title, self.leaders_print, self.direct_print, self.survival_print)
        if self.folder.unchanged("report", key):
            return
        self.tell("writing the report")
        html = report_html(self.study, self.entries, self.graph, self.curves, self.folder)
        self._begin("report", key, parameters={"title": self.study.title}, notes={})
        self.folder.put("report", "report.html", html.encode())

    def _begin(self, step: str, key: str, *, parameters: Mapping[str, Any], notes: Mapping[str, Any]) -> None:
        self.folder.begin(step, key, parameters=parameters, notes=notes, outdates=OUTDATES.get(step, ()))

    def _draw(self, step: str, key: str, drawings: Mapping[str, Drawing]) -> None:
        """Write the figures of a step; one that its table cannot give is left out, and the notes say why."""
        files: dict[str, bytes] = {}
        gaps: dict[str, str] = {}
        for name, draw in drawings.items():
            self.tell(f"drawing {name.replace('_', ' ')}")
            try:
                figure = draw()
            except (DataSaysNoError, SettingError) as error:
                gaps[f"figures/{name}"] = str(error)
                continue
            files |= {f"figures/{name}.{kind}": figures.render(figure, kind) for kind in KINDS}
        self._begin(step, key, parameters={}, notes={"not_made": gaps})
        for path, content in files.items():
            self.folder.put(step, path, content)


def _arrow(table: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(table, preserve_index=False)


def _notes(charts: Charts, entries: Entries) -> dict[str, Any]:
    """Return what the manifest says of the rows read and the entries made of them."""
    calendar = entries.calendar
    return {
        "layout": charts.source.layout,
        "other_charts": {
            str(row["chart"]): int(row["chart_rows"])
            for row in charts.present.to_dict("records")
            if row["chart"] != calendar.chart
        },
        "rows": asdict(charts.account),
        "chart": calendar.chart,
        "cadence_days": calendar.cadence,
        "first_date": calendar.first_date.isoformat(),
        "last_date": calendar.last_date.isoformat(),
        "markets": len(calendar.markets),
        "tracks": entries.debuts().num_rows,
        "entries": len(entries),
        "left_censored": int(entries.to_pandas()["left_censored"].sum()),
        "events": str(entries.rules),
    }
