"""Sphinx extension: pages get their commands, tables and Python from the code."""

from collections.abc import Callable
from functools import partial

from command_pages import command_text
from python_pages import PACKAGES, package_text, public_reference, python_role, read_docstring
from sphinx.application import Sphinx
from table_pages import reason_text, table_text

FILLED: dict[str, Callable[[], str]] = {
    "<!-- commands -->": command_text,
    "<!-- tables -->": table_text,
    "<!-- reasons -->": reason_text,
    **{f"<!-- {package} -->": partial(package_text, package) for package in PACKAGES},
}
"""Line of a page → what gives the text that takes its place."""


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what is filled in, how docstrings are read, and how names in them become links."""
    app.connect("source-read", fill)
    app.connect("autodoc-process-docstring", read_docstring)
    app.connect("missing-reference", public_reference)
    app.add_role("python", python_role)
    return {"parallel_read_safe": True}


def fill(_: Sphinx, page: str, source: list[str]) -> None:
    """Put what the code says of itself in place of the line that asks for it; doctests lose their last, empty line."""
    for line, text in FILLED.items():
        if line in source[0]:
            source[0] = source[0].replace(line, text())
    source[0] = source[0].replace("\n\n```\n", "\n```\n")
