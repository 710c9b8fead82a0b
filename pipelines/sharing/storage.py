"""Sharing a folder by its manifest: push it to an S3-compatible store, or pull it from there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffusion import OutputError
from diffusion.files import digest_of_file
from pipelines.folders.manifest import MANIFEST, artifacts_of, intact
from pipelines.folders.staging import Staging, writing
from pipelines.folders.verify import checked_manifest, compare
from pipelines.progress import Report
from pipelines.sharing.object_store import PART_BYTES, Store, open_store, unnamed


@dataclass(frozen=True, slots=True)
class Transfer:
    """Result of a push or a pull.

    Attributes
    ----------
    direction
        ``pushed`` or ``pulled``.
    moved
        Files that were sent or fetched and checked; without the manifest, which is copied too if it differs.
    bytes
        Size of the moved files.
    unchanged
        Number of files that were there already.
    deleted
        Files that were deleted because the manifest does not list them any more.
    left
        Such files that were not deleted: `delete` was not set, or they were changed.
    """

    direction: str
    moved: tuple[str, ...]
    bytes: int
    unchanged: int
    deleted: tuple[str, ...]
    left: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return the result as text."""
        lines = [f"{self.direction:<9} {len(self.moved):,} files, {self.bytes:,} bytes; {self.unchanged:,} unchanged"]
        lines += [f"deleted   {name}" for name in self.deleted]
        lines += [f"left      {name}: the manifest does not name it any more" for name in self.left]
        return lines


def push(
    place: str | Path,
    remote: str,
    *,
    endpoint_url: str | None = None,
    delete: bool = False,
    overwrite: bool = False,
    part_bytes: int = PART_BYTES,
    tell: Report | None = None,
) -> Transfer:
    """Copy a folder to an address; only files that differ are sent, and the manifest is sent last.

    An interrupted push leaves the old manifest at the address. The next push continues where it stopped, also within a
    large file.

    Parameters
    ----------
    remote
        ``s3://BUCKET/PREFIX``.
    endpoint_url
        Address of the server if it is not AWS (default: from ``AWS_ENDPOINT_URL`` or the AWS files).
    delete
        Whether to delete objects that this tool sent earlier and the manifest does not list any more (default False).
    overwrite
        Whether to send every file (default False). Objects that this tool did not send, and objects with a wrong
        SHA-256 in their metadata, are then replaced too.
    part_bytes
        Bytes: larger files are sent in parts of this size (default 16 MiB).
    tell
        Function that is told each file before it is read or sent (default: none).

    Raises
    ------
    SettingError
        When there is no folder, manifest, client or credentials, or the address is not valid.
    OutputError
        When the folder differs from its manifest, objects of other tools would be replaced, or the store fails.
    """
    place = Path(place)
    with (
        checked_manifest(place) as manifest,
        open_store(remote, endpoint_url=endpoint_url, part_bytes=part_bytes) as store,
    ):
        listing = store.listing()
        there, before = store.manifest()
        _refuse_changed(place, manifest, tell)
        artifacts = artifacts_of(manifest)
        marks = store.marks([one["path"] for one in artifacts if one["path"] in listing])
        due = [one for one in artifacts if overwrite or marks.get(one["path"]) != (one["bytes"], one["sha256"])]
        named = {one["path"] for one in artifacts_of(before)}
        foreign = [one["path"] for one in due if (marks.get(one["path"]) or (0, "-"))[1] == ""]
        if not overwrite:
            _refuse(f"'{store.address}' holds files that this tool did not send", set(foreign) - named)
        for artifact in sorted(
            due, key=lambda one: one["path"] in named
        ):  # files of the old manifest are replaced last
            if tell:
                tell(f"sending {artifact['path']}")
            store.send(place / artifact["path"], artifact)
        content = (place / MANIFEST).read_bytes()
        if due or content != there:
            store.send_bytes(MANIFEST, content)
        others = unnamed(listing, (one["path"] for one in artifacts))
        ours = [name for name, mark in store.marks(others).items() if mark and mark[1]]
        for name in ours if delete else ():
            store.delete(name)
    return _transfer("pushed", due, artifacts, deleted=ours if delete else (), left=() if delete else ours)


