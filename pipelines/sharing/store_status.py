"""Differences between a folder and its copy in a store, by their manifests."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.folders.manifest import MANIFEST, artifacts_of
from pipelines.folders.verify import Difference, checked_manifest, compare
from pipelines.progress import Report
from pipelines.sharing.object_store import open_store, unnamed


@dataclass(frozen=True, slots=True)
class Status:
    """Differences between a folder and an address, by their manifests.

    Attributes
    ----------
    remote
        The address.
    here, there
        Whether the folder, and the address, have a manifest.
    unchanged
        Number of equal files.
    changed
        Files in both manifests with different content.
    only_here, only_there
        Files in one manifest only.
    spoiled_here
        Files of the folder that differ from its manifest.
    spoiled_there
        Files in the manifest at the address that are missing there or have another size.
    unnamed_there
        Objects at the address that its manifest does not list, without folders that have their own manifest.
    """

    remote: str
    here: bool
    there: bool
    unchanged: int
    changed: tuple[str, ...]
    only_here: tuple[str, ...]
    only_there: tuple[str, ...]
    spoiled_here: tuple[Difference, ...]
    spoiled_there: tuple[Difference, ...]
    unnamed_there: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether both sides have the same files, all of them complete."""
        differing = (self.changed, self.only_here, self.only_there, self.spoiled_here, self.spoiled_there)
        return self.here and self.there and not any(differing)

    def lines(self) -> list[str]:
        """Return the differences as text, with a summary line at the end."""
        lines = [] if self.here else [f"no {MANIFEST} in the folder yet"]
        lines += [] if self.there else [f"no {MANIFEST} at {self.remote} yet"]
        for label, names in (("changed", self.changed), ("only here", self.only_here), ("only there", self.only_there)):
            lines += [f"{label:<13} {name}" for name in names]
        for label, spoiled in (("spoiled here", self.spoiled_here), ("spoiled there", self.spoiled_there)):
            lines += [f"{label:<13} {one.path}: {one.what}" for one in spoiled]
        lines += [f"{'unnamed there':<13} {name}" for name in self.unnamed_there]
        return [*lines, f"{'same' if self.same else 'different':<13} {self.unchanged:,} files are on both sides"]


def status(
    place: str | Path,
    remote: str,
    *,
    endpoint_url: str | None = None,
    tell: Report | None = None,
) -> Status:
    """Return the differences between a folder and an address; parameters and errors as in `storage.push`.

    Nothing is changed. Either side may have no manifest yet. All files of the folder are read, but only sizes of
    objects.
    """
    place = Path(place)
    here: dict[str, Any] = {"steps": {}}
    found = None
    if (place / MANIFEST).exists():
        with checked_manifest(place) as here:
            found = compare(place, here, tell=tell)
    with open_store(remote, endpoint_url=endpoint_url) as store:
        listing = store.listing()
        _, there = store.manifest()
    ours, theirs = ({artifact["path"]: artifact for artifact in artifacts_of(one)} for one in (here, there))
    both = ours.keys() & theirs.keys()
    same = {name for name in both if ours[name]["sha256"] == theirs[name]["sha256"]}
    spoiled = [
        Difference(name, "is not there" if name not in listing else f"has {listing[name]:,} bytes")
        for name, one in sorted(theirs.items())
        if listing.get(name) != one["bytes"]
    ]
    return Status(
        remote=str(store.address),
        here=found is not None,
        there=MANIFEST in listing,
        unchanged=len(same),
        changed=tuple(sorted(both - same)),
        only_here=tuple(sorted(ours.keys() - theirs.keys())),
        only_there=tuple(sorted(theirs.keys() - ours.keys())),
        spoiled_here=(*found.changed, *found.missing) if found else (),
        spoiled_there=tuple(spoiled),
        unnamed_there=tuple(unnamed(listing, theirs)),
    )
