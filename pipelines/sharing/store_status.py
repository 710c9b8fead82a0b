"""How a folder and the store it is shared by differ, by their manifests."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.folders.manifest import MANIFEST, artifacts_of
from pipelines.folders.verify import Difference, believed, compare
from pipelines.progress import Report
from pipelines.sharing.object_store import open_store, unnamed


@dataclass(frozen=True, slots=True)
class Status:
    """How a folder and an address differ, by their manifests.

    Attributes
    ----------
    remote
        The address.
    here, there
        Whether there is a manifest in the folder; at the address.
    unchanged
        How many files are the same.
    changed
        Files that both manifests name with different content.
    only_here, only_there
        Files that one manifest names.
    spoiled_here
        Files of the folder that are not as its own manifest says.
    spoiled_there
        Files that the manifest at the address names and the address does not hold, or in another size.
    unnamed_there
        Objects below the address that its manifest does not name; those of folders within it that have a manifest of
        their own are not meant.
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
        """Whether both sides hold the same files, whole."""
        differing = (self.changed, self.only_here, self.only_there, self.spoiled_here, self.spoiled_there)
        return self.here and self.there and not any(differing)

    def lines(self) -> list[str]:
        """Return the differences as text, the sum last."""
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
    """Return how a folder and an address differ; nothing is changed. Parameters and errors are as for `storage.push`.

    Either side may have no manifest yet. Every file of the folder is read; of the objects, only sizes are asked for.
    """
    place = Path(place)
    here: dict[str, Any] = {"steps": {}}
    found = None
    if (place / MANIFEST).exists():
        with believed(place) as here:
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
