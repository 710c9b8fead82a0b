"""Files below an address, reached by the file systems that Spark has."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.utils import is_remote

from diffusion.engine.remote import OWN
from diffusion.engine.spark.failures import reported
from diffusion.engine.spark.locations import (
    below_scheme,
    escaped,
    file_content,
    read_files,
    spark_location,
    without_scheme,
)
from diffusion.engine.spark.writing import write_into
from diffusion.errors import OutputError, SettingError, SourceError

LARGEST: Final = 64_000_000
"""Bytes of a file that an executor reads at once to hash it, a few times its size in memory; the Java process of the
driver hashes larger ones."""

FOOTER: Final = 1 << 16
"""Bytes at the end of a Parquet file that are read first: most footers are shorter."""

WHOLE_WRITES: Final = frozenset({"s3", "s3a", "s3n", "gs", "oss", "obs", "cosn", "swift"})
"""Schemes of object stores: a file appears there when it is complete, and a rename would be a copy."""

_MAGIC: Final = b"PAR1"


class SparkFiles:
    """Files below an address; implements `diffusion.engine.RemoteFiles`.

    Parameters
    ----------
    session
        Session whose Java process reaches the files.
    address
        Folder; it need not exist.

    Raises
    ------
    SettingError
        When the session is one of Spark Connect, whose files this process does not reach, or Spark does not know the
        scheme.
    """

    def __init__(self, session: SparkSession, address: str) -> None:
        self.address = address.rstrip("/")
        if is_remote():
            raise SettingError(
                f"'{self.address}': with Spark Connect files at an address cannot be listed or written; clean from and "
                "into folders, and send them: chart-diffusion sync push"
            )
        self._session, self._jvm = session, session._jvm
        self._root = below_scheme(self.address)
        self._writes_whole = self.address.partition("://")[0].lower() in WHOLE_WRITES
        with self._told():
            self._hadoop = self._jvm.org.apache.hadoop.fs
            self._settings = session._jsparkSession.sessionState().newHadoopConf()
            self._system = self._path("").getFileSystem(self._settings)
            # files with checksums, which local disks get from Hadoop, would lie beside ours
            for system in (self._system, *(self._system.getChildFileSystems() or ())):
                system.setWriteChecksum(False)
            if not self._writes_whole:
                self._context()  # now, not after the work

    def sizes(self, below: str = "") -> dict[str, int]:
        """Return name below the address → bytes of all files in it, or in a folder of it; none where there is none."""
        found: dict[str, int] = {}
        with self._told():
            try:
                files = self._system.listFiles(self._path(below), True)
                while files.hasNext():
                    file = files.next()
                    found[self._name(file.getPath().toUri().getPath())] = int(file.getLen())
            except Py4JJavaError as error:
                if not _is_missing(error):
                    raise
        return {name: size for name, size in found.items() if name}

    def read(self, name: str) -> bytes:
        """Return the content of a small file."""
        with self._told():
            return file_content(self._session, self._at(name))

    def schema(self, name: str) -> pa.Schema:
        """Return the columns of a Parquet file; only its end is read.

        Raises
        ------
        SourceError
            When it is no Parquet.
        """
        with self._told():
            size = int(self._system.getFileStatus(self._path(name)).getLen())
            end = self._bytes(name, max(size - FOOTER, 0), min(size, FOOTER))
            wanted = int.from_bytes(end[-8:-4], "little") + 8
            if len(end) < wanted <= size:
                end = self._bytes(name, size - wanted, wanted)
        try:
            return pq.read_schema(pa.BufferReader(_MAGIC + end[-wanted:]))
        except (OSError, ValueError, pa.ArrowException) as error:
            raise SourceError(f"cannot read '{self._at(name)}' as parquet: {str(error).splitlines()[0]}") from error

    def digests(self, sizes: Mapping[str, int]) -> dict[str, str]:
        """Return name → SHA-256 of files, given with their sizes; executors read them."""
        found: dict[str, str] = {}
        small = [escaped(self._at(name)) for name, size in sizes.items() if size <= LARGEST]
        with self._told():
            if small:
                rows = self._session.read.format("binaryFile").load(small)
                hashed = rows.select("path", F.sha2("content", 256).alias("digest")).collect()
                found = {self._name(without_scheme(row["path"])): row["digest"] for row in hashed}
            # and those that Spark passes over, because their names begin with . or _
            rest = {name: self._digest(name) for name in sizes if name not in found}
        return {name: (found | rest)[name] for name in sizes}

    def write(self, name: str, content: bytes) -> None:
        """Write a small file; whoever reads it sees the file before, or the new one."""
        with self._told():
            if self._writes_whole:
                self._create(self._path(name), content)
                return
            aside = self._path(f"{OWN}{uuid4().hex[:16]}")
            self._create(aside, content)
            sort = self._hadoop.Options.Rename
            how = self._session._sc._gateway.new_array(sort, 1)
            how[0] = sort.OVERWRITE
            self._system.mkdirs(self._path(name).getParent())
            self._context().rename(aside, self._path(name), how)

    def put(self, path: Path, name: str) -> None:
        """Write a copy of a file of this machine."""
        with self._told():
            self._system.copyFromLocalFile(False, True, self._hadoop.Path(spark_location(path)), self._path(name))

    def fetch(self, name: str, path: Path) -> None:
        """Write a copy of a file to this machine."""
        with self._told():
            self._system.copyToLocalFile(False, self._path(name), self._hadoop.Path(spark_location(path)), True)

    def copy(self, name: str, target: str) -> None:
        """Write a copy of a file beside it, in place of what has its name."""
        with self._told():
            source, there = self._path(name), self._path(target)
            self._hadoop.FileUtil.copy(self._system, source, self._system, there, False, True, self._settings)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files, and folders with everything in them; those that are not there are no error."""
        with self._told():
            for name in names:
                self._system.delete(self._path(name), True)

    def write_parts(self, rows: DataFrame) -> dict[str, int]:
        """Write sorted rows as new Parquet files, and return name → rows, in order; executors write."""
        with self._told():
            before = self.sizes()
            total = write_into(rows, self.address)
            names = [name for name in self.sizes() if name not in before and name.endswith(".parquet")]
            names.sort(key=_number_of_part)
            counts = self._counts(names)
            if sum(counts.values()) != total:
                raise OutputError(
                    f"{total:,} rows were written on Spark, but {sum(counts.values()):,} are in '{self.address}': does "
                    "another run write there?"
                )
            empty = [name for name in names if not counts[name]]
            kept = [name for name in names if counts[name]] or empty[:1]
            self.remove(name for name in empty if name not in kept)
        return {name: counts[name] for name in kept}

    def write_file(self, rows: DataFrame, name: str) -> int:
        """Write sorted rows to one Parquet file, and return their number; executors write."""
        aside = f"{name}-parts"
        with self._told():
            self.remove([aside])
            place = SparkFiles(self._session, self._at(aside))
            # read again, columns may hold no value, as in files that are written on this machine
            total = self.join([f"{place.address}/{part}" for part in place.write_parts(rows)], name)
            self.remove([aside])
        return total

    def join(self, files: Sequence[Path | str], name: str, *, filled: Sequence[str] = ()) -> int:
        """Write the rows of Parquet files, in order, to one Parquet file, and return their number; one executor writes.

        Columns that are `filled` have a value in each row, and are marked so. No two files have the same name.
        """
        aside = f"{name}-joined"
        with self._told():
            rows = read_files(self._session, files)
            about = rows.metadataColumn("_metadata")
            names = F.array(*(F.lit(str(file).rpartition("/")[2]) for file in files))
            place = (F.array_position(names, about.getField("file_name")), about.getField("row_index"))
            columns = [
                F.coalesce(name, F.lit(0).cast(field.dataType)).alias(name) if name in filled else F.col(name)
                for name, field in zip(rows.columns, rows.schema.fields, strict=True)
            ]
            placed = rows.select(*columns, *(column.alias(name) for column, name in zip(place, _PLACE, strict=True)))
            self.remove([aside])
            ordered = placed.repartition(1).sortWithinPartitions(*_PLACE)
            total = write_into(ordered.drop(*_PLACE), self._at(aside))
            (written,) = (one for one in self.sizes(aside) if one.endswith(".parquet"))
            self.remove([name])
            if not self._system.rename(self._path(written), self._path(name)):
                raise OutputError(f"'{self._at(written)}' cannot be renamed to '{self._at(name)}'")
            self.remove([aside])
        return total

    def _counts(self, names: Sequence[str]) -> dict[str, int]:
        """Return name → rows of Parquet files."""
        if not names:
            return {}
        rows = read_files(self._session, [self._at(name) for name in names])
        file = rows.metadataColumn("_metadata").getField("file_name").alias("file")
        counted = rows.groupBy(file).count().collect()
        found = {row["file"]: row["count"] for row in counted}
        return {name: int(found.get(name.rpartition("/")[2], 0)) for name in names}

    def _digest(self, name: str) -> str:
        stream = self._system.open(self._path(name))
        try:
            return str(self._jvm.org.apache.commons.codec.digest.DigestUtils.sha256Hex(stream))
        finally:
            stream.close()

    def _bytes(self, name: str, first: int, number: int) -> bytes:
        stream = self._system.open(self._path(name))
        try:
            stream.seek(first)
            return bytes(self._jvm.org.apache.commons.io.IOUtils.toByteArray(stream, number))
        finally:
            stream.close()

    def _create(self, path: Any, content: bytes) -> None:
        stream = self._system.create(path, True)
        try:
            stream.write(bytearray(content))
        except BaseException:
            with suppress(Exception):  # not every file system can; an object store shows a file once it is closed
                stream.abort()
            raise
        stream.close()

    def _context(self) -> Any:
        """Return what renames files onto others."""
        return self._hadoop.FileContext.getFileContext(self._path("").toUri(), self._settings)

    def _at(self, name: str) -> str:
        return f"{self.address}/{name}" if name else self.address

    def _path(self, name: str) -> Any:
        return self._hadoop.Path(self._at(name) if self._root or name else f"{self.address}/")

    def _name(self, path: str) -> str:
        """Return the name below the address of a path of its file system."""
        return path[len(self._root) + 1 :]

    @contextmanager
    def _told(self) -> Iterator[None]:
        with reported(opening=[self.address]):
            yield


_PLACE: Final = ("_file_number", "_row_number")
"""Columns that rows have while they are put in order."""


def _number_of_part(name: str) -> int:
    """Return the number of the task that wrote a file."""
    found = re.search(r"-(\d{5,})-", name.rpartition("/")[2])
    return int(found[1]) if found else 0


def _is_missing(error: Py4JJavaError) -> bool:
    return bool(error.java_exception.getClass().getName() == "java.io.FileNotFoundException")
