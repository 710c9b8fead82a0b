"""Errors of Spark as one clear line: what was found, where, and what to do."""

import builtins
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from diffusion import errors
from diffusion.errors import DiffusionError, EngineError, OutputError, SettingError, SourceError

SPARK_ERRORS: Final = (PySparkException, Py4JError, ConnectionError)
"""What Spark raises in this process."""

LONGEST: Final = 240
"""Characters of a message of Spark that are shown."""

CANCELLED: Final = re.compile(r"cancell?ed|OPERATION_CANCELED|interrupted", re.IGNORECASE)
"""What Spark says when its work was ended from outside."""

_SECRET: Final = re.compile(r"key|secret|token|password|passwd|credential|auth|sas", re.IGNORECASE)
_JAVA_NAME: Final = re.compile(r"^(?:[\w$]+\.)+(?:[\w$]*(?:Exception|Error|Failure))\b:?\s*")
_TRACE: Final = re.compile(
    r"^\s*(at [\w$.]+[(]|\.\.\. \d+ more|Driver stacktrace:|Caused by: |Error: Could not create the Java|WARNING: )"
)
_RAISED: Final = re.compile(r"^(?P<kind>[A-Za-z_][\w.]*): ?(?P<said>.*)$", re.MULTILINE)
_FILE: Final = re.compile(r"\b[a-z][a-z0-9]+:/[^\s,'\"]*[^\s,'\".]")
_MODULE: Final = re.compile(r"No module named '(?P<name>[\w.]+)'")

_SORTS: Final[tuple[tuple[str, type[DiffusionError], str], ...]] = (
    (
        r"No (Abstract)?FileSystem (configured )?for scheme|Class [\w.]*FileSystem not found|"
        r"ClassNotFoundException: [\w.]*FileSystem",
        SettingError,
        "Spark has no file system for{file}; add its package: spark.jars.packages, such as "
        "org.apache.hadoop:hadoop-aws:VERSION",
    ),
    (
        r"UnknownStoreException|NoSuchBucket|[Bb]ucket [^\n]{0,200}does not exist",
        SourceError,
        "there is no bucket for{file}; correct the address, or make the bucket",
    ),
    (
        r"NoAuthWithAWS|NoAwsCredentials|InvalidAccessKeyId|SignatureDoesNotMatch|Unable to load (AWS )?credentials",
        SettingError,
        "Spark has no valid credentials for{file}; give them to the machines of Spark, or in the environment",
    ),
    (r"INVALID_CONF_VALUE|CANNOT_MODIFY", SettingError, "Spark refuses a setting: {said}"),
    (
        r"No space left on device|DiskErrorException|Disk quota exceeded",
        OutputError,
        "Spark ran out of disk space; free some, or name another folder in spark.local.dir",
    ),
    (
        r"maxResultSize",
        OutputError,
        "a result is larger than Spark may send; raise spark.driver.maxResultSize and spark.driver.memory",
    ),
    (
        r"OutOfMemory|UNABLE_TO_ACQUIRE_MEMORY|GC overhead limit|Java heap space|MemoryError|oom-kill|exit code 137",
        OutputError,
        "Spark ran out of memory; raise spark.executor.memory, or spark.driver.memory of a local master",
    ),
    (
        r"PYTHON_VERSION_MISMATCH|Python in worker has different",
        SettingError,
        "the executors of Spark have another version of Python than this process; name the same one in PYSPARK_PYTHON",
    ),
    (
        r"Cannot run program",
        SettingError,
        "the executors of Spark do not find their Python; name it in PYSPARK_PYTHON",
    ),
    (
        r"Python worker exited unexpectedly|Python worker failed to connect|PYTHON_WORKER|EOFException",
        EngineError,
        "a Python process of Spark ended in the middle, perhaps for lack of memory; run again, "
        "with more of it (spark.executor.memoryOverhead) if it happens again",
    ),
    (
        r"ExecutorLostFailure|executor lost|Remote RPC client disassociated|FetchFailed|MetadataFetchFailed",
        EngineError,
        "an executor of Spark was lost more often than Spark tries again; run again, "
        "with more memory (spark.executor.memory) if it happens again",
    ),
    (
        r"SparkContext was shut down|stopped SparkContext|All masters are unresponsive|Master removed our application|"
        r"Answer from Java side is empty|error while trying to connect|while sending or receiving|UNAVAILABLE|Errno",
        EngineError,
        "Spark ended in the middle, perhaps for lack of memory; run again, with more of it (spark.driver.memory) "
        "if it happens again",
    ),
    (
        r"Permission denied|AccessControlException|AccessDenied",
        SourceError,
        "Spark may not read or write{file}; ask for the right to, or choose another",
    ),
    (
        r"FileNotFoundException|PATH_NOT_FOUND|FILE_NOT_EXIST|does not exist[.]",
        SourceError,
        "Spark finds no file{file}: it was there, or is not where the executors are; every executor must reach it",
    ),
    (
        r"Relative path in absolute URI",
        SourceError,
        "Spark cannot read{file}: a file's name may have no colon there; rename it",
    ),
    (
        r"CANNOT_READ_FILE|not a Parquet file|FAILED_READ_FILE|CANNOT_READ_FOOTER|UNABLE_TO_INFER_SCHEMA|corrupt",
        SourceError,
        "cannot read{file} as parquet: it is damaged or of another kind; make it again",
    ),
    (
        r"UnknownHostException|NoRouteToHostException|java[.]net[.]ConnectException|ConnectTimeoutException",
        EngineError,
        "Spark does not reach the host of{file}; correct the address, or start what should answer there",
    ),
)
"""What Spark says → what kind of error it is, and the line."""


