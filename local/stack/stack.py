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

from common.batches.batches import Batches
from common.documents.store import FirestoreDocuments
from common.publisher import Publisher
from common.settings import Settings
from common.sport import Sport, SportNames
from common.warehouse.warehouse import connect
from infra.manifest import load

from . import configuration, ddl, serving, topology
from .configuration import PROJECT
from .emulators import KINDS, Emulators
from .service import ServiceFailed
from .serving import Server

Tell = Callable[[str], AbstractContextManager[object]]
"""Shows what is being done while the block runs."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What runs, and the clients that reach it."""

    settings: Settings
    """As functions and workers read them."""
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
    def sport(self) -> Sport:
        """The sport of the settings; a stack has one."""
        return self.settings.sport

    @property
    def names(self) -> topology.Names:
        """Names of topics and subscriptions."""
        return topology.Names(project=PROJECT, sport=self.sport)

    @property
    def sport_names(self) -> SportNames:
        """Names of datasets and lock."""
        return self.settings.names

    @property
    def batches(self) -> Batches:
        """Batches opened here are stamped with the mode of the settings."""
        return Batches(FirestoreDocuments(self.database), mode=self.settings.schema_mode)

    @property
    def publisher(self) -> Publisher:
        """A publisher as the functions have it."""
        return Publisher(self.publisher_client, project=PROJECT, sport=self.sport)

    def server(self, folder: str) -> Server:
        """The server of the function in `functions/{folder}`; raises StopIteration if there is none."""
        return next(server for server in self.servers if server.deployment.folder == folder)

    def revive(self, *, gives_up: bool = True) -> list[Server]:
        """Start again whatever function has died; returns the servers that were started.

        A Problem if an emulator has died, for its data is gone. Where `gives_up`, a function that will not
        stay alive is one, too.
        """
        revived = [server for server in self.servers if server.revive(gives_up=gives_up)]
        # An emulator keeps its data in memory: started again it would be an empty store that looks well.
        for kind in KINDS:
            service = self.emulators[kind.name].service
            if not service.is_running:
                raise ServiceFailed(kind.name, "ended, and its data with it", service.log)
        return revived

    @classmethod
    @contextmanager
    def up(
        cls, sport: Sport, folder: Path, tell: Tell, *, ports: Mapping[str, int] | None = None
    ) -> Iterator["Stack"]:
        """Start everything; a Problem names what could not be. `ports` are those of emulators, by name.

        What this process's environment sets for the functions, they are told: see `configuration.py`.
        """
        told = configuration.values(sport, load(serving.ROOT), os.environ)
        settings = configuration.settings(told)
        with ExitStack() as down:
            with tell("emulators"):
                emulators = down.enter_context(Emulators.start(folder, PROJECT, ports=ports))
            # Google's clients look there, and nowhere else, for emulators.
            os.environ.update(emulators.environment)
            stack = cls._connected(settings, told, folder, emulators)
            # Before anything can fail: a server that was never started is stopped without harm.
            for server in stack.servers:
                down.callback(server.stop)
            with tell("tables"):
                ddl.apply(stack.bigquery, stack.sport_names)
            with tell("functions staged"):
                serving.stage(folder / "stage")
            with tell("functions served"):
                serving.start_all(stack.servers)
            # Last: a push subscription delivers from the moment it is made.
            with tell("topics"):
                pushes = [push for server in stack.servers for push in server.pushes]
                topology.create(stack.publisher_client, stack.subscriber_client, stack.names, pushes)
            yield stack

    @classmethod
    def _connected(
        cls, settings: Settings, told: Mapping[str, str], folder: Path, emulators: Emulators
    ) -> "Stack":
        """The stack with its clients, before anything is served."""
        return cls(
            settings=settings,
            folder=folder,
            environment={**told, **emulators.environment},
            emulators=emulators,
            servers=tuple(_servers(settings.sport, told, folder, emulators.environment)),
            # After the environment is set: a client reads it when it is made.
            database=firestore.Client(project=PROJECT),
            bigquery=connect(PROJECT, os.environ),
            publisher_client=pubsub_v1.PublisherClient(),
            subscriber_client=pubsub_v1.SubscriberClient(),
        )


def _servers(
    sport: Sport, told: Mapping[str, str], folder: Path, emulators: Mapping[str, str]
) -> list[Server]:
    """A server for each function of the manifest, none of them started."""
    return [
        Server(
            deployment=deployment,
            environment=serving.environment(
                deployment.function, told, emulators=emulators, machine=os.environ
            ),
            staged=folder / "stage",
            log=folder / f"{deployment.name}.log",
        )
        for deployment in serving.deployments(sport)
    ]
