"""The functions as they are deployed: staged by ./deploy.sh, each under functions-framework in its process.

Each process has the environment that `functions/manifest.json` states and nothing of this one's, and runs
outside of the repository: `common` is found inside the stage or not at all. There is one instance of each;
the limit on concurrent requests is the platform's and is not imitated.
"""

import http.client
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from common.sport import Sport, SportNames
from common.topics import Topic
from infra.manifest import Function, heard, load

from ..problem import Problem
from .lives import Lives
from .ports import LOOPBACK, free_port
from .service import Service, ServiceFailed
from .topology import Push

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv" / "functions" / "bin" / "python"

# A second on an idle machine; four at once on a busy one take far longer.
_READY_WITHIN = timedelta(seconds=60)
_PROBE_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One function as it is served: on one port, whatever topics wake it."""

    name: str
    """As in the cloud: `nba-completion-recorder`."""
    folder: str
    function: Function
    topics: tuple[Topic, ...]
    port: int


@dataclass(kw_only=True)
class Server:
    """Runs one deployment, and runs it again on the same port when it has died, as Cloud Run would."""

    deployment: Deployment
    environment: Mapping[str, str]
    staged: Path
    """The folder that holds the staged functions."""
    log: Path
    lives: Lives = field(default_factory=Lives)
    _service: Service | None = field(default=None)

    @property
    def pushes(self) -> list[Push]:
        """How Pub/Sub reaches it: one subscription for each topic."""
        deployment = self.deployment
        return [
            Push(name=deployment.folder, topic=topic, port=deployment.port) for topic in deployment.topics
        ]

    def start(self) -> None:
        """Returns at once; see `wait_until_ready`."""
        self.lives.begin(time.monotonic())
        self._service = Service.start(
            self.deployment.name,
            self._command(),
            log=self.log,
            environment=self.environment,
            folder=self.staged,
        )

    def wait_until_ready(self) -> None:
        """Returns when it serves requests. Raises ServiceFailed with the last line of its log."""
        self._running.wait_until(self._answers, within=_READY_WITHIN)

    def kill(self) -> None:
        """SIGKILL to the server and its workers, in the middle of whatever they do."""
        self._running.stop()

    def revive(self, *, gives_up: bool) -> bool:
        """Start it again if it has died, later and later if it dies early; True if it was started.

        Where `gives_up`, one that will not stay alive is a Problem (ServiceFailed). To be called again and
        again by whoever keeps the stack up.
        """
        if self._running.is_running or not self.lives.may_start(time.monotonic()):
            return False
        # A run would else wait to its end for a function that cannot start.
        if gives_up and self.lives.is_hopeless:
            times = f"died {self.lives.early_deaths} times in a row"
            raise ServiceFailed(self.deployment.name, times, self.log)
        self.start()
        return True

    def stop(self) -> None:
        """Safe to call twice."""
        if self._service is not None:
            self._service.stop()

    @property
    def _running(self) -> Service:
        """The process of this server; it has to have been started."""
        assert self._service is not None
        return self._service

    def _command(self) -> list[str]:
        """functions-framework, as a container of Cloud Run starts it."""
        source = self.staged / self.deployment.folder / "main.py"
        framework = [str(PYTHON), "-P", "-m", "functions_framework"]
        target = ["--target", self.deployment.function.entry_point, "--source", str(source)]
        return [*framework, *target, "--host", LOOPBACK, "--port", str(self.deployment.port)]

    def _answers(self) -> bool:
        """The one path that the framework answers itself: any other is a delivery."""
        connection = http.client.HTTPConnection(LOOPBACK, self.deployment.port, timeout=_PROBE_SECONDS)
        try:
            connection.request("GET", "/favicon.ico")
            # The framework's own answer, before any code of ours: nothing is delivered by asking.
            return connection.getresponse().status == http.HTTPStatus.NOT_FOUND
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def deployments(sport: Sport) -> list[Deployment]:
    """All functions of the manifest, each with a free port."""
    return [
        Deployment(
            name=SportNames(sport=sport).service(folder),
            folder=folder,
            function=function,
            topics=tuple(heard(folder, function)),
            port=free_port(),
        )
        for folder, function in load(ROOT).functions.items()
    ]


def stage(folder: Path) -> None:
    """Stage all functions into `folder` as ./deploy.sh does; a Problem says why that failed."""
    done = subprocess.run(
        # By the script that deploys: local equals deployed.
        [str(ROOT / "deploy.sh"), "--stage", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise Problem(f"./deploy.sh --stage: {lines[-1] if lines else f'status {done.returncode}'}")


def environment(
    function: Function, values: Mapping[str, str], *, emulators: Mapping[str, str], machine: Mapping[str, str]
) -> dict[str, str]:
    """All that a function's process gets: what the manifest names, from `values`, and what any process needs.

    `machine` is this process's environment, of which only PATH and HOME are taken.
    """
    missing = [name for name in function.required_env if name not in values]
    if missing:
        raise Problem(
            f"functions/manifest.json: no local value for {', '.join(missing)}; see local/stack/stack.py"
        )
    asked = (*function.required_env, *function.optional_env)
    return {
        **{name: machine[name] for name in ("PATH", "HOME") if name in machine},
        "CLOUD_RUN_TIMEOUT_SECONDS": str(function.timeout_seconds),
        # The framework's only limit on parallel requests here; deployed, Cloud Run keeps it.
        "THREADS": str(function.concurrency),
        # What a process logged before it was killed is in its log.
        "PYTHONUNBUFFERED": "1",
        **emulators,
        **{name: values[name] for name in asked if name in values},
        **function.fixed_env,
    }


def start_all(servers: Iterable[Server]) -> None:
    """Start them side by side; returns when all answer."""
    started = list(servers)
    for server in started:
        server.start()
    for server in started:
        server.wait_until_ready()
