"""Objects of an S3-compatible store (AWS, Cloudflare R2, MinIO) below one prefix: list, send, fetch, delete."""

import base64
import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from diffusion import OutputError
from pipelines.folders.manifest import MANIFEST, digest_of, parse_manifest
from pipelines.folders.verify import check_digests
from pipelines.sharing.store_client import open_client, parse_address, server_of, store_errors

MARK = "chart-diffusion-sha256"
"""Metadata of an object sent by this tool: its SHA-256."""
HOME = "chart-diffusion-prefix"
"""Metadata of an object sent by this tool: its prefix, percent-encoded."""
PART_BYTES = 16 * 1024 * 1024
"""Larger files are sent in parts of this size, with at most `LANES` parts in memory."""
LANES = 4
MOST_PARTS = 10_000
LARGEST_MANIFEST = 256 * 1024 * 1024


class Store:
    """The objects at one address; open it with `open_store`. Its messages name the address but never credentials."""

    def __init__(self, remote: str, endpoint_url: str | None, part_bytes: int) -> None:
        self.address = parse_address(remote)
        self.part_bytes = part_bytes
        self.client = open_client(self.address, endpoint_url, connections=4 * LANES)

    def listing(self) -> dict[str, int]:
        """Return name → size of all objects below the prefix, also those of other tools."""
        start = self.address.key("")
        pages = self._pages("list_objects_v2", Bucket=self.address.bucket, Prefix=start)
        with self._errors():
            return {str(entry["Key"])[len(start) :]: int(entry["Size"]) for entry in self._all(pages, "Contents")}

    def mark(self, name: str) -> tuple[int, str] | None:
        """Return an object's size and the SHA-256 it was sent with, None if it does not exist.

        The SHA-256 is '' if this tool did not send the object to this address.
        """
        with self._errors(absent_is_fine=True):
            head = self.client.head_object(**self._object(name))
            said = head["Metadata"]
            ours = said.get(HOME) == quote(self.address.prefix)
            return int(head["ContentLength"]), str(said.get(MARK, "")) if ours else ""
        return None

    def marks(self, names: list[str]) -> dict[str, tuple[int, str] | None]:
        """Return name → `mark`."""
        with ThreadPoolExecutor(2 * LANES) as lanes:
            return dict(zip(names, lanes.map(self.mark, names), strict=True))

    def manifest(self) -> tuple[bytes, dict[str, Any]]:
        """Return the manifest of the address as bytes and parsed; without bytes and steps if there is none.

        Raises
        ------
        OutputError
            When it is not a manifest of this tool, names a file outside its folder, or was changed by hand.
        """
        content = b""
        with self._errors(absent_is_fine=True):
            answer = self.client.get_object(**self._object(MANIFEST))
            with answer["Body"] as body:
                if answer["ContentLength"] > LARGEST_MANIFEST:
                    raise OutputError(f"'{self.address}/{MANIFEST}' is too large to be a manifest")
                content = body.read()
        if not content:
            return b"", {"steps": {}}
        where = f"'{self.address}/{MANIFEST}'"
        manifest = parse_manifest(content, where)
        check_digests(manifest, where)
        return content, manifest

    def send(self, path: Path, artifact: Mapping[str, Any]) -> None:
        """Send a file, in parts if it is large, and check that it arrived.

        Raises
        ------
        OutputError
            When the store fails, or the object differs afterwards.
        """
        name, wanted = artifact["path"], (artifact["bytes"], artifact["sha256"])
        if artifact["bytes"] <= self.part_bytes:
            self.send_bytes(name, path.read_bytes(), sha256=artifact["sha256"])
        else:
            self._send_parts(path, artifact)
            if self.mark(name) != wanted:  # an upload that was begun with other content
                self._send_parts(path, artifact, resume=False)
        if self.mark(name) != wanted:
            raise OutputError(f"'{self.address}/{name}' did not arrive whole; push again")

    def send_bytes(self, name: str, content: bytes, *, sha256: str | None = None) -> None:
        """Send an object in one piece; the server refuses it if it was changed on the way."""
        found = digest_of(content)
        if sha256 not in (None, found):
            raise OutputError(f"'{name}' was changed while it was sent; verify the folder and push again")
        with self._errors():
            call = {"ContentMD5": _md5(content)[0], "Metadata": self._metadata(found)}
            self.client.put_object(**self._object(name), **call, Body=content)

    def fetch(self, artifact: Mapping[str, Any], target: Path) -> None:
        """Fetch an object of the expected size into a file; the caller must check its content.

        Raises
        ------
        OutputError
            When the object does not exist or has another size, or the store fails.
        """
        from boto3.s3.transfer import TransferConfig

        name = artifact["path"]
        head = self.mark(name)
        if head is None:
            raise OutputError(f"'{self.address}/{name}' is not there, though its manifest names it; push it again")
        if head[0] != artifact["bytes"]:
            raise OutputError(
                f"'{self.address}/{name}' has {head[0]:,} bytes, its manifest says {artifact['bytes']:,}; push it again"
            )
        parts = TransferConfig(
            multipart_threshold=self.part_bytes, multipart_chunksize=self.part_bytes, max_concurrency=LANES
        )
        with self._errors():
            self.client.download_file(self.address.bucket, self.address.key(name), str(target), Config=parts)

    def delete(self, name: str) -> None:
        """Delete an object."""
        with self._errors():
            self.client.delete_object(**self._object(name))

    def _send_parts(self, path: Path, artifact: Mapping[str, Any], *, resume: bool = True) -> None:
        """Send a file in parts, from where an interrupted upload stopped; after an error, the parts stay."""
        where = self._object(artifact["path"])
        size = max(self.part_bytes, math.ceil(artifact["bytes"] / MOST_PARTS))
        upload, there = self._begun(path, where, size) if resume else ("", {})
        with self._errors():
            if not upload:
                begun = self.client.create_multipart_upload(**where, Metadata=self._metadata(artifact["sha256"]))
                upload = str(begun["UploadId"])

            def send(number: int) -> dict[str, Any]:
                etag = there.get(number)
                if etag is None:
                    content = _part(path, number, size)
                    call = {"UploadId": upload, "PartNumber": number, "ContentMD5": _md5(content)[0]}
                    etag = str(self.client.upload_part(**where, **call, Body=content)["ETag"])
                return {"PartNumber": number, "ETag": etag}

            with ThreadPoolExecutor(LANES) as lanes:
                sent = [lanes.submit(send, number) for number in range(1, math.ceil(artifact["bytes"] / size) + 1)]
                try:
                    parts = [one.result() for one in sent]
                except BaseException:
                    lanes.shutdown(wait=True, cancel_futures=True)
                    raise
            self.client.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})

    def _begun(self, path: Path, where: Mapping[str, str], size: int) -> tuple[str, dict[int, str]]:
        """Return the interrupted upload with most parts of the file, and their ETags; abort the other uploads."""
        found: list[tuple[str, dict[int, str]]] = []
        with suppress(OutputError), self._errors():  # some stores and credentials cannot list uploads
            pages = self._pages("list_multipart_uploads", Bucket=where["Bucket"], Prefix=where["Key"])
            uploads = [str(one["UploadId"]) for one in self._all(pages, "Uploads") if one["Key"] == where["Key"]]
            found = sorted(((one, self._right_parts(path, where, one, size)) for one in uploads), key=_parts_of)
        chosen = found.pop() if found and found[-1][1] else ("", {})
        for stale, _ in found:
            with suppress(OutputError), self._errors():
                self.client.abort_multipart_upload(**where, UploadId=stale)
        return chosen

    def _right_parts(self, path: Path, where: Mapping[str, str], upload: str, size: int) -> dict[int, str]:
        """Return number → ETag of the parts that arrived and have the MD5 of the file's part."""
        right = {}
        for part in self._all(self._pages("list_parts", **where, UploadId=upload), "Parts"):
            number, etag = int(part["PartNumber"]), str(part["ETag"])
            if number >= 1 and etag.strip('"') == _md5(_part(path, number, size))[1]:
                right[number] = etag
        return right

    def _object(self, name: str) -> dict[str, str]:
        return {"Bucket": self.address.bucket, "Key": self.address.key(name)}

    def _metadata(self, sha256: str) -> dict[str, str]:
        return {MARK: sha256, HOME: quote(self.address.prefix)}

    def _pages(self, operation: str, **call: str) -> Iterator[dict[str, Any]]:
        pages: Iterator[dict[str, Any]] = self.client.get_paginator(operation).paginate(**call)
        return pages

    @staticmethod
    def _all(pages: Iterator[dict[str, Any]], kind: str) -> Iterator[dict[str, Any]]:
        for page in pages:
            yield from page.get(kind, ())

    def _errors(self, *, absent_is_fine: bool = False) -> AbstractContextManager[None]:
        return store_errors(self.address, server_of(self.client), absent_is_fine=absent_is_fine)


