"""Artifacts and contracts: every table that a command writes is what its contract says, and no contract is without."""

import re
import shutil
from collections.abc import Sequence
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

import networkx as nx
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from diffusion.contracts import ARRAY_RELATIONS, RELATIONS, Contract
from diffusion.simulation import Simulation, Switches, simulate
from pipelines.artifacts import ARTIFACTS
from pipelines.commands.main import cli
from pipelines.recovery import cells_of, write_recovery
from pipelines.reference.auxiliary import make_auxiliary
from pipelines.study.step import with_needs
from pipelines.study.steps import EDA_SET, PRIOR_SET, STEPS
from tests.conftest import WriteCsv, steady
from tests.pipelines.backtest.worlds import spread_charts, truth_of

STUDY = tuple(step.name for step in STEPS if step.tables)
"""Steps of a study that write tables."""

MADE = {
    "study": STUDY,
    "ingested": ("ingest",),
    "joined": ("ingest", "ingest --join-aux"),
    "cleaned": ("clean",),
    "auxiliary": ("auxiliary",),
    "simulated": ("simulate",),
    "star": ("simulate",),
    "recovery": ("recovery",),
    "regressed": ("regress",),
    "backtest": ("backtest",),
    "predicted": ("backtest --protocol-truth",),
    "audited": ("audit",),
    "inspected": ("inspect",),
    "compared": ("compare",),
    "explored": tuple(step.name for step in with_needs((*EDA_SET, *PRIOR_SET), STEPS)),
}
"""Folder made below → the groups of `ARTIFACTS` that it has tables of; a later one overrules an earlier one."""

RARE = {"changed_markets", "changed_edges", "changed_leaders", "journey_stability", "journey_clusters"}
"""Tables that are made only where charts have grown, or where the data tell kinds of journeys apart."""

OF_A_SOURCE = ("full/year=*/*.parquet", "charts/charts.csv")
"""Tables with the columns of a source, whatever they are: they have no contract."""

CONTRACTS = {contract.name: contract for tables in ARTIFACTS.values() for contract in tables.values()}

UNIT = re.compile(
    r"\b(days?|dates?|years?|milliseconds|km²?|dB|beats|degrees|inhabitants|streams|rows?|lines?|charts?|tracks?|credits"
    r"|entries|transitions|waits|clusters|markets?|market names|countries|communities|groups|pairs|simulations?"
    r"|intervals|permutations|stretch(es)?|place|position|number|share|√share|ratio|probability|correlation|unit)\b"
    r"|0 … 1|\b[01] (where|major)|^0:"
)
"""What a number counts or measures, or the bounds between which it lies."""

COUNTRIES = (
    "country_name,official_lang,population,area,continent,govt_type,Major Religions,driving_side\n"
    "United States,English,331000000,9833520,North America,Republic,Christianity,right\n"
    "Sweden,Swedish,10000000,450295,Europe,Monarchy,Christianity,right\n"
)
DISTANCES = "ISO_CODE_1,ISO_CODE_2,FBDist\nSE,US,0.25\nUS,SE,0.5\n"

LARGE = Simulation(3_000, 10, 740, seed=3, density=0.4, depth=60, switches=Switches(ties=False, launches=False))
"""Charts on which every table of a study can be made: four half-years with many transitions."""

SMALL = Simulation(200, 4, 60, seed=3, depth=20)

SETTINGS = """
[study]
{truth}
[charts]
path = "{charts}"
[graph]
replicates = 20
[survival]
by = ["none", "continent"]
"""


def command(*arguments: object) -> None:
    """Run a command of the command line."""
    cli.main([str(argument) for argument in arguments], standalone_mode=False)


def run_study(charts: Path, place: Path, truth: Path | None = None) -> Path:
    """Run a study with few draws and return its folder."""
    settings = place.with_suffix(".toml")
    known = f'truth = "{truth.as_posix()}"' if truth is not None else ""
    settings.write_text(SETTINGS.format(charts=charts.as_posix(), truth=known))
    command("run", settings, "--out", place)
    return place


