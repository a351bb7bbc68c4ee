"""The three emulators: Firestore and Pub/Sub, which gcloud brings, and bqemulator for BigQuery.

    with Emulators.start(Path(".run"), project="demo") as emulators:
        environment = os.environ | emulators.environment

Each keeps its state in memory and is a server of its own on this machine: a project id of its own is all that
a test needs to be alone in all three. When the block ends, or this process is killed, all are gone.
"""

import http.client
import importlib.util
import shutil
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

from ..machine import MissingTool, missing
from .ports import LOOPBACK, free_port, require_different, require_free
from .service import Service, ServiceFailed

# Two seconds each on an idle machine; several runs at a time on two cores take much longer.
_READY_WITHIN = timedelta(seconds=90)
_PROBE_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What is different about one emulator.

    `variable` is the environment variable in which Google's client looks for it. `command` gets the port, the
    project and a folder of its own, which exists.
    """

    name: str
    variable: str
    prefix: str = ""
    health: str = "/"
    command: Callable[[int, str, Path], Sequence[str]]


def _firestore(port: int, project: str, folder: Path) -> Sequence[str]:
    """It keeps nothing on disk, and one server serves any project."""
    return ["gcloud", "emulators", "firestore", "start", f"--host-port={LOOPBACK}:{port}", "--quiet"]


def _pubsub(port: int, project: str, folder: Path) -> Sequence[str]:
    """gcloud writes the emulator's address into its folder, so each run has one of its own."""
    start = ["gcloud", "beta", "emulators", "pubsub", "start", f"--project={project}", "--quiet"]
    return [*start, f"--host-port={LOOPBACK}:{port}", f"--data-dir={folder}"]


def _bigquery(port: int, project: str, folder: Path) -> Sequence[str]:
    """A server of the Python that runs this, with a folder of its own for uploads."""
    start = [sys.executable, "-m", "bqemulator", "start", f"--project={project}", "--log-level=warning"]
    # Uploads are spooled below TMPDIR, under one fixed name for all emulators of a machine.
    return ["env", f"TMPDIR={folder}", *start, f"--rest-port={port}", f"--grpc-port={free_port()}"]


FIRESTORE = Kind(name="firestore", variable="FIRESTORE_EMULATOR_HOST", command=_firestore)
PUBSUB = Kind(name="pubsub", variable="PUBSUB_EMULATOR_HOST", command=_pubsub)
BIGQUERY = Kind(
    name="bigquery",
    variable="BIGQUERY_EMULATOR_HOST",
    prefix="http://",
    health="/healthz",
    command=_bigquery,
)
KINDS = (FIRESTORE, PUBSUB, BIGQUERY)


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """One emulator: its address, and the service that it runs as."""

    kind: Kind
    port: int
    service: Service

    @property
    def host(self) -> str:
        """The value of `kind.variable`: HOST:PORT, for BigQuery http://HOST:PORT."""
        return f"{self.kind.prefix}{LOOPBACK}:{self.port}"

    def answers(self) -> bool:
        """Whether it serves requests now."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=_PROBE_SECONDS)
        try:
            connection.request("GET", self.kind.health)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class Emulators(AbstractContextManager["Emulators"]):
    """Some of the emulators, started side by side."""

    def __init__(self, started: Sequence[Emulator], stack: ExitStack) -> None:
        self._started = {emulator.kind.name: emulator for emulator in started}
        self._stack = stack

    @classmethod
    def start(
        cls,
        run_dir: Path,
        project: str,
        *,
        kinds: Collection[Kind] = KINDS,
        ports: Mapping[str, int] | None = None,
    ) -> Self:
        """Start them side by side; returns when all of `kinds` answer, after about as long as the slowest
        takes.

        `run_dir` is for this run alone; logs are `run_dir/{name}.log`. `ports` maps a kind's name to the port
        that it shall have; the others get free ones. Raises a `Problem` (`MissingTool`, `BusyPort`,
        `ServiceFailed`); nothing is left running then.
        """
        # Checked before any is started: a port that is taken costs no wait.
        wanted = require_different(ports or {})
        for name, port in wanted.items():
            require_free(name, port)
        with ExitStack() as stack:
            started = []
            for kind in kinds:
                port = wanted.get(kind.name) or free_port(besides=wanted.values())
                started.append(
                    _spawn(kind, run_dir=run_dir.resolve(), project=project, port=port, stack=stack)
                )
            for emulator in started:
                _wait_until_ready(emulator)
            # All answer: from here on they end with the block, not with this function.
            return cls(started, stack.pop_all())

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which Google's clients find these emulators; set them before a client is built."""
        return {emulator.kind.variable: emulator.host for emulator in self._started.values()}

    def __getitem__(self, name: str) -> Emulator:
        return self._started[name]

    def stop(self) -> None:
        """Ends them all, and waits until they are gone. Safe to call twice."""
        self._stack.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """See `stop`."""
        self.stop()


def _wait_until_ready(emulator: Emulator) -> None:
    """Only where one fails to start do we look for what it lacks: to ask gcloud takes most of a second."""
    try:
        emulator.service.wait_until(emulator.answers, within=_READY_WITHIN)
    except ServiceFailed as failure:
        lacking = _missing_for_bigquery() if emulator.kind is BIGQUERY else missing()
        # The first one that is missing explains the failure better than the log does.
        for tool in lacking:
            raise tool from failure
        raise


def _missing_for_bigquery() -> Iterator[MissingTool]:
    """What bqemulator lacks on this machine."""
    if importlib.util.find_spec("bqemulator") is None:
        yield MissingTool(f"bqemulator is not installed for {sys.executable}", "./local/setup")
    elif not list(Path.home().glob(f".duckdb/extensions/v{version('duckdb')}/*/spatial.duckdb_extension")):
        yield MissingTool("DuckDB's spatial extension, which bqemulator needs, is not there", "./local/setup")


def _spawn(kind: Kind, *, run_dir: Path, project: str, port: int, stack: ExitStack) -> Emulator:
    """Start one, with an empty folder and an empty log of its own."""
    folder = run_dir / kind.name
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    log = run_dir / f"{kind.name}.log"
    log.unlink(missing_ok=True)
    # Registered before it answers: one that never does is ended, too.
    service = Service.start(kind.name, kind.command(port, project, folder), log=log)
    stack.callback(service.stop)
    return Emulator(kind=kind, port=port, service=service)
