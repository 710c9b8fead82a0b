"""What a study finds beside what is true, in charts simulated from a known network."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diffusion import DataSaysNoError, SettingError
from diffusion.simulation import Simulation
from pipelines.folders.folder import Folder
from pipelines.progress import quiet
from pipelines.study.finished import open_study
from pipelines.study.run import Run, closing_lines
from pipelines.study.settings import Study, read_study
from pipelines.study.simulated import simulated_study
from pipelines.study.steps.known import CLAIMS, CLASSES, FAINT, NONE, STRONG, THROUGH, WEAK, known_tables

pytestmark = pytest.mark.slow

SMALL = Simulation(tracks=3_000, markets=8, days=400, density=0.15, depth=30, seed=3)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Return the folder of a study of known charts, and its lines on screen."""
    place = tmp_path_factory.mktemp("known")
    study = simulated_study(Study("x", replicates=20), place / "simulation", simulation=SMALL)
    with Folder(place / "out") as folder:
        job = Run(study, folder)
        reported = job.make(["known"], quiet)
        return place, closing_lines(folder, reported, job.results)


def test_every_pair_is_of_one_class_and_every_claim_is_counted(known: tuple[Path, list[str]]) -> None:
    place, lines = known
    pairs, table = (pd.read_parquet(place / "out" / f"{name}.parquet") for name in ("known_pairs", "known"))
    truth = pd.read_parquet(place / "simulation" / "truth.parquet").set_index(["source", "target"])["alpha"]
    assert len(pairs) == 8 * 7
    assert table["truth"].tolist() == list(CLASSES)
    assert table["pairs"].sum() == len(pairs)
    for row in pairs.to_dict("records"):
        own = truth.get((row["source"], row["target"]), 0.0)
        by_way = sum(
            truth.get((row["source"], via), 0.0) * truth.get((via, row["target"]), 0.0)
            for via in {*pairs["source"]} - {row["source"], row["target"]}
        )
        assert (row["alpha"], row["through"]) == pytest.approx((own, by_way))
        size = STRONG if own >= 0.1 else WEAK if own >= 0.05 else FAINT if own > 0 else THROUGH if by_way > 0 else NONE
        assert row["truth"] == size
    for claim in CLAIMS:
        assert table[claim].tolist() == [int(pairs.loc[pairs["truth"] == name, claim].sum()) for name in CLASSES]
    direct = table.set_index("truth")["direct"]
    assert direct[STRONG] > 0
    said = [line for line in lines if line.startswith("known ")]
    assert len(said) == len(CLAIMS) + 2
    leaders = pd.read_parquet(place / "out" / "known_leaders.parquet").set_index("market")
    for market, row in leaders.iterrows():
        own = pairs[pairs["source"] == market]["alpha"].sum(), pairs[pairs["target"] == market]["alpha"].sum()
        assert (row["given"], row["received"]) == pytest.approx(own)
    right = int((np.sign(leaders["lead_excess"]) == np.sign(leaders["given"] - leaders["received"])).sum())
    assert f"leaders: {len(leaders)} markets lead or are led, of which {right} give" in said[-2]
    assert f"{direct[STRONG]} of {table['pairs'][0]} with α 0.1 or more" in said[-1]
    assert "Found, and true" in (place / "out" / "report.html").read_text(encoding="utf-8")


def test_claims_of_the_tables_are_those_of_the_study(known: tuple[Path, list[str]]) -> None:
    results = open_study(known[0] / "out")
    truth = pd.DataFrame({"source": ["IN"], "target": ["US"], "alpha": [0.2], "median_lag": [3.0]})
    pairs = known_tables(truth, results)["known_pairs"].set_index(["source", "target"])
    lifts, influence = (results.table(name).set_index(["source", "target"]) for name in ("lifts", "influence"))
    assert pairs["edge"].equals(lifts["q"].le(0.05))
    assert pairs["direct_ordered"].equals(influence["ordered"])
    assert pairs["truth"].value_counts().to_dict() == {NONE: 55, STRONG: 1}


@pytest.mark.slow
def test_a_truth_that_is_not_there_ends_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text('[study]\ntruth = "none.parquet"\n[charts]\npath = "sample"\n')
    study = read_study(tmp_path / "study.toml")
    with Folder(tmp_path / "out") as folder, pytest.raises(SettingError, match=r"no file '.*none\.parquet'"):
        Run(study, folder).make(["known"], quiet)
    with Folder(tmp_path / "out") as folder, pytest.raises(SettingError, match="has no truth to compare with"):
        Run(Study(study.path, replicates=20), folder).make(["known"], quiet)


GOOD = {"source": ["SE"], "target": ["NO"], "alpha": [0.1], "median_lag": [2.0]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"alpha;beta", "is no truth as simulate writes it"),
        ({"source": ["SE"], "target": ["NO"]}, "lacks alpha, median_lag"),
        (GOOD | {"alpha": ["much"]}, "is no truth as simulate writes it"),
        (GOOD | {"source": [None]}, "has nulls in 'source'"),
        (GOOD | {"alpha": [-1.0]}, "must be above 0"),
        (GOOD | {"alpha": [float("nan")]}, "must be above 0"),
        ({name: values * 2 for name, values in GOOD.items()}, "twice"),
    ],
)
def test_what_is_no_truth_is_refused_before_any_work(tmp_path: Path, content: bytes | dict, message: str) -> None:
    file = tmp_path / "truth.parquet"
    file.write_bytes(content) if isinstance(content, bytes) else pq.write_table(pa.table(content), file)
    with pytest.raises(SettingError, match=message), Folder(tmp_path / "out") as folder:
        Run(Study("sample", truth=str(file)), folder).make(["known"], quiet)
    assert not (tmp_path / "out").exists()


def test_the_truth_of_other_markets_is_not_held_against_these(known: tuple[Path, list[str]]) -> None:
    truth = pd.DataFrame({"source": ["XX"], "target": ["US"], "alpha": [0.2], "median_lag": [3.0]})
    with pytest.raises(DataSaysNoError, match="markets that these charts do not have: XX"):
        known_tables(truth, open_study(known[0] / "out"))
