"""What a study finds beside what is true, for charts simulated from a known network."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Floats
from diffusion.contracts import TRUTH
from diffusion.conventions import FDR
from graphs.leaders.asymmetry import MEASURE
from pipelines.contracts.known import KNOWN, KNOWN_LEADERS, KNOWN_PAIRS
from pipelines.folders.manifest import file_facts
from pipelines.formatting import html_table
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Gaps, Output, Step

SIZES: Final = (0.1, 0.05)
"""Bounds of the classes of α: strong influence, and less."""

STRONG, WEAK, FAINT = (f"α {SIZES[0]:g} or more", f"α {SIZES[1]:g} to {SIZES[0]:g}", f"α below {SIZES[1]:g}")
THROUGH, NONE = "through a third market only", "no influence"

CLASSES: Final = (STRONG, WEAK, FAINT, THROUGH, NONE)
"""Classes of the truth."""

CLAIMS: Final = {
    "edge": "beyond the baseline",
    "ordered": "beyond the baseline in one direction more than in the other",
    "direct": "direct",
    "direct_ordered": "direct in one direction more than in the other",
}
"""Claim → its words."""


def _sources(study: Study) -> list[dict[str, Any]]:
    if study.truth is None:
        return []
    file = Path(study.truth)
    if not file.is_file():
        raise SettingError(f"no file '{file}' with the truth; simulate writes it as truth.parquet beside charts/")
    read_truth(file)
    return file_facts([file], file.parent)


def read_truth(file: Path) -> pd.DataFrame:
    """Return the true edges in a file, as `diffusion.contracts.TRUTH` says.

    Raises
    ------
    SettingError
        When the file is no such table.
    """
    try:
        table = TRUTH.conform(pq.read_table(file))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SettingError(f"'{file}' is no truth as simulate writes it: {error}") from error
    alpha = table["alpha"].to_numpy()
    if not len(alpha) or not (np.isfinite(alpha) & (alpha > 0)).all():
        raise SettingError(
            f"'{file}' is no truth as simulate writes it: α must be above 0 in every row, of one at least"
        )
    truth: pd.DataFrame = table.to_pandas()
    return truth


def _make(study: Study, results: Results) -> Output:
    if study.truth is None:
        raise SettingError("this study has no truth to compare with; name the file under [study], as truth = …")
    gaps, truth = Gaps(), read_truth(Path(study.truth))
    return Output(gaps.take("known", lambda: known_tables(truth, results)), not_made=gaps)


def known_tables(truth: pd.DataFrame, results: Results) -> dict[str, pd.DataFrame]:
    """Return the tables of the step from the true edges, as `diffusion.contracts.TRUTH` says.

    Raises
    ------
    DataSaysNoError
        When nothing could be tested, or the truth is of markets that the charts do not have.
    """
    lacking = [name for name in ("lifts", "influence") if not results.holds(name)]
    if lacking:
        raise DataSaysNoError(f"there is no table {' and '.join(lacking)} to hold against the truth")
    lifts, influence = results.table("lifts"), results.table("influence")
    pairs = lifts[["source", "target", "edge", "ordered"]].merge(
        influence[["source", "target", "direct", "ordered"]].rename(columns={"ordered": "direct_ordered"}),
        on=["source", "target"],
        validate="one_to_one",
    )
    strange = sorted({*truth["source"], *truth["target"]} - {*pairs["source"], *pairs["target"]})
    if strange:
        raise DataSaysNoError(f"the truth is of markets that these charts do not have: {', '.join(strange[:5])}")
    alpha, through = _true(truth, pairs)
    pairs.insert(2, "alpha", alpha)
    pairs.insert(3, "through", through)
    pairs.insert(4, "truth", _classes(alpha, through))
    counted = pairs.groupby("truth")[list(CLAIMS)].sum().reindex(CLASSES, fill_value=0)
    counted.insert(0, "pairs", pairs["truth"].value_counts().reindex(CLASSES, fill_value=0))
    return {"known_pairs": pairs, "known": counted.reset_index()} | _leaders(pairs, results)


def _leaders(pairs: pd.DataFrame, results: Results) -> dict[str, pd.DataFrame]:
    """Return the markets with a verdict on leadership, beside what they give and receive in truth."""
    tested = results.table("leaders")
    tested = tested[(tested["measure"] == MEASURE) & (tested["q"] <= FDR)]
    given, received = (pairs.groupby(side)["alpha"].sum() for side in ("source", "target"))
    found = tested[["market", "score", "q"]].rename(columns={"score": MEASURE})
    return {"known_leaders": found.assign(given=found["market"].map(given), received=found["market"].map(received))}


def _true(truth: pd.DataFrame, pairs: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return the true α of pairs, and the same by way of one third market."""
    markets = pd.Index(sorted({*pairs["source"], *pairs["target"]}))
    matrix = np.zeros((len(markets), len(markets)))
    matrix[markets.get_indexer(truth["source"]), markets.get_indexer(truth["target"])] = truth["alpha"]
    places = markets.get_indexer(pairs["source"]), markets.get_indexer(pairs["target"])
    return matrix[places], (matrix @ matrix)[places]


def _classes(alpha: Floats, through: Floats) -> NDArray[np.str_]:
    """Return the class of the truth of every pair."""
    return np.select(
        [alpha >= SIZES[0], alpha >= SIZES[1], alpha > 0, through > 0], [STRONG, WEAK, FAINT, THROUGH], NONE
    )


def _section(results: Results) -> dict[str, Any]:
    if not results.holds("known"):
        return {}
    leaders = results.table("known_leaders")
    return {"known": html_table(results.table("known")), "found": _found(results), "leaders": html_table(leaders)}


def _found(results: Results) -> list[dict[str, Any]]:
    """Return for every claim how many pairs it names, and how many of them are true."""
    table, found = results.table("known").set_index("truth"), []
    for claim, words in CLAIMS.items():
        counts = {str(name): int(count) for name, count in table[claim].to_dict().items()}
        true = counts[STRONG] + counts[WEAK] + counts[FAINT]
        named = {"claim": words, "named": sum(counts.values()), "true": true}
        found.append(named | {"through": counts[THROUGH], "false": counts[NONE]})
    return found


def _lines(results: Results) -> list[str]:
    if not results.holds("known"):
        return []
    table = results.table("known").set_index("truth")
    lines = [
        f"known     {row['claim']}: {row['named']:,} pairs, of which {row['true']:,} influence each other in truth, "
        f"{row['through']:,} through a third market, {row['false']:,} do not"
        for row in _found(results)
    ]
    lead = results.table("known_leaders")
    right = (np.sign(lead[MEASURE]) == np.sign(lead["given"] - lead["received"])).sum()
    lines.append(
        f"known     leaders: {len(lead)} markets lead or are led, of which {right} give more in truth than they "
        "receive, or less"
    )
    seen = ", ".join(
        f"{row['direct']} of {row['pairs']} with {name}"
        for name, row in table.loc[[STRONG, WEAK, FAINT]].to_dict("index").items()
    )
    return [*lines, f"known     found as direct: {seen}"]


KNOWN_NETWORK = Step(
    name="known",
    title="Found, and true",
    doing="comparing with the known network",
    version=1,
    tables={"known_pairs": KNOWN_PAIRS, "known": KNOWN, "known_leaders": KNOWN_LEADERS},
    make=_make,
    needs=("baseline", "leaders", "direct"),
    sources=_sources,
    source="truth",
    section=_section,
    lines=_lines,
)
