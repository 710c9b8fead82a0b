"""What examples in docstrings may use without making it: the packages, and what is made of the packaged charts."""

import re
from importlib.util import find_spec
from typing import Any, Final

import pytest
from _pytest.doctest import DoctestItem

collect_ignore_glob: Final = [] if find_spec("pyspark") else ["diffusion/engine/spark/*"]
"""Modules of an extra that is not installed."""


@pytest.fixture(scope="session")
def made_once() -> dict[str, Any]:
    """What examples have used so far, by name."""
    return {}


@pytest.fixture(autouse=True)
def sample_of_examples(
    request: pytest.FixtureRequest, doctest_namespace: dict[str, Any], made_once: dict[str, Any]
) -> None:
    """Give an example the packages, and `entries`, `graph` and `base` where it uses them; see `diffusion`."""
    node = request.node
    if not isinstance(node, DoctestItem):
        return
    import diffusion
    import graphs
    import survival

    source = "".join(example.source for example in node.dtest.examples)
    used = {name for name in ("entries", "graph", "base") if re.search(rf"\b{name}\b", source)}
    if used and "entries" not in made_once:
        with diffusion.open_sample() as charts:
            made_once["entries"] = charts.entries()
    if "graph" in used and "graph" not in made_once:
        made_once["graph"] = graphs.market_graph(made_once["entries"])
    if "base" in used and "base" not in made_once:
        made_once["base"] = graphs.baseline.baseline(made_once["entries"])
    doctest_namespace.update(diffusion=diffusion, graphs=graphs, survival=survival, **made_once)
