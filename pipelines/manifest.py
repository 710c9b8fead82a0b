"""The manifest of a folder: what was made, from what, and how to tell whether it is still that."""

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from diffusion import OutputError

MANIFEST = "manifest.json"


def read_manifest(place: Path) -> dict[str, Any]:
    """Return a folder's manifest; one without steps where there is none.

    Raises
    ------
    OutputError
        When it is no manifest of ours, or names a file outside its folder.
    """
    path = place / MANIFEST
    if not path.exists():
        return {"steps": {}}
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        for step in manifest["steps"].values():
            kinds = {"fingerprint": str, "parameters": dict, "notes": dict, "artifacts": list, "digest": str}
            if not all(isinstance(step[key], kind) for key, kind in kinds.items()):
                raise TypeError
            for artifact in step["artifacts"]:
                if not _inside(artifact["path"]) or not isinstance(artifact["bytes"], int):
                    raise TypeError
                bytes.fromhex(artifact["sha256"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise OutputError(f"'{path}' is not a manifest of this tool; name another folder, or remove it") from error
    return dict(manifest)


def intact(place: Path, artifact: dict[str, Any]) -> bool:
    """Return whether the folder holds the artifact as the manifest says."""
    path = place / artifact["path"]
    if path.is_symlink() or not path.is_file() or not path.resolve().is_relative_to(place.resolve()):
        return False
    return bool(path.stat().st_size == artifact["bytes"] and digest_of(path.read_bytes()) == artifact["sha256"])


def fingerprint(*parts: object) -> str:
    """Return one hash of everything a step depends on; the parts must be JSON."""
    return digest_of(to_json([version("chart-diffusion"), *parts]))


def file_facts(files: Sequence[Path], root: Path) -> list[dict[str, Any]]:
    """Return path (below `root`), size and SHA-256 of every file."""
    facts = []
    for file in files:
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        name = file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name
        facts.append({"path": name, "bytes": file.stat().st_size, "sha256": digest})
    return facts


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of `content`."""
    return hashlib.sha256(content).hexdigest()


def to_json(value: object) -> bytes:
    """Return `value` as JSON text that is the same for the same value."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str) + "\n").encode()


def _inside(name: str) -> bool:
    """Return whether an artifact's name stays below the folder of its manifest."""
    parts = PurePosixPath(name).parts
    return bool(parts) and "\0" not in name and not name.startswith("/") and ".." not in parts
