"""The page of the explorer, with its styles, programs and data inside."""

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from diffusion.foreign_text import json_text
from pipelines.explorer.content import StudyResults, content

PROGRAMS: Final = (
    "data", "words", "pairs", "leaders", "state", "csv", "stage", "arrows", "dots", "figure", "tables", "curve",
    "journey", "picture", "main",
)  # fmt: skip
"""Our programs, in order; they share one scope."""


def explorer_html(title: str, results: StudyResults) -> str:
    """Return the explorer as one HTML page that needs no other file and no network."""
    return page_of(content(title, results))


def page_of(shown: dict[str, Any]) -> str:
    """Return the page that shows the result of `content`."""
    scripts = [_file("d3.min.js"), _program()]
    styles = _file("explorer.css")
    environment = Environment(
        loader=PackageLoader("pipelines.explorer", "web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("explorer.html").render(
        title=shown["about"]["title"],
        styles=Markup(styles),
        library=Markup(scripts[0]),
        program=Markup(scripts[1]),
        data=Markup(script_json(shown)),
        licence=_licence(),
        script_sources=_sources(scripts),
        style_sources=_sources([styles]),
    )


def script_json(value: Any) -> str:
    r"""Return a value as JSON that can stand inside a ``<script>`` element.

    Examples
    --------
    >>> print(script_json(["</script>", "a & b"]))
    ["\u003c/script\u003e","a \u0026 b"]
    """
    text = json_text(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


@cache
def _file(name: str) -> str:
    return resources.files("pipelines.explorer").joinpath("web", name).read_text(encoding="utf-8")


def _program() -> str:
    """Return our programs as one function, so that they share a scope with nothing else."""
    parts = "\n".join(_file(f"{name}.js") for name in PROGRAMS)
    return f'(function () {{\n"use strict";\n{parts}\n}})();'


def _licence() -> str:
    return resources.files("pipelines.explorer").joinpath("LICENSE-ISC-d3.txt").read_text(encoding="utf-8")


def _sources(texts: Sequence[str]) -> str:
    """Return the sources of a content security policy that allow these texts and no others."""
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii") for text in texts)
    return " ".join(f"'sha256-{digest}'" for digest in digests)