@contextmanager
def reported(*, opening: Sequence[Path | str] = ()) -> Iterator[None]:
    """Raise errors of Spark in the block as one clear line, without those of Java.

    Parameters
    ----------
    opening
        Files that are opened in the block (default: none).

    Raises
    ------
    DiffusionError
        What users, data or the system cause; and errors of this project that array code raises on executors.
    RuntimeError
        Any other.
    """
    try:
        yield
    except SPARK_ERRORS as error:
        raise clear(error, opening) from error


@contextmanager
def starting(settings: Mapping[str, str]) -> Iterator[None]:
    """Raise errors of Spark in the block as one clear line that says that Spark does not start.

    Raises
    ------
    EngineError
        For all of them.
    """
    try:
        yield
    except SPARK_ERRORS as error:
        said = hidden(printed_error(_told(error)), settings)
        raise EngineError(f"Spark does not start: {said}; correct its settings, or those of its environment") from error


def clear(error: Exception, opening: Sequence[Path | str] = ()) -> Exception:
    """Return the error of this project that an error of Spark is."""
    told = _told(error)
    if not CANCELLED.search(told):
        if "Traceback (most recent call last)" in told and (found := _of_executor(told)) is not None:
            return found
        for pattern, kind, line in _SORTS:
            if re.search(pattern, told):
                return kind(line.format(file=_file(told, opening), said=printed_error(told)))
    return RuntimeError(f"Spark: {printed_error(told)}")


def is_secret(name: str) -> bool:
    """Return whether a setting of this name may hold a secret."""
    return bool(_SECRET.search(name))


def hidden(text: str, settings: Mapping[str, str]) -> str:
    """Return a text without the values of settings that may be secrets."""
    for name, value in settings.items():
        if is_secret(name) and value:
            text = text.replace(value, f"<{name}>")
    return text


def printed_error(text: str) -> str:
    """Return the line of what Spark or Java printed that says most, without the lines of a stack trace."""
    lines = [line.strip(" .") for line in text.splitlines() if line.strip() and not _TRACE.match(line)]
    said = (
        [line for line in lines if re.search(r"Exception|Error|error|[Ii]nvalid", line)]
        or lines[-1:]
        or ["no reason is given"]
    )
    return _JAVA_NAME.sub("", said[0].removeprefix('Exception in thread "main" '))[:LONGEST]


def _told(error: Exception) -> str:
    """Return everything that an error of Spark says, with its causes."""
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        parts.append(str(seen))
        seen = getattr(seen, "_cause", None) or seen.__cause__
    return "\n".join(parts)


def _of_executor(told: str) -> Exception | None:
    """Return the error that Python code raised on an executor; None where Spark has a name for it."""
    after = told.rpartition("Traceback (most recent call last)")[2]
    raised = list(_RAISED.finditer(after))
    if not raised:
        return None
    kind, said = raised[0]["kind"].rpartition(".")[2], raised[0]["said"].strip()
    if (missing := _MODULE.search(said)) is not None:
        package = missing["name"].partition(".")[0]
        return SettingError(
            f"the Python of Spark's executors lacks the package '{package}', which this process has; install "
            "chart-diffusion there too, or name the Python that has it in PYSPARK_PYTHON"
        )
    if raised[0]["kind"].startswith(f"{errors.__name__}."):
        own: type[DiffusionError] = getattr(errors, kind)
        return own(said)
    known = isinstance(getattr(builtins, kind, None), type) and kind not in ("MemoryError", "EOFError")
    return RuntimeError(f"on an executor of Spark: {kind}: {said[:LONGEST]}") if known else None


def _file(told: str, opening: Sequence[Path | str]) -> str:
    """Return the file that Spark speaks of, as it goes into a line; nothing if it names none."""
    for file in [*(file for file in opening if str(file) in unquote(told)), *opening[:1]]:
        return f" '{file}'"
    found = _FILE.search(told)
    return f" '{unquote(found[0]).removeprefix('file://')}'" if found else ""
