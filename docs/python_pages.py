"""The reference of Python: what the packages list in `__all__`, from its docstrings."""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from docutils import nodes
from docutils.parsers.rst.states import Inliner
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.ext.napoleon import Config, NumpyDocstring
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.nodes import make_refnode

PACKAGES = ("diffusion", "graphs", "survival", "figures", "pipelines")

TOGETHER = re.compile(r"^:ivar (\w+(?:, \w+)+)(:.*(?:\n .*)*)", flags=re.MULTILINE)
"""Attributes that are described together: names and description."""

LONGEST_VALUE = 300
"""Characters of a constant that are shown."""


def package_text(package: str) -> str:
    """Return what documents a package and the modules that it lists, as Markdown."""
    return "\n\n".join(map(_module_text, public_modules(package)))


def public_modules(package: str) -> Iterator[ModuleType]:
    """Yield a package and the modules that it lists in `__all__`."""
    module = import_module(package)
    yield module
    yield from (value for name in module.__all__ if inspect.ismodule(value := getattr(module, name)))


def public_names(module: ModuleType) -> dict[str, Any]:
    """Return name → object of what a module lists; where it lists nothing, of the functions and classes it defines."""
    if hasattr(module, "__all__"):
        found = {name: getattr(module, name) for name in module.__all__}
        return {name: value for name, value in found.items() if not inspect.ismodule(value) and _is_ours(value)}
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and _is_code(value) and value.__module__ == module.__name__
    }


def _is_code(value: Any) -> bool:
    return inspect.isclass(value) or inspect.isfunction(inspect.unwrap(value))


def _is_ours(value: Any) -> bool:
    return not _is_code(value) or value.__module__.split(".")[0] in PACKAGES


def _module_text(module: ModuleType) -> str:
    names = public_names(module)
    code = ", ".join(name for name, value in names.items() if _is_code(value))
    lines = [f".. automodule:: {module.__name__}", f"   :members: {code}", "   :imported-members:", ""]
    lines += [f".. py:currentmodule:: {module.__name__}", ""]
    for name, value in names.items():
        if not _is_code(value):
            lines += _data_lines(module, name)
    text = "\n".join(lines)
    heading = f"## {module.__name__}\n\n" if "." in module.__name__ else ""
    return f"{heading}```{{eval-rst}}\n{text}\n```"


def _data_lines(module: ModuleType, name: str) -> list[str]:
    """Return the directive for a constant or type, with the text that stands below it where it is defined."""
    owner = _owner(module.__name__, name)
    analyzer = ModuleAnalyzer.for_module(owner)
    described = analyzer.find_attr_docs().get(("", name), [])
    value = repr(getattr(module, name))
    shown = [f"   :value: {value}"] if len(value) <= LONGEST_VALUE else []
    return [f".. py:data:: {name}", *shown, "", *(f"   {line}" for line in described)]


def _owner(module: str, name: str) -> str:
    """Return the module in which a name is defined, following `from … import`."""
    tree = ast.parse(inspect.getsource(import_module(module)))
    for statement in ast.walk(tree):
        if isinstance(statement, ast.ImportFrom) and any(alias.name == name for alias in statement.names):
            return _owner(str(statement.module), name)
    return module


def read_docstring(
    app: Sphinx, what: str, name: str, value: object, options: Mapping[str, Any], lines: list[str]
) -> None:
    """Turn a NumPy-style docstring into what Sphinx reads.

    Numbered sources become a list: on one page each number stands many times, so it is no target. A property is read
    as a function, or its first line up to a colon would be taken for its type. Attributes that are described together
    get the description each, or the first would be taken for the type of the others.
    """
    for number, line in enumerate(lines):
        line = re.sub(r"^(\s*)\.\. \[(\d+)\] ", r"\1-  [\2] ", line)
        line = re.sub(r"\[(\d+)\]_", r"[\1]", line)
        lines[number] = re.sub(r"(?<!`)\|(\w+)\|", r"\|\1\|", line)  # |t| is an absolute value
    kind = "function" if what == "property" else what
    read = NumpyDocstring(lines, Config(napoleon_use_ivar=True), app, kind, name, value, options).lines()
    lines[:] = TOGETHER.sub(_each_attribute, "\n".join(read)).split("\n")


def _each_attribute(together: re.Match[str]) -> str:
    names, description = together.groups()
    return "\n".join(f":ivar {name}{description}" for name in names.split(", "))


def python_role(
    name: str,
    raw: str,
    text: str,
    line: int,
    inliner: Inliner,
    options: dict[str, Any] | None = None,
    content: Sequence[str] = (),
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Return single backticks of docstrings: a link where they name a thing of ours in full, else code."""
    if "." in text and text.split(".")[0] in PACKAGES:
        role = inliner.document.settings.env.get_domain("py").role("obj")
        return role("py:obj", raw, text, line, inliner, options or {}, content)
    return [nodes.literal(raw, text, classes=["code"])], []


def public_reference(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, shown: nodes.TextElement
) -> nodes.Element | None:
    """Return a link to the public name of a thing of ours; plain text where it has none, nothing if it is not there."""
    target = str(node.get("reftarget"))
    if node.get("refdomain") != "py" or target.split(".")[0] not in PACKAGES or not _exists(target):
        return None
    known = env.get_domain("py").data["objects"].get(_public_name(target))
    if known is None:
        return shown
    return make_refnode(app.builder, node["refdoc"], known.docname, known.node_id, shown, target)


def _public_name(target: str) -> str:
    """Return the name under which the reference has a thing that is named by where it is defined."""
    parts = target.split(".")
    for size in range(len(parts), 0, -1):
        found = _find(".".join(parts[:size]))
        if found is not None and id(found) in _public():
            return ".".join([_public()[id(found)], *parts[size:]])
    return target


@cache
def _public() -> dict[int, str]:
    """Return identity of a public function or class → its public name."""
    return {
        id(value): f"{module.__name__}.{name}"
        for package in PACKAGES
        for module in public_modules(package)
        for name, value in public_names(module).items()
        if _is_code(value)
    }


def _exists(target: str) -> bool:
    return _find(target) is not None


@cache
def _find(target: str) -> object | None:
    """Return the module, class, function or member of that name, None where there is none."""
    head, _, last = target.rpartition(".")
    try:
        return import_module(target)
    except ModuleNotFoundError:
        owner = _find(head) if head else None
        fields = getattr(owner, "__annotations__", {})
        return getattr(owner, last, fields.get(last))