def pull(
    remote: str,
    place: str | Path,
    *,
    endpoint_url: str | None = None,
    delete: bool = False,
    overwrite: bool = False,
    part_bytes: int = PART_BYTES,
    tell: Report | None = None,
) -> Transfer:
    """Copy an address into a folder; files appear there only after all of them have arrived complete.

    An interrupted pull keeps complete files in a hidden folder, and the next pull continues from there.

    Parameters
    ----------
    remote, endpoint_url, part_bytes, tell
        As in `push`.
    place
        Folder; it is made if it does not exist.
    delete
        Whether to delete files that the folder's old manifest lists and the new one does not (default False).
    overwrite
        Whether to replace files that the folder's manifest does not list, or that were changed (default False).

    Raises
    ------
    SettingError
        When there is no client, there are no credentials, or the address is not valid.
    OutputError
        When the address has no manifest of this tool, or its files differ from it; when files in the folder would be
        replaced; when the folder or the store fails.
    """
    place = Path(place)
    with open_store(remote, endpoint_url=endpoint_url, part_bytes=part_bytes) as store:
        content, manifest = store.manifest()
        if not content:
            store.listing()  # raises an error if there is no bucket
            raise OutputError(f"no {MANIFEST} at '{store.address}'; push a folder there first")
        artifacts = artifacts_of(manifest)
        staging = Staging(place, adopt=artifacts)
        done = False
        try:
            with writing(place):
                due = [artifact for artifact in artifacts if not intact(place, artifact)]
                staging.check((one["path"] for one in due), overwrite=True)
                if not overwrite:
                    _refuse_diverged(place, staging.before, due)
                _fetch(store, staging, due, tell)
                gone = {one["path"] for one in artifacts_of(staging.before)} - {one["path"] for one in artifacts}
                made = [one["path"] for one in due]
                staging.commit(content, made=made, removed=gone if delete else (), overwrite=overwrite)
                done = True
        finally:
            staging.close(keep=not done)
    left = {name for name in gone if (place / name).exists()}
    return _transfer("pulled", due, artifacts, deleted=gone - left if delete else (), left=left)


def _fetch(store: Store, staging: Staging, due: Sequence[Mapping[str, Any]], tell: Report | None) -> None:
    """Fetch the files that are due into the staging; a file is complete or not there."""
    for artifact in due:
        name = artifact["path"]
        if staging.holds(artifact):
            continue
        if tell:
            tell(f"fetching {name}")
        target = staging.path(name)
        store.fetch(artifact, target)
        if target.stat().st_size != artifact["bytes"] or digest_of_file(target) != artifact["sha256"]:
            target.unlink()
            raise OutputError(f"'{store.address}/{name}' is not what its manifest says; push it with --overwrite")


def _refuse_changed(place: Path, manifest: Mapping[str, Any], tell: Report | None) -> None:
    """Raise an error if an artifact of the folder differs from the manifest; other files are ignored."""
    found = compare(place, manifest, tell=tell)
    spoiled = [*found.changed, *found.missing]
    if spoiled:
        listed = ", ".join(one.path for one in spoiled[:3]) + (" …" if len(spoiled) > 3 else "")
        raise OutputError(
            f"'{place}' is not as its manifest says: {listed}; see chart-diffusion verify, and make it again"
        )


def _refuse_diverged(place: Path, before: Mapping[str, Any], due: Sequence[Mapping[str, Any]]) -> None:
    """Raise an error if files to be replaced differ from the folder's own manifest, or are not in it."""
    named = {artifact["path"]: artifact for artifact in artifacts_of(before)}
    present = [artifact["path"] for artifact in due if (place / artifact["path"]).exists()]
    _refuse(f"'{place}' holds files of its own", (name for name in present if name not in named))
    changed = (name for name in present if not intact(place, named[name]))
    _refuse(f"'{place}' holds files that were changed since its manifest was written", changed)


def _refuse(found: str, names: Iterable[str]) -> None:
    listed = sorted(names)
    if listed:
        more = f" and {len(listed) - 3:,} more" if len(listed) > 3 else ""
        raise OutputError(f"{found}: {', '.join(listed[:3])}{more}; move them, or replace them with --overwrite")


def _transfer(
    direction: str,
    moved: Sequence[Mapping[str, Any]],
    artifacts: Sequence[Mapping[str, Any]],
    *,
    deleted: Iterable[str],
    left: Iterable[str],
) -> Transfer:
    return Transfer(
        direction=direction,
        moved=tuple(artifact["path"] for artifact in moved),
        bytes=sum(artifact["bytes"] for artifact in moved),
        unchanged=len(artifacts) - len(moved),
        deleted=tuple(sorted(deleted)),
        left=tuple(sorted(left)),
    )
