"""Sharing folders, against a server on loopback that speaks S3."""

import functools
import json
import logging
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from diffusion import DiffusionError, OutputError, SettingError
from pipelines.folders.folder import Folder
from pipelines.folders.manifest import MANIFEST
from pipelines.folders.verify import verify
from pipelines.sharing.object_store import MARK, open_store
from pipelines.sharing.storage import Transfer, pull, push
from pipelines.sharing.store_client import open_client, parse_address
from pipelines.sharing.store_status import status
from tests.pipelines.test_folder import contents, fill

pytest.importorskip("boto3")
pytest.importorskip("moto.server")

PART = 5 * 1024 * 1024
"""The smallest part that S3 allows."""
BIG = bytes(range(256)) * 4096 * 12  # 12 MiB: parts of 5, 5 and 2
FILES = {"ünï cødé/流行.txt": b"unicode", "big.bin": BIG, "year=2020/part-0.bin": b"small", "empty": b""}
REMOTE = "s3://charts/study/raw"
SECRETS = {"AWS_ACCESS_KEY_ID": "AKIAKEYID2SECRET", "AWS_SECRET_ACCESS_KEY": "sEcReT/kEy+2sEcReT"}


@dataclass
class Bucket:
    """The bucket of a test, as somebody else's client sees it, and the calls that ours makes."""

    client: Any
    endpoint: str
    calls: list[str] = field(default_factory=list)
    stop: Callable[[str], bool] = field(default=lambda call: False)
    error: BaseException = field(default_factory=KeyboardInterrupt)

    def hold(self) -> dict[str, bytes]:
        """Return name → body of every object below the address."""
        listed = self.client.list_objects_v2(Bucket="charts", Prefix="study/raw/").get("Contents", [])
        return {one["Key"][len("study/raw/") :]: self.body(one["Key"]) for one in listed}

    def body(self, key: str) -> bytes:
        with closing(self.client.get_object(Bucket="charts", Key=key)["Body"]) as body:
            return bytes(body.read())

    def put(self, name: str, body: bytes, **more: Any) -> None:
        self.client.put_object(Bucket="charts", Key=f"study/raw/{name}", Body=body, **more)

    def count(self, call: str) -> int:
        """Return how often our client made a call, and forget it."""
        found = self.calls.count(call)
        self.calls.clear()
        return found


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Serve S3 on loopback; return where."""
    from botocore import loaders
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    served = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    served.start()
    host, port = served.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        # a new client reads 3 MB of JSON
        patch.setattr("botocore.session.create_loader", functools.cache(loaders.create_loader))
        yield f"http://{host}:{port}"
    served.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Bucket]:
    """Return an empty bucket; credentials and server stand in the environment, as for a user."""
    import boto3

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with closing(boto3.session.Session().client("s3", region_name="us-east-1")) as client:
        client.create_bucket(Bucket="charts")
        made = Bucket(client, server)

        def watch(model: Any, **_: Any) -> None:
            made.calls.append(model.name)
            if made.stop(model.name):
                raise made.error

        def watched(*arguments: Any, **options: Any) -> Any:
            ours = open_client(*arguments, **options)
            ours.meta.events.register("before-call.s3", watch)
            return ours

        monkeypatch.setattr("pipelines.sharing.object_store.open_client", watched)
        yield made
        for upload in client.list_multipart_uploads(Bucket="charts").get("Uploads", []):
            client.abort_multipart_upload(Bucket="charts", Key=upload["Key"], UploadId=upload["UploadId"])
        for one in client.list_objects_v2(Bucket="charts").get("Contents", []):
            client.delete_object(Bucket="charts", Key=one["Key"])
        client.delete_bucket(Bucket="charts")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Return a folder with small files, names in other scripts, and one that travels in parts."""
    fill(tmp_path / "here", FILES)
    return tmp_path / "here"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder of the same names, all small."""
    fill(tmp_path / "here", FILES | {"big.bin": b"not big"})
    return tmp_path / "here"


def push_it(place: Path, **options: Any) -> Transfer:
    return push(place, REMOTE, part_bytes=PART, **options)


def pull_it(place: Path, **options: Any) -> Transfer:
    return pull(REMOTE, place, part_bytes=PART, **options)


def stop_after(number: int, *calls: str) -> Callable[[str], bool]:
    """Return what stops our client at the call after `number` of `calls`; of any call, where none is named."""
    left = number

    def stop(call: str) -> bool:
        nonlocal left
        left -= not calls or call in calls
        return left < 0

    return stop


def fails(kind: type[DiffusionError], said: str, call: Callable[..., object], *arguments: Any, **options: Any) -> None:
    """Assert that a call ends with one clear line, and that nothing it could print holds credentials."""
    with pytest.raises(kind, match=said) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)
    printed = "".join(traceback.format_exception(caught.value))
    for secret in (*SECRETS.values(), "hunter2"):
        assert secret not in str(caught.value)
        assert secret not in printed.replace(repr(options), "")


def test_what_is_pushed_can_be_pulled(bucket: Bucket, large: Path, tmp_path: Path) -> None:
    told: list[str] = []

    def tell(doing: str) -> None:
        told.append(doing)

    done = push_it(large, tell=tell)
    assert set(done.moved) == set(FILES)
    assert (done.bytes, done.unchanged, done.deleted, done.left) == (sum(map(len, FILES.values())), 0, (), ())
    assert bucket.hold() == contents(large)
    assert told[-4:] == [f"sending {name}" for name in FILES]
    assert bucket.client.head_object(Bucket="charts", Key="study/raw/big.bin")["ETag"].endswith('-3"')
    assert bucket.count("UploadPart") == 3
    done = pull_it(tmp_path / "there", tell=tell)
    assert (set(done.moved), done.direction) == (set(FILES), "pulled")
    assert contents(tmp_path / "there") == contents(large)
    assert verify(tmp_path / "there").whole
    assert told[-1] == "fetching empty"
    assert done.lines() == ["pulled    4 files, 12,582,924 bytes; 0 unchanged"]


def test_nothing_travels_twice(bucket: Bucket, place: Path, tmp_path: Path) -> None:
    push_it(place)
    pull_it(tmp_path / "there")
    bucket.calls.clear()
    assert push_it(place).moved == ()
    assert pull_it(tmp_path / "there").moved == ()
    assert {"PutObject", "UploadPart", "CreateMultipartUpload"}.isdisjoint(bucket.calls)
    assert bucket.count("GetObject") == 2  # the manifest, once for each
    with Folder(place) as folder:
        folder.begin("step", "two", parameters={}, notes={})
        folder.carry("step", ["big.bin", "empty", "ünï cødé/流行.txt"])
        folder.put("step", "year=2020/part-0.bin", b"other")
        folder.put("step", "year=2021/part-0.bin", b"new")
        folder.log("ingest --append")
    changed = {"year=2020/part-0.bin", "year=2021/part-0.bin"}
    assert set(push_it(place).moved) == changed
    assert bucket.count("PutObject") == 3
    done = pull_it(tmp_path / "there")
    assert (set(done.moved), done.unchanged) == (changed, 3)
    assert contents(tmp_path / "there") == contents(place) == bucket.hold()
    assert "runs.log" not in bucket.hold()


def test_an_interrupted_push_goes_on_within_a_large_file(bucket: Bucket, large: Path) -> None:
    bucket.stop = stop_after(2, "UploadPart")
    with pytest.raises(KeyboardInterrupt):
        push_it(large)
    bucket.stop = stop_after(10**6)
    assert "big.bin" not in bucket.hold()
    arrived = len(
        bucket.client.list_parts(
            Bucket="charts",
            Key="study/raw/big.bin",
            UploadId=bucket.client.list_multipart_uploads(Bucket="charts")["Uploads"][0]["UploadId"],
        ).get("Parts", [])
    )
    assert arrived == 2
    bucket.calls.clear()
    done = push_it(large)
    assert done.unchanged == 1  # the file before it
    assert "CreateMultipartUpload" not in bucket.calls
    assert bucket.count("UploadPart") == 1
    assert bucket.hold() == contents(large)
    assert "Uploads" not in bucket.client.list_multipart_uploads(Bucket="charts")


def test_parts_of_other_content_are_not_gone_on_with(bucket: Bucket, large: Path) -> None:
    bucket.stop = stop_after(2, "UploadPart")
    with pytest.raises(KeyboardInterrupt):
        push_it(large)
    bucket.stop = stop_after(10**6)
    same_beginning = BIG[: 2 * PART] + b"other end" * 400_000
    fill(large, FILES | {"big.bin": same_beginning}, fingerprint="two")
    push_it(large)
    assert bucket.hold() == contents(large)
    head = bucket.client.head_object(Bucket="charts", Key="study/raw/big.bin")
    artifact = {one["path"]: one["sha256"] for one in json.loads(bucket.hold()[MANIFEST])["steps"]["step"]["artifacts"]}
    assert head["Metadata"][MARK] == artifact["big.bin"]
    bucket.stop = stop_after(1, "UploadPart")
    fill(large, FILES | {"big.bin": BIG[::-1]}, fingerprint="three")
    with pytest.raises(KeyboardInterrupt):
        push_it(large)
    bucket.stop = stop_after(10**6)
    fill(large, FILES | {"big.bin": b"x" * len(BIG)}, fingerprint="four")
    push_it(large)
    assert bucket.hold() == contents(large)
    assert "Uploads" not in bucket.client.list_multipart_uploads(Bucket="charts")


@pytest.mark.parametrize("calls", (0, 9, 17, *(pytest.param(n, marks=pytest.mark.slow) for n in (3, 7, 11, 13, 15))))
def test_a_broken_push_leaves_no_manifest_that_names_what_is_absent(
    bucket: Bucket, large: Path, tmp_path: Path, calls: int
) -> None:
    push_it(large)
    fill(large, {"empty": b"", "big.bin": BIG[1:] + b"z", "year=2020/part-0.bin": b"other", "more": b"more"},
         fingerprint="two")  # fmt: skip
    bucket.stop = stop_after(calls)
    try:
        push_it(large)
    except KeyboardInterrupt:
        held = bucket.hold()
        named = json.loads(held[MANIFEST])["steps"]["step"]["artifacts"]
        assert {artifact["path"] for artifact in named} <= set(held)
    bucket.stop = stop_after(10**6)
    assert push_it(large).left == ("ünï cødé/流行.txt",)
    assert {name: body for name, body in bucket.hold().items() if "/流" not in name} == contents(large)
    pull_it(tmp_path / "there")
    assert contents(tmp_path / "there") == contents(large)


def test_an_interrupted_pull_goes_on_where_it_stopped(bucket: Bucket, large: Path, tmp_path: Path) -> None:
    from botocore.exceptions import EndpointConnectionError

    push_it(large)
    there = tmp_path / "there"
    fill(there, {"empty": b"not empty", "old": b"old"})
    before = contents(there)
    bucket.stop = stop_after(4, "GetObject")  # the manifest, the first file, two parts of the second
    bucket.error = EndpointConnectionError(endpoint_url=bucket.endpoint)
    fails(OutputError, "cannot reach 127.0.0.1:", pull_it, there)
    assert before.items() <= contents(there).items()
    (kept,) = set(contents(there)) - set(before)
    assert kept.startswith(".chart-diffusion-")
    bucket.stop = stop_after(10**6)
    bucket.calls.clear()
    done = pull_it(there)
    assert set(done.moved) == set(FILES)
    assert bucket.count("GetObject") == 1 + 3 + 1 + 1
    assert done.left == ("old",)
    assert {name: body for name, body in contents(there).items() if name != "old"} == contents(large)
    assert [one.path for one in verify(there).extra] == ["old"]


def test_a_pull_in_vain_leaves_nothing(bucket: Bucket, tmp_path: Path) -> None:
    fails(OutputError, f"no {MANIFEST} at '{REMOTE}'; push a folder there first", pull_it, tmp_path / "there")
    assert not (tmp_path / "there").exists()


KILLED = """
import sys
from pipelines.sharing.storage import {call}
{call}(*sys.argv[1:], part_bytes=5 * 1024 * 1024, tell=lambda doing: print(doing, flush=True))
"""


@pytest.mark.slow
@pytest.mark.parametrize("call", ["push", "pull"])
def test_a_killed_transfer_is_taken_up_again(bucket: Bucket, large: Path, tmp_path: Path, call: str) -> None:
    there = tmp_path / "there"
    if call == "pull":
        push_it(large)
    ends = [str(large), REMOTE] if call == "push" else [REMOTE, str(there)]
    word = "sending" if call == "push" else "fetching"
    for name in FILES:
        command = [sys.executable, "-c", KILLED.format(call=call), *ends]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == f"{word} {name}":
                process.send_signal(signal.SIGKILL)
                break
        process.wait()
        process.stdout.close()
    push_it(large)
    pull_it(there)
    assert contents(there) == contents(large) == bucket.hold()


def test_a_folder_that_is_not_whole_is_not_pushed(bucket: Bucket, place: Path, tmp_path: Path) -> None:
    (place / "year=2020" / "part-0.bin").write_bytes(b"smelt")
    fails(OutputError, "is not as its manifest says: year=2020/part-0.bin", push_it, place)
    (place / "empty").unlink()
    (place / "empty").symlink_to("/etc/passwd")
    fails(OutputError, "is not as its manifest says: year=2020/part-0.bin, empty", push_it, place)
    fails(SettingError, "no manifest.json in", push_it, tmp_path)
    fails(SettingError, "no folder", push_it, tmp_path / "absent")
    assert bucket.hold() == {}
    with Folder(tmp_path / "busy"):
        fails(OutputError, "another run is at work", push_it, tmp_path / "busy")
        fails(OutputError, "no manifest.json at", pull_it, tmp_path / "busy")


def test_files_that_no_artifact_names_stay_at_home(bucket: Bucket, place: Path) -> None:
    (place / "notes.txt").write_text("mine")
    push_it(place)
    assert set(bucket.hold()) == {*FILES, MANIFEST}


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"SMALL", "is not what its manifest says"), (b"longer", "has 6 bytes, its manifest says 5"), (None, "not there")],
)
def test_what_was_changed_at_the_address_does_not_arrive(
    bucket: Bucket, place: Path, tmp_path: Path, body: bytes | None, said: str
) -> None:
    push_it(place)
    there = tmp_path / "there"
    fill(there, {"year=2020/part-0.bin": b"mine"})
    before = contents(there)
    if body is None:
        bucket.client.delete_object(Bucket="charts", Key="study/raw/year=2020/part-0.bin")
    else:
        mark = bucket.client.head_object(Bucket="charts", Key="study/raw/year=2020/part-0.bin")["Metadata"]
        bucket.put("year=2020/part-0.bin", body, Metadata=mark)
    fails(OutputError, said, pull_it, there)
    assert before.items() <= contents(there).items()
    assert (there / "year=2020" / "part-0.bin").read_bytes() == b"mine"
    done = push_it(place, overwrite=body == b"SMALL")  # what says that it is whole, and is not, only a pull finds out
    assert len(done.moved) == (4 if body == b"SMALL" else 1)
    pull_it(there)
    assert contents(there) == contents(place)


HOSTILE = ["../x", "/x", "a\\b", "C:x", "a\0b", MANIFEST, "runs.log", ".chart-diffusion-1-x/new/a"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_manifest_writes_nothing(bucket: Bucket, place: Path, tmp_path: Path, name: object) -> None:
    manifest = json.loads((place / MANIFEST).read_bytes())
    manifest["steps"]["step"]["artifacts"][3]["path"] = name
    bucket.put(MANIFEST, json.dumps(manifest).encode())
    there = tmp_path / "deep" / "er" / "there"
    before = set(tmp_path.rglob("*"))
    for call in (pull_it, lambda _: push_it(place), lambda _: status(place, REMOTE)):
        fails(OutputError, f"'{REMOTE}/{MANIFEST}' is not a manifest of this tool", call, there)
    assert set(tmp_path.rglob("*")) == before


def test_a_manifest_changed_by_hand_is_not_believed(bucket: Bucket, place: Path, tmp_path: Path) -> None:
    push_it(place)
    manifest = json.loads((place / MANIFEST).read_bytes())
    manifest["steps"]["step"]["notes"]["rows"] = 3
    bucket.put(MANIFEST, json.dumps(manifest).encode())
    fails(OutputError, "was changed by hand", pull_it, tmp_path / "there")
    bucket.put(MANIFEST, b'{"mine": 1}')
    fails(OutputError, "is not a manifest of this tool", push_it, place)
    assert bucket.hold()[MANIFEST] == b'{"mine": 1}'


def test_links_lead_no_pull_out_of_its_folder(bucket: Bucket, place: Path, tmp_path: Path) -> None:
    push_it(place)
    there, victim = tmp_path / "there", tmp_path / "victim"
    victim.mkdir()
    (victim / "part-0.bin").write_bytes(b"whole")
    there.mkdir()
    (there / "year=2020").symlink_to(victim)
    for overwrite in (False, True):
        fails(OutputError, "leads out of the folder by a link", pull_it, there, overwrite=overwrite)
    (there / "year=2020").unlink()
    (there / "empty").symlink_to(victim / "part-0.bin")
    fails(OutputError, "leads out of the folder by a link", pull_it, there, overwrite=True)
    (there / "empty").unlink()
    (there / ".chart-diffusion-1-x").symlink_to(victim)
    pull_it(there)
    assert contents(victim) == {"part-0.bin": b"whole"}


def test_what_is_in_the_way_is_not_replaced_untold(bucket: Bucket, place: Path, tmp_path: Path) -> None:
    push_it(place)
    there = tmp_path / "there"
    there.mkdir()
    (there / "empty").write_bytes(b"mine")
    fails(OutputError, "holds files of its own: empty; move them, or replace them with --overwrite", pull_it, there)
    assert contents(there) == {"empty": b"mine"}
    pull_it(there, overwrite=True)
    assert contents(there) == contents(place)
    (there / "empty").write_bytes(b"edited")
    (there / "year=2020" / "part-0.bin").write_bytes(b"edited")
    fails(OutputError, "were changed since its manifest was written: empty, year=2020/part-0.bin", pull_it, there)
    assert (there / "empty").read_bytes() == b"edited"
    pull_it(there, overwrite=True)
    assert contents(there) == contents(place)


def test_foreign_objects_are_not_replaced_untold(bucket: Bucket, place: Path) -> None:
    bucket.put("empty", b"theirs")
    fails(OutputError, f"'{REMOTE}' holds files that this tool did not send: empty", push_it, place)
    assert bucket.hold() == {"empty": b"theirs"}
    push_it(place, overwrite=True)
    assert bucket.hold() == contents(place)


def test_nothing_is_deleted_untold(bucket: Bucket, place: Path, tmp_path: Path) -> None:
    there, other = tmp_path / "there", tmp_path / "other"
    push_it(place)
    pull_it(there)
    pull_it(other)
    (other / "big.bin").write_bytes(b"edited")
    bucket.put("foreign.txt", b"theirs")
    fill(place, {"empty": b"", "year=2020/part-0.bin": b"small"}, fingerprint="two")
    gone = ("big.bin", "ünï cødé/流行.txt")
    done = push_it(place)
    assert (done.moved, done.deleted, done.left) == ((), (), gone)
    assert {*gone, "foreign.txt"} <= set(bucket.hold())
    done = push_it(place, delete=True)
    assert (done.deleted, done.left) == (gone, ())
    assert bucket.hold() == contents(place) | {"foreign.txt": b"theirs"}
    (there / "notes.txt").write_text("mine")
    done = pull_it(there, delete=True)
    assert (done.moved, done.deleted, done.left) == ((), gone, ())
    assert contents(there) == contents(place) | {"notes.txt": b"mine"}
    done = pull_it(other, delete=True)
    assert (done.deleted, done.left) == (gone[1:], gone[:1])  # what was edited is not ours to delete


def test_folders_below_a_folder_are_none_of_its_business(bucket: Bucket, place: Path, tmp_path: Path) -> None:
    fill(tmp_path / "inner", {"empty": b"inner"})
    push(tmp_path / "inner", f"{REMOTE}/inner")
    bucket.stop = stop_after(3)
    with pytest.raises(KeyboardInterrupt):
        push(tmp_path / "inner", f"{REMOTE}/other")  # no manifest there yet
    bucket.stop = stop_after(10**6)
    held = bucket.hold()
    assert set(held) == {"inner/empty", f"inner/{MANIFEST}", "other/empty"}
    done = push_it(place, delete=True)
    assert (done.deleted, done.left) == ((), ())
    assert bucket.hold() == held | contents(place)
    assert status(place, REMOTE).unnamed_there == ("other/empty",)


def test_status_says_how_the_two_differ(bucket: Bucket, place: Path, tmp_path: Path) -> None:
    assert status(place, REMOTE).lines()[0] == f"no {MANIFEST} at {REMOTE} yet"
    push_it(place)
    found = status(place, REMOTE)
    assert (found.same, found.lines()) == (True, ["same          4 files are on both sides"])
    found = status(tmp_path / "there", REMOTE)
    assert (found.here, found.same, len(found.only_there)) == (False, False, 4)
    fill(place, {"empty": b"no more", "new": b"new", "big.bin": b"not big"}, fingerprint="two")
    (place / "new").write_bytes(b"spoiled")
    bucket.put("empty", b"longer")
    bucket.put("foreign", b"theirs")
    found = status(place, REMOTE)
    assert found.lines() == [
        "changed       empty",
        "only here     new",
        "only there    year=2020/part-0.bin",
        "only there    ünï cødé/流行.txt",
        "spoiled here  new: has 7 bytes, the manifest says 3",
        "spoiled there empty: has 6 bytes",
        "unnamed there foreign",
        "different     1 files are on both sides",
    ]


ADDRESSES = {
    "https://charts/x": "not of the form s3://BUCKET/PREFIX",
    "s3://": "not of the form",
    "charts/x": "not of the form",
    "s3://a/x": "not of the form",
    "s3://charts/../x": "is not a plain path",
    "s3://charts/a//b": "is not a plain path",
    "s3://me:hunter2@charts/x": "holds more than s3://BUCKET/PREFIX; credentials belong into the environment",
    "s3://charts/x?key=hunter2": "holds more than s3://BUCKET/PREFIX",
}


@pytest.mark.parametrize("remote", ADDRESSES)
def test_a_bad_address_gets_one_clear_line(bucket: Bucket, place: Path, tmp_path: Path, remote: str) -> None:
    fails(SettingError, ADDRESSES[remote], parse_address, remote)
    for call in (lambda: push(place, remote), lambda: pull(remote, tmp_path / "x"), lambda: status(place, remote)):
        fails(SettingError, ADDRESSES[remote], call)


def test_an_address_may_be_a_whole_bucket(bucket: Bucket, place: Path, tmp_path: Path) -> None:
    push(place, "s3://charts/", part_bytes=PART)
    pull("s3://charts", tmp_path / "there")
    assert contents(tmp_path / "there") == contents(place)
    assert str(parse_address("s3://charts/")) == "s3://charts"


def test_a_bad_server_gets_one_clear_line(bucket: Bucket, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fails(SettingError, "the endpoint holds more than", push_it, place, endpoint_url="http://me:hunter2@127.0.0.1:1")
    fails(SettingError, "is not of the form https://SERVER", push_it, place, endpoint_url="127.0.0.1:9000")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://me:hunter2@127.0.0.1:1")
    fails(SettingError, "the endpoint holds more than", push_it, place)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    for call in (push_it, pull_it):
        fails(OutputError, "cannot reach 127.0.0.1:1 for", call, place, endpoint_url="http://127.0.0.1:1")


def test_a_wrong_bucket_gets_one_clear_line(bucket: Bucket, place: Path, tmp_path: Path) -> None:
    for call in (
        lambda: push(place, "s3://absent/x"),
        lambda: pull("s3://absent/x", tmp_path / "x"),
        lambda: status(place, "s3://absent/x"),
    ):
        fails(OutputError, "no bucket 'absent' at 127.0.0.1:.*; make it first", call)


def test_missing_credentials_get_one_clear_line(bucket: Bucket, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "absent")
    fails(SettingError, r"no usable credentials for .* \(ProfileNotFound\); set AWS_ACCESS_KEY_ID", push_it, place)
    monkeypatch.delenv("AWS_PROFILE")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    fails(SettingError, r"\(PartialCredentialsError\)", push_it, place)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    fails(SettingError, r"\(NoCredentialsError\)", push_it, place)
    files = Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"])
    files.write_text("[default]\n" + "".join(f"{name.lower()} = {value}\n" for name, value in SECRETS.items()))
    assert push_it(place).unchanged == 0


@pytest.mark.parametrize("code", ["InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "SlowDown"])
def test_a_server_that_says_no_gets_one_clear_line(bucket: Bucket, place: Path, code: str) -> None:
    from botocore.exceptions import ClientError

    def refuse(call: str) -> bool:
        told = {"Code": code, "Message": f"{SECRETS['AWS_ACCESS_KEY_ID']} is bad"}
        raise ClientError({"Error": told, "AWSAccessKeyId": SECRETS["AWS_ACCESS_KEY_ID"]}, call)

    bucket.stop = refuse
    said = f"answers {code} for" if code == "SlowDown" else rf"refuses the credentials for .* \({code}\)"
    fails(OutputError, said, push_it, place)


def test_without_the_extra_one_clear_line_says_what_to_install(
    bucket: Bucket, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    fails(SettingError, r"sync needs the extra \[s3\]: pip install 'chart-diffusion\[s3\]'", push_it, place)


def test_an_upload_that_does_not_arrive_is_noticed(
    bucket: Bucket, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.sharing.object_store.Store.mark", lambda self, name: (5, "other"))
    fails(OutputError, "did not arrive whole; push again", push_it, place)
    assert MANIFEST not in bucket.hold()


def test_a_file_changed_while_it_is_sent_is_noticed(bucket: Bucket, place: Path) -> None:
    artifact = {"path": "empty", "bytes": 0, "sha256": "0" * 64}
    with open_store(REMOTE, part_bytes=PART) as store:
        fails(OutputError, "'empty' was changed while it was sent", store.send, place / "empty", artifact)


def test_a_full_disk_during_a_pull_leaves_what_was_there(
    bucket: Bucket, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push_it(place)
    fill(tmp_path / "there", {"empty": b"full"})
    before = contents(tmp_path / "there")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelines.sharing.object_store.Store.fetch", full)
    fails(OutputError, "no space left in .*; nothing was changed", pull_it, tmp_path / "there")
    assert contents(tmp_path / "there") == before


def test_no_secret_is_printed(
    bucket: Bucket, place: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    lines = [*push_it(place).lines(), *pull_it(tmp_path / "there").lines(), *status(place, REMOTE).lines()]
    printed = "".join((*capfd.readouterr(), caplog.text, *lines, (place / MANIFEST).read_text(encoding="utf-8")))
    for secret in SECRETS.values():
        assert secret not in printed