@pytest.fixture(scope="module")
def made(regressed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the folders of `MADE`: two years of simulated charts through every command."""
    place = tmp_path_factory.mktemp("made")
    simulate(LARGE, place / "star", layout="star")
    simulate(SMALL, place / "simulated", layout="raw", damage=0.05)
    charts = place / "simulated" / "charts"
    run_study(place / "star" / "charts", place / "study", place / "star" / "truth.parquet")
    (place / "countries.csv").write_text(COUNTRIES)
    (place / "distances.csv").write_text(DISTANCES)
    make_auxiliary(
        place / "auxiliary",
        countries=place / "countries.csv",
        distances=place / "distances.csv",
        holidays=(date(2021, 6, 1), date(2021, 6, 30)),
        markets=["SE", "US"],
    )
    command("eda", place / "star" / "charts", "--check-prior", "--replicates", 20, "--out", place / "explored")
    command("ingest", charts, "--out", place / "ingested")
    command("ingest", charts, "--join-aux", place / "auxiliary", "--out", place / "joined")
    command("clean", place / "ingested", "--accept", "set-aside", "--out", place / "cleaned")
    write_recovery(place / "recovery", cells_of(["influence-sparse"], [300], [5]), simulations=1, samples=1)
    shutil.copytree(regressed, place / "regressed")
    weekly = spread_charts(place / "weekly.parquet", seed=5, weeks=30, debuts=4)
    once = ("--out", place / "backtest", "--horizon", 14, "--folds", 1, "--threads", 1)
    command("backtest", weekly, *once, "--model", "market_rate", "--model", "default")
    command("inspect", weekly, "--out", place / "inspected")
    command("compare", place / "study", place / "study", "--out", place / "compared", "--replicates", 2)
    command("audit", weekly, "--out", place / "audited", "--horizon", 14, "--dates", 1)
    truth_of(weekly, train_until=17, test_from=22, test_until=25).to_parquet(place / "truth.parquet")
    told = ("--protocol-truth", place / "truth.parquet", "--model", "market_rate")
    command("backtest", weekly, "--out", place / "predicted", *told)
    return place


def tables_below(folder: Path) -> list[str]:
    """Return the names of all tables below a folder."""
    return sorted(
        path.relative_to(folder).as_posix() for kind in ("parquet", "csv") for path in folder.rglob(f"*.{kind}")
    )


def patterns_of(steps: Sequence[str]) -> dict[str, tuple[str, Contract]]:
    """Return name or pattern → step and contract."""
    return {pattern: (step, contract) for step in steps for pattern, contract in ARTIFACTS[step].items()}


def contracts_of(name: str, steps: Sequence[str]) -> list[Contract]:
    """Return the contracts of an artifact."""
    return [contract for pattern, (_, contract) in patterns_of(steps).items() if fnmatchcase(name, pattern)]


def read(path: Path, contract: Contract) -> pa.Table:
    """Return a table as it was written; the types of CSV are those of the contract."""
    if path.suffix == ".csv":
        types = pacsv.ConvertOptions(column_types=contract.schema)
        return pacsv.read_csv(path, pacsv.ReadOptions(use_threads=False), convert_options=types)
    with pq.ParquetFile(path, pre_buffer=False) as file:
        return file.read(use_threads=False)


def check(path: Path, contract: Contract) -> None:
    """Assert that a table has its contract's columns in order, their types, no null where none may be, and its key."""
    table = read(path, contract)
    assert table.column_names == contract.names
    # Parquet has one kind of text; how Arrow holds it is the reader's choice
    texts = [pa.string() if pa.types.is_large_string(field.type) else field.type for field in table.schema]
    assert dict(zip(contract.names, texts, strict=True)) == {column.name: column.type for column in contract.columns}
    conformed = contract.conform(table)
    assert conformed.cast(table.schema).equals(table)
    assert conformed.num_rows == table.num_rows


@pytest.mark.slow
@pytest.mark.parametrize("folder", MADE)
def test_every_table_is_what_its_contract_says(made: Path, folder: str) -> None:
    names = [name for name in tables_below(made / folder) if not any(fnmatchcase(name, own) for own in OF_A_SOURCE)]
    assert names
    for name in names:
        found = contracts_of(name, MADE[folder])
        assert len(found) == 1, f"{name} of {folder} has {len(found)} contracts"
        check(made / folder / name, found[0])


@pytest.mark.slow
def test_no_contract_is_without_an_artifact(made: Path) -> None:
    met = {
        (step, pattern)
        for folder, steps in MADE.items()
        for pattern, (step, _) in patterns_of(steps).items()
        if any(fnmatchcase(name, pattern) for name in tables_below(made / folder))
    }
    every = {(step, pattern) for step, tables in ARTIFACTS.items() for pattern in tables}
    assert {pattern.removesuffix(".parquet") for _, pattern in every - met} <= RARE


@pytest.mark.slow
def test_the_files_for_gephi_say_what_the_tables_say(made: Path) -> None:
    place = made / "study"
    graph = nx.read_graphml(place / "graph.graphml")
    lifts, influence = (
        pd.read_parquet(place / f"{name}.parquet").set_index(["source", "target"]) for name in ("lifts", "influence")
    )
    groups = pd.read_parquet(place / "communities.parquet").set_index("market")["community"]
    assert dict(graph.nodes(data="community")) == {market: str(group) for market, group in groups.items()}
    edges = {(a, b): data for a, b, data in graph.edges(data=True)}
    assert {pair for pair, data in edges.items() if data["edge"]} == {*lifts.index[lifts["q"] <= 0.05]}
    assert {pair for pair, data in edges.items() if data["direct"]} == {*influence.index[influence["direct"]]}
    for pair, data in edges.items():
        assert data["lift"] == lifts.loc[pair, "lift"] and data["q_order"] == lifts.loc[pair, "q_order"]
        assert data["contiguous"] in (0, 1) and isinstance(data["contiguous"], int)
    timed = nx.read_gexf(place / "graph.gexf")
    assert {pair: data["edge"] for pair, data in edges.items()} == {(a, b): e for a, b, e in timed.edges(data="edge")}


@pytest.mark.slow
@pytest.mark.parametrize(
    "entries",
    [
        pytest.param({"Simulated XA": {"x": 30}, "Simulated XB": {"x": 33}}, id="two markets without distances"),
        pytest.param(
            {"United States": {"x": 30}, "Sweden": {"x": 33}, "Norway": {}, "Simulated XA": {}},
            id="two of four idle",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_small_and_empty_tables_keep_their_contracts(
    write_csv: WriteCsv, tmp_path: Path, entries: dict[str, dict[str, int]]
) -> None:
    study = run_study(write_csv(steady(90, entries)), tmp_path / "study")
    names = tables_below(study)
    assert {"edges.parquet", "withheld.parquet"} <= set(names)
    for name in names:
        (contract,) = contracts_of(name, STUDY)
        check(study / name, contract)
    # what was not made is not in the files for other tools
    assert not {"lifts.parquet", "influence.parquet"} & set(names)
    (*_, edge), *_ = nx.read_graphml(study / "graph.graphml").edges(data=True)
    assert "tracks" in edge and not {"lift", "edge", "direct"} & set(edge)


@pytest.mark.parametrize("contract", [*CONTRACTS.values(), *RELATIONS, *ARRAY_RELATIONS], ids=lambda one: one.name)
def test_every_column_says_what_it_is(contract: Contract) -> None:
    assert contract.row
    assert len(set(contract.names)) == len(contract.names)
    assert set(contract.key) <= set(contract.names)
    for column in contract.columns:
        assert column.meaning, column.name
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            assert UNIT.search(column.meaning), f"{column.name}: '{column.meaning}' names no unit"


def test_every_contract_has_a_name_of_its_own() -> None:
    for tables in ARTIFACTS.values():
        for contract in tables.values():
            assert CONTRACTS[contract.name] == contract
