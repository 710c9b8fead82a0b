"""Sharing a folder by its manifest: push it to an S3-compatible store, pull it from there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffusion import OutputError
from pipelines.folders.manifest import MANIFEST, artifacts_of, digest_of_file, intact
from pipelines.folders.staging import Staging, writing
from pipelines.folders.verify import believed, compare
from pipelines.progress import Report
from pipelines.sharing.object_store import PART_BYTES, Store, open_store, unnamed


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a push or a pull did.

    Attributes
    ----------
    direction
        ``pushed`` or ``pulled``.
    moved
        Files that travelled and were found whole afterwards; the manifest comes on top where it differed.
    bytes
        Their size.
    unchanged
        How many files were there already, whole.
    deleted
        Files that the manifest does not name any more, deleted because that was asked for.
    left
        Those that are still there: deleting was not asked for, or they were changed since.
    """

    direction: str
    moved: tuple[str, ...]
    bytes: int
    unchanged: int
    deleted: tuple[str, ...]
    left: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return what was done as text."""
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
    """Bring a folder to an address; what is there already, whole, does not travel; the manifest goes last.

    A push that is interrupted leaves the manifest that was there; the next one goes on where it stopped, within a
    large file too.

    Parameters
    ----------
    remote
        ``s3://BUCKET/PREFIX``.
    endpoint_url
        The server, where it is not AWS; by default ``AWS_ENDPOINT_URL`` or the AWS files say.
    delete
        Whether to delete objects that this tool sent there earlier and the manifest does not name any more.
    overwrite
        Whether to send every file, whatever is there: objects that this tool did not send, or that say they are whole
        and are not, are replaced too.
    part_bytes
        Larger files travel in parts of this size.
    tell
        Told every file before it is read or sent.

    Raises
    ------
    SettingError
        When there is no folder, no manifest, no client, or no credentials, or the address cannot be right.
    OutputError
        When the folder is not as its manifest says, foreign objects are in the way, or the store fails.
    """
    place = Path(place)
    with believed(place) as manifest, open_store(remote, endpoint_url=endpoint_url, part_bytes=part_bytes) as store:
        listing = store.listing()
        there, before = store.manifest()
        _refuse_spoiled(place, manifest, tell)
        artifacts = artifacts_of(manifest)
        marks = store.marks([one["path"] for one in artifacts if one["path"] in listing])
        due = [one for one in artifacts if overwrite or marks.get(one["path"]) != (one["bytes"], one["sha256"])]
        named = {one["path"] for one in artifacts_of(before)}
        foreign = [one["path"] for one in due if (marks.get(one["path"]) or (0, "-"))[1] == ""]
        if not overwrite:
            _refuse(f"'{store.address}' holds files that this tool did not send", set(foreign) - named)
        for artifact in sorted(due, key=lambda one: one["path"] in named):  # what the old manifest names stays longest
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
    """Bring what an address holds into a folder; it appears there when all of it has arrived whole.

    A pull that is interrupted keeps what arrived whole in a hidden folder, and the next one goes on from there.

    Parameters
    ----------
    remote, endpoint_url, part_bytes, tell
        As for `push`.
    place
        Made where it is absent.
    delete
        Whether to delete files that the folder's manifest named and the new one does not.
    overwrite
        Whether to replace files that the folder's manifest does not name, or that were changed since.

    Raises
    ------
    SettingError
        When there is no client or no credentials, or the address cannot be right.
    OutputError
        When the address holds no manifest, one that is not of this tool, or other files than it says; when files are
        in the way; when the folder or the store fails.
    """
    place = Path(place)
    with open_store(remote, endpoint_url=endpoint_url, part_bytes=part_bytes) as store:
        content, manifest = store.manifest()
        if not content:
            store.listing()  # says so where there is no bucket
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
    """Bring what is due into the staging, each file whole or not at all."""
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


def _refuse_spoiled(place: Path, manifest: Mapping[str, Any], tell: Report | None) -> None:
    """Refuse a folder whose artifacts are not as its manifest says; other files within it do not matter."""
    found = compare(place, manifest, tell=tell)
    spoiled = [*found.changed, *found.missing]
    if spoiled:
        listed = ", ".join(one.path for one in spoiled[:3]) + (" …" if len(spoiled) > 3 else "")
        raise OutputError(
            f"'{place}' is not as its manifest says: {listed}; chart-diffusion verify tells, make it anew"
        )


def _refuse_diverged(place: Path, before: Mapping[str, Any], due: Sequence[Mapping[str, Any]]) -> None:
    """Refuse to replace files that are not as the folder's own manifest says."""
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
