"""What examples in docstrings may use without making it: the entries of the packaged charts, and their graph."""

import re
from typing import Any

import pytest
from _pytest.doctest import DoctestItem

import diffusion


@pytest.fixture(scope="session")
def sample_entries() -> diffusion.Entries:
    """Entries of the packaged charts."""
    with diffusion.open_sample() as charts:
        return charts.entries()


@pytest.fixture(autouse=True)
def sample_of_examples(request: pytest.FixtureRequest, doctest_namespace: dict[str, Any]) -> None:
    """Give an example `entries`, where it uses them: those of `diffusion.open_sample().entries()`."""
    node = request.node
    if isinstance(node, DoctestItem) and any(re.search(r"\bentries\b", one.source) for one in node.dtest.examples):
        doctest_namespace["entries"] = request.getfixturevalue("sample_entries")