@contextmanager
def open_store(remote: str, *, endpoint_url: str | None = None, part_bytes: int = PART_BYTES) -> Iterator[Store]:
    """Open the store at ``s3://BUCKET/PREFIX``.

    Parameters
    ----------
    endpoint_url
        Address of the server if it is not AWS (default: from ``AWS_ENDPOINT_URL`` or the AWS files).
    part_bytes
        Bytes: larger files are sent in parts of this size (default 16 MiB).

    Raises
    ------
    SettingError
        When the address or the endpoint is not valid, or the client is not installed.
    """
    store = Store(remote, endpoint_url, part_bytes)
    try:
        yield store
    finally:
        store.client.close()


def unnamed(listing: Iterable[str], named: Iterable[str]) -> list[str]:
    """Return the names of a listing that are not `named`, without those in folders that have their own manifest."""
    listing = set(listing)
    others = tuple(name.removesuffix(MANIFEST) for name in listing if name.endswith(f"/{MANIFEST}"))
    return sorted(name for name in listing - set(named) - {MANIFEST} if not name.startswith(others))


def _parts_of(upload: tuple[str, dict[int, str]]) -> int:
    return len(upload[1])


def _part(path: Path, number: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek((number - 1) * size)
        return file.read(size)


def _md5(content: bytes) -> tuple[str, str]:
    """Return the MD5 of content in the form of the header `Content-MD5`, and in that of an ETag."""
    digest = hashlib.md5(content, usedforsecurity=False)
    return base64.b64encode(digest.digest()).decode("ascii"), digest.hexdigest()
