"""The Spark session that engines are opened on: the one there is, else a new one."""

import atexit
import os
import re
import signal
import socket
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession
from pyspark.sql.utils import is_remote

from diffusion.engine.spark.arrow_tables import release
from diffusion.engine.spark.engine import SparkEngine
from diffusion.engine.spark.failures import SPARK_ERRORS, reported, starting
from diffusion.engine.spark.launching import end, launch
from diffusion.engine.spark.workers import SparkWorkers
from diffusion.errors import EngineError, SettingError

if TYPE_CHECKING:
    from diffusion.engine.door import Engine

MEMORY_LIMIT: Final = "1GB"

QUIET: Final[Mapping[str, str]] = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
"""Settings of a session that is made, unless others are given: no port is opened, nothing is printed."""

MEANING: Final[Mapping[str, str]] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "spark.sql.mapKeyDedupPolicy": "EXCEPTION",
}
"""Settings of an engine's own session that the meaning of relations depends on."""

SPEED: Final[Mapping[str, str]] = {
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
    "spark.sql.sources.fileCompressionFactor": "50",
}
"""Settings of an engine's own session: small tables become few tasks.

A row of charts takes 5 bytes in a file, and 250 in the hash table of a join: Spark, which looks at the size of files,
would take many rows for few, and send them all through the driver.
"""

NAME: Final = "chart-diffusion"
"""Name of the application."""

MASTER: Final = "spark.master"

LOCAL: Final = "local"
"""How the masters begin that are this machine."""

REMOTE: Final = "spark.remote"
"""Setting that names a server of Spark Connect."""

PYTHON: Final = "PYSPARK_PYTHON"
"""Variable of the environment that names the Python of executors."""

ENVIRONMENT_REMOTE: Final = "SPARK_REMOTE"
"""Variable of the environment that names a server of Spark Connect."""

LOCAL_REMOTE: Final = "SPARK_LOCAL_REMOTE"
"""Variable of the environment that Spark sets while it runs a server of Spark Connect for this process alone."""

SERVER: Final = "sc"
"""Scheme of the address of a server of Spark Connect."""

MASTERS: Final = "spark"
"""Scheme of the addresses of masters."""

PORT: Final = 7077
"""Port of a master, unless its address has one."""

PROXIES: Final = ("grpc_proxy", "https_proxy", "http_proxy")
"""Variables of the environment with which addresses are not reached directly."""

ANSWER: Final = 5.0
"""Seconds that a master or a server has to answer when a session is made."""

RETRIES: Final = 5
"""How often a request to a server of Spark Connect is repeated: after 50 ms, and then after four times as long each
time, 17 seconds together."""

_HOST: Final = re.compile(r"(?P<host>\[[^\]]+\]|[^:]+)(:(?P<port>\d{1,5}))?")


class SparkEngines:
    """Opens engines on one Spark session: the active one, else a new one with the settings given.

    The active session stays as it is: each engine has a session of its own on the same cluster.

    Parameters
    ----------
    settings
        ``spark.master`` and other settings of Spark by name (default: those of the environment). On an active session
        those that can be changed then hold for the engines.

    Raises
    ------
    EngineError
        When Spark does not start: there is no Java, or no master where the settings say.
    SettingError
        When the active session has another value of a setting that cannot be changed while it runs.
    """

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self._settings = dict(settings or {})
        active = active_session()
        if active is None:
            active = new_session(self._settings)
        self.session: SparkSession = active
        self.workers = SparkWorkers(self._own_session())

    def __call__(self, *, memory_limit: str = MEMORY_LIMIT) -> "Engine":
        """Return a new engine; its tables are its own. Spark's settings say how much memory there is."""
        return SparkEngine(self._own_session(), self.workers)

    def _own_session(self) -> SparkSession:
        """Return a session that has the settings of the one there is, and its cluster, but none of its tables."""
        with reported():
            own = _released(self.session.newSession())
            there, here = self.session.conf.getAll, own.conf.getAll
            changed = {name: value for name, value in self._settings.items() if there.get(name) != value}
            for name in changed:
                self._check_changeable(name, there)
            wanted = {**SPEED, **there, **changed, **MEANING}
            for name, value in wanted.items():
                if here.get(name) != value and name != REMOTE:
                    own.conf.set(name, value)
        return own

    def _check_changeable(self, name: str, there: Mapping[str, str]) -> None:
        if name == MASTER:
            raise SettingError(
                f"{name} is '{self._settings[name]}', but the active Spark session runs on '{there.get(name)}'; "
                "leave it out, or stop that session first"
            )
        own = self.session
        if not (is_server_of(own, self._settings[name]) if name == REMOTE else own.conf.isModifiable(name)):
            raise SettingError(
                f"{name} is another in the active Spark session, and cannot be changed while it runs; "
                "leave it out, or set it where that session is made"
            )


def active_session() -> SparkSession | None:
    """Return the session that the caller or the environment has made; None if there is none."""
    try:
        return SparkSession.active()
    except PySparkRuntimeError:
        return None


