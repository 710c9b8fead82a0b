"""The Java process of a Spark session that this process makes: started without a word, and gone when it ends."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from typing import IO, Any, Final

from pyspark import SparkConf
from pyspark.errors import PySparkRuntimeError
from pyspark.java_gateway import launch_gateway

from diffusion.engine.spark.failures import hidden, is_secret, printed_error
from diffusion.errors import EngineError

OLDEST_JAVA: Final = 17
"""Oldest Java that Spark 4 runs on."""

PATIENCE: Final = 20
"""Seconds that the Java process has to end."""

_VERSION: Final = re.compile(r'version "(1\.)?(\d+)')


def launch(settings: Mapping[str, str]) -> Any:
    """Start Spark's Java process and return the way to it; it ends with this process, or before by `end`.

    Settings that hold secrets are left out: other users of the machine see the arguments of processes. What the process
    prints is not shown.

    Raises
    ------
    EngineError
        When it does not start: there is no Java, it is too old, or it refuses a setting.
    """
    conf = SparkConf(loadDefaults=False).setAll([item for item in settings.items() if not is_secret(item[0])])
    with tempfile.TemporaryFile() as log:
        try:
            gateway = launch_gateway(conf, {"stdout": log, "stderr": log, "start_new_session": True})
        except PySparkRuntimeError as error:
            raise EngineError(_trouble(log, settings)) from error
    return gateway


def end(process: "Popen[bytes]") -> None:
    """End the Java process, which stops when nobody can write to it; its session stops first."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(PATIENCE)
    except TimeoutExpired:
        process.kill()


def _trouble(log: IO[bytes], settings: Mapping[str, str]) -> str:
    """Return why Java does not start."""
    home = os.environ.get("JAVA_HOME")
    install = f"install Java {OLDEST_JAVA} or newer, or name its folder in JAVA_HOME"
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if java is None:
        return f"Spark needs Java, and there is no 'java' on the PATH; {install}"
    if home and not Path(java).is_file():
        return f"Spark needs Java, and JAVA_HOME is '{home}', where there is no 'bin/java'; {install}"
    version = _java_version(java)
    if version is None:
        return f"Spark needs Java, and '{java}' does not work; {install}"
    if version < OLDEST_JAVA:
        return f"Spark needs Java {OLDEST_JAVA} or newer, and '{java}' is Java {version}; {install}"
    log.seek(0)
    said = hidden(printed_error(log.read().decode(errors="replace")), settings)
    return f"Spark does not start: {said}; correct its settings, or those of its environment"


def _java_version(java: str) -> int | None:
    """Return the first number of a Java's version, None if it does not say."""
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=PATIENCE, errors="replace")
    except (OSError, TimeoutExpired):
        return None
    found = _VERSION.search(done.stderr + done.stdout)
    return int(found[2]) if found else None
