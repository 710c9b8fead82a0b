"""The manifest of a folder: its artifacts, how they were made, and their digests."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from diffusion import OutputError
from diffusion.files import digest_of_file
from diffusion.foreign_text import json_text

MANIFEST = "manifest.json"
LOG = "runs.log"
"""Times of runs, one JSON object per line; not an artifact, and without digest."""
STAGING = ".chart-diffusion-"
"""Prefix of the name of a folder with the unfinished files of a run."""

Shape = type | None | tuple["Shape", ...] | list["Shape"] | dict[str, "Shape"]
"""What a value of JSON must be: of a type; null; one of several shapes; a list of one shape; or an object with these
keys at least, where the key ``*`` stands for every key."""

STEP_SHAPE: Shape = {"fingerprint": str, "parameters": dict, "notes": dict, "artifacts": [dict], "digest": str}


def read_manifest(place: Path) -> dict[str, Any]:
    """Return a folder's manifest; one without steps if there is none.

    Raises
    ------
    OutputError
        When it is not a manifest of this tool, or names a file outside its folder.
    """
    path = place / MANIFEST
    if not path.exists():
        return {"steps": {}}
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OutputError(f"cannot read '{path}': {error.strerror}") from error
    return parse_manifest(content, f"'{path}'")


def parse_manifest(content: bytes, where: str) -> dict[str, Any]:
    """Return the manifest in `content`; error messages name `where` it came from.

    Raises
    ------
    OutputError
        When it is not a manifest of this tool, names a file outside its folder, or names a file twice.
    """
    try:
        manifest = dict(json.loads(content.decode("utf-8")))
        for step in manifest["steps"].values():
            if not fits(step, STEP_SHAPE):
                raise TypeError
        check_artifacts(artifacts_of(manifest))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f" ({error})" if isinstance(error, OutputError) else ""
        raise OutputError(f"{where} is not a manifest of this tool{why}; name another folder, or remove it") from error
    return manifest


def artifacts_of(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the artifacts of all steps of a manifest."""
    return [artifact for step in manifest["steps"].values() for artifact in step["artifacts"]]


def check_artifacts(artifacts: Iterable[Mapping[str, Any]]) -> None:
    """Check that artifacts are files within the folder, each listed once, with size and SHA-256.

    Raises
    ------
    OutputError
        When a name leads out of the folder, is reserved, occurs twice, or is both a file and a folder.
    TypeError, KeyError
        When a fact is missing or of another type.
    """
    names: set[str] = set()
    for artifact in artifacts:
        name, size, rows = artifact["path"], artifact["bytes"], artifact.get("rows", 0)
        if not all(isinstance(count, int) and not isinstance(count, bool) and count >= 0 for count in (size, rows)):
            raise TypeError
        if not re.fullmatch(r"[0-9a-f]{64}", artifact["sha256"]):
            raise OutputError("a SHA-256 is not 64 hexadecimal digits")
        if not names_artifact(name):
            raise OutputError("a path is not that of a file within the folder")
        if name in names:
            raise OutputError("a path occurs twice")
        names.add(name)
    if any(str(parent) in names for name in names for parent in PurePosixPath(name).parents):
        raise OutputError("a path is both a file and a folder")


def names_artifact(name: str) -> bool:
    """Return whether a name is a normal path below the folder, valid on every system, and not reserved."""
    parts = name.split("/")
    return (
        not any(part in ("", ".", "..") or part.casefold().startswith(STAGING) for part in parts)
        and name.casefold() not in (MANIFEST, LOG)
        and not re.search(r"[\\\x00-\x1f\x7f\ud800-\udfff]|^[A-Za-z]:", name)
    )


def fits(value: Any, shape: Shape) -> bool:
    """Return whether a value of JSON has a shape; a whole number is also a number, true and false are neither."""
    if isinstance(shape, tuple):
        return any(fits(value, one) for one in shape)
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(one, shape[0]) for one in value)
    if isinstance(shape, dict):
        named = {key: one for key, one in shape.items() if key != "*"}
        return (
            isinstance(value, dict)
            and all(key in value and fits(value[key], one) for key, one in named.items())
            and ("*" not in shape or all(fits(one, shape["*"]) for one in value.values()))
        )
    if shape is None:
        return value is None
    kinds = (int, float) if shape is float else shape
    return isinstance(value, kinds) and (shape is bool or not isinstance(value, bool))


def digest_of_step(step: Mapping[str, Any]) -> str:
    """Return a hash of a step's parameters and notes, which detects changes by hand."""
    return digest_of(to_json([step["parameters"], step["notes"]]))


def intact(place: Path, artifact: Mapping[str, Any]) -> bool:
    """Return whether the folder has the artifact with the size and SHA-256 of the manifest."""
    path = place / artifact["path"]
    if leads_out(place, path) or not path.is_file():
        return False
    return bool(path.stat().st_size == artifact["bytes"] and digest_of_file(path) == artifact["sha256"])


def leads_out(place: Path, path: Path) -> bool:
    """Return whether a path below `place` is a link, or is in a folder that a link leads out of `place`."""
    return path.is_symlink() or not path.parent.resolve().is_relative_to(place.resolve())


def fingerprint(step: str, version: int, *parts: object) -> str:
    """Return a hash of everything that a step depends on.

    Parameters
    ----------
    step
        Name of the step.
    version
        Version of the step; raised when the same parts give other content.
    parts
        Inputs and settings, as JSON.
    """
    return digest_of(to_json([step, version, *parts]))


def file_facts(files: Sequence[Path], root: Path) -> list[dict[str, Any]]:
    """Return path (below `root`), size and SHA-256 of each file."""
    facts = []
    for file in files:
        name = file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name
        facts.append({"path": name, "bytes": file.stat().st_size, "sha256": digest_of_file(file)})
    return facts


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of `content`."""
    return hashlib.sha256(content).hexdigest()


def to_json(value: object, *, in_order: bool = False) -> bytes:
    """Return `value` as JSON; equal values give the same text. Keys are sorted, or stay `in_order`."""
    text = json.dumps(value, indent=2, sort_keys=not in_order, ensure_ascii=False, default=str)
    return f"{json_text(text)}\n".encode()