def is_server_of(session: SparkSession, remote: str) -> bool:
    """Return whether an address is that of the Spark Connect server that a session is on."""
    if not is_remote():
        return False
    if remote.startswith(LOCAL):
        return LOCAL_REMOTE in os.environ
    from pyspark.sql.connect.client import DefaultChannelBuilder  # needs packages of Spark Connect

    return bool(getattr(session.client._builder, "endpoint", None) == DefaultChannelBuilder(remote).endpoint)


def new_session(settings: Mapping[str, str]) -> SparkSession:
    """Return a new session; a Java process that it needs ends with this process."""
    remote = settings.get(REMOTE) or os.environ.get(ENVIRONMENT_REMOTE)
    place = remote or settings.get(MASTER, LOCAL)
    with starting(settings), _signals_kept(), _same_python(settings, local=place.startswith(LOCAL)):
        _check_there(place)
        if remote is None:
            _make_context(settings)
        elif remote.startswith(LOCAL):
            _start_java(settings, remote)
        return _released(SparkSession.builder.appName(NAME).config(map=dict(settings)).getOrCreate())


def _released(session: SparkSession) -> SparkSession:
    """Return a session of ours; a server of Spark Connect is told when it is no longer used.

    A server that has ended is not tried for ten minutes: another in its place has none of our tables.
    """
    if is_remote():
        from pyspark.sql.connect.client.retries import DefaultPolicy  # needs packages of Spark Connect

        session.client.set_retry_policies([DefaultPolicy(max_retries=RETRIES)])
        weakref.finalize(session, release, session.client)
    return session


def _make_context(settings: Mapping[str, str]) -> None:
    """Make the context of a new session; a Java process is started unless the environment has started one."""
    if SparkContext._gateway is None and "PYSPARK_GATEWAY_PORT" not in os.environ:
        settings = {**QUIET, **settings}
        gateway = launch(settings)
        atexit.register(end, gateway.proc)
    else:
        gateway = None
    context = SparkContext(gateway=gateway, conf=SparkConf().setAppName(NAME).setAll(list(settings.items())))
    # it would print a stack trace when Java ends
    context._accumulatorServer.handle_error = _say_nothing
    if gateway is not None:
        atexit.register(_stop, context)  # before its Java process ends


def _start_java(settings: Mapping[str, str], master: str) -> None:
    """Start the Java process of a server of Spark Connect for this process alone; Spark would start one that prints.

    It ends when nobody can write to it any more: clients that are still open would wait for one that has ended.
    """
    local = {name: value for name, value in settings.items() if name != REMOTE}
    with _environment(ENVIRONMENT_REMOTE, None):  # there is either a remote or a master
        SparkContext._ensure_initialized(gateway=launch({**QUIET, **local, MASTER: master}))


def _stop(context: SparkContext) -> None:
    with suppress(*SPARK_ERRORS, OSError):  # Java ended meanwhile
        context.stop()


def _say_nothing(request: object, address: object) -> None:
    pass


@contextmanager
def _same_python(settings: Mapping[str, str], *, local: bool) -> Iterator[None]:
    """Let executors of this machine run this Python, which has these packages, unless the user has named another."""
    if PYTHON in os.environ or not local:
        yield
        return
    with _environment(PYTHON, settings.get("spark.pyspark.python", sys.executable)):
        yield


@contextmanager
def _environment(name: str, value: str | None) -> Iterator[None]:
    """Set a variable of the environment in the block, or leave it out."""
    before = os.environ.pop(name, None)
    if value is not None:
        os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name, None)
        if before is not None:
            os.environ[name] = before


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Keep what happens at Ctrl-C: Spark sets a handler of its own."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if main and before is not None:
            signal.signal(signal.SIGINT, before)


def _check_there(place: str) -> None:
    """Check that a master, or a server of Spark Connect, answers: Spark would try for minutes.

    Raises
    ------
    EngineError
        When none does.
    """
    scheme, _, rest = place.partition("://")
    if scheme == SERVER:
        _check_server(place)
    if scheme != MASTERS or any(os.environ.get(name) for name in PROXIES):
        return
    hosts = [found for one in rest.split(",") if (found := _HOST.fullmatch(one))]
    for found in hosts:
        with (
            suppress(OSError),
            socket.create_connection((found["host"].strip("[]"), int(found["port"] or PORT)), ANSWER),
        ):
            return
    if hosts:
        raise EngineError(f"nothing answers at '{place}'; start Spark there, or correct the address")


def _check_server(address: str) -> None:
    """Check that what answers at an address is a server of Spark Connect; what else the address says may be secret."""
    from pyspark.sql.connect.client import DefaultChannelBuilder  # first: says which package is missing

    import grpc  # isort: skip

    builder = DefaultChannelBuilder(address)
    with builder.toChannel() as channel:
        try:
            grpc.channel_ready_future(channel).result(ANSWER)
        except grpc.FutureTimeoutError as error:
            raise EngineError(
                f"no server of Spark Connect answers at '{SERVER}://{builder.endpoint}'; start one there, or correct "
                "the address"
            ) from error
