"""The whole system, up: emulators, tables, topics, and the functions served from their stages.

    with Stack.up(sport, folder, tell) as stack:
        ... stack.environment, stack.database, stack.server("completion_recorder") ...

When the block ends, or this process is killed, nothing of it is left running.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from google.cloud import bigquery, firestore, pubsub_v1

from common.publisher import Publisher
from common.sport import Sport, SportNames
from common.warehouse.warehouse import connect

from . import ddl, serving, topology
from .emulators import KINDS, Emulators
from .service import ServiceFailed
from .serving import Server

PROJECT = "local"

Tell = Callable[[str], AbstractContextManager[object]]
"""Shows what is being done while the block runs."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What runs, and the clients that reach it."""

    sport: Sport
    folder: Path
    """Where the logs and the stages are."""
    environment: Mapping[str, str]
    """What a process needs in order to take part."""
    emulators: Emulators
    servers: tuple[Server, ...]
    database: firestore.Client
    bigquery: bigquery.Client
    publisher_client: pubsub_v1.PublisherClient
    subscriber_client: pubsub_v1.SubscriberClient

    @property
    def process_environment(self) -> dict[str, str]:
        """The whole environment of a process that takes part, such as a worker."""
        machine = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {**machine, **self.environment, "PYTHONUNBUFFERED": "1"}

    @property
    def names(self) -> topology.Names:
        return topology.Names(project=PROJECT, sport=self.sport)

    @property
    def sport_names(self) -> SportNames:
        return SportNames(sport=self.sport)

    @property
    def publisher(self) -> Publisher:
        return Publisher(self.publisher_client, project=PROJECT, sport=self.sport)

    def server(self, folder: str) -> Server:
        """The first server of the function in `functions/{folder}`."""
        return next(server for server in self.servers if server.deployment.folder == folder)

    def revive(self) -> None:
        """Start again whatever function has died; a Problem if an emulator has, for its data is gone."""
        for server in self.servers:
            server.revive()
        for kind in KINDS:
            service = self.emulators[kind.name].service
            if not service.is_running:
                raise ServiceFailed(kind.name, "ended, and its data with it", service.log)

    @classmethod
    @contextmanager
    def up(
        cls, sport: Sport, folder: Path, tell: Tell, *, ports: Mapping[str, int] | None = None
    ) -> Iterator["Stack"]:
        """Start everything; a Problem names what could not be. `ports` are those of emulators, by name."""
        with ExitStack() as down:
            with tell("emulators"):
                emulators = down.enter_context(Emulators.start(folder, PROJECT, ports=ports))
            # Google's clients look there, and nowhere else, for emulators.
            os.environ.update(emulators.environment)
            stack = cls._connected(sport, folder, emulators)
            for server in stack.servers:
                down.callback(server.stop)
            with tell("tables"):
                ddl.apply(stack.bigquery, stack.sport_names)
            with tell("functions staged"):
                serving.stage(folder / "stage")
            with tell("functions served"):
                serving.start_all(stack.servers)
            with tell("topics"):
                pushes = [push for server in stack.servers for push in server.pushes]
                topology.create(stack.publisher_client, stack.subscriber_client, stack.names, pushes)
            yield stack

    @classmethod
    def _connected(cls, sport: Sport, folder: Path, emulators: Emulators) -> "Stack":
        return cls(
            sport=sport,
            folder=folder,
            environment=_settings(sport) | emulators.environment,
            emulators=emulators,
            servers=tuple(_servers(sport, folder, emulators.environment)),
            database=firestore.Client(project=PROJECT),
            bigquery=connect(PROJECT, os.environ),
            publisher_client=pubsub_v1.PublisherClient(),
            subscriber_client=pubsub_v1.SubscriberClient(),
        )


def _settings(sport: Sport) -> dict[str, str]:
    """What functions and workers are told. A lease this short only shortens the wait for a dead holder."""
    return {
        "GCP_PROJECT": PROJECT,
        "SPORT": sport.value,
        "ENVIRONMENT": "local",
        "LOCK_LEASE_SECONDS": "20",
    }


def _servers(sport: Sport, folder: Path, emulators: Mapping[str, str]) -> list[Server]:
    return [
        Server(
            deployment=deployment,
            environment=serving.environment(
                deployment.function, _settings(sport), emulators=emulators, machine=os.environ
            ),
            staged=folder / "stage",
            log=folder / f"{deployment.name}.log",
        )
        for deployment in serving.deployments(sport)
    ]
