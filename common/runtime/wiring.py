"""What every function is wired from: its settings, its clients and its endpoint. Clients are made here alone.

    wiring = Wiring(Settings, function="phase_transitions", environment=os.environ)

    phase_transitions = wiring.serve({PHASE_SWEEP: Route(message=Sweep, handle=in_thread(sweep))})

Each part is a call, `wiring.database()`, that makes it when it is first needed and then gives the same one to
every thread: an instance pays for no client that it does not use, and for no library either.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from google.cloud import firestore

from .. import logs
from ..entrypoint.canary import CALL_TIMEOUT_SECONDS, Canary, Probe
from ..entrypoint.canary import COLLECTION as CANARIES
from ..entrypoint.endpoint import Endpoint, Route
from ..result import Result
from ..settings import Settings, WarehouseSettings
from ..sport import DatasetRole
from ..topics import Topic
from .gc_tuning import start_collecting
from .once import once

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
    from starlette.requests import Request
    from starlette.responses import Response

    from ..batches.batches import Batches
    from ..batches.trigger_outbox import TriggerOutbox
    from ..documents.port import Documents
    from ..entrypoint.dead_letters import DeadLetters
    from ..findings.reporter import Reporter
    from ..publisher import Publisher
    from ..warehouse.warehouse import Warehouse

S = TypeVar("S", bound=Settings)
W = TypeVar("W", bound=WarehouseSettings)


class Wiring(Generic[S]):
    """The parts of one instance. Made at cold start; raises SettingsError with every problem listed.

    Each part is made on its first call and shared by all threads then; one that cannot be made (no
    credentials yet) raises, and is tried again by the next call. Nothing here asks a service before it is
    needed.
    """

    def __init__(self, settings: type[S], *, function: str, environment: Mapping[str, str]) -> None:
        self.settings: Final = settings.from_environment(environment)
        self.function: Final = function
        self._environment = environment
        self._topics: list[Topic] = []
        # Before any part is made: what a library warns of at its making is then a line of ours.
        logs.configure(self.settings.gcp_project, function=function, environment=self.settings.environment)
        self.database: Callable[[], firestore.Client] = once(self._database)
        self.async_database: Callable[[], firestore.AsyncClient] = once(self._async_database)
        self.publisher_client: Callable[[], PublisherClient] = once(self._publisher_client)
        self.subscriber_client: Callable[[], SubscriberClient] = once(self._subscriber_client)
        self.publisher: Callable[[], Publisher] = once(self._publisher)
        self.dead_letters: Callable[[], DeadLetters] = once(self._dead_letters)
        self.reporter: Callable[[], Reporter] = once(self._reporter)
        self.documents: Callable[[], Documents] = once(self._documents)
        self.batches: Callable[[], Batches] = once(self._batches)
        self.outbox: Callable[[], TriggerOutbox] = once(self._outbox)
        self.canary: Callable[[], Canary] = once(self._canary)

    def now(self) -> datetime:
        """This machine's clock, in UTC. What two machines must agree on is judged by a server's."""
        return datetime.now(UTC)

    def serve(
        self, routes: Mapping[Topic, Route[Any]], *, unnamed: Topic | None = None
    ) -> "Callable[[Request], Awaitable[Response]]":
        """The function as the framework finds and serves it, under the name that its deployment gives.

        What the main module ends with: all is loaded then, and garbage is collected again. As `endpoint`, to
        be called once.
        """
        # Here, as operators and tests wire the same parts without a web framework.
        import functions_framework.aio

        endpoint = self.endpoint(routes, unnamed=unnamed)

        async def respond(request: "Request") -> "Response":
            return await endpoint.respond(request)

        respond.__name__ = self.function
        functions_framework.aio.http(respond)
        start_collecting()
        return respond

    def endpoint(self, routes: Mapping[Topic, Route[Any]], *, unnamed: Topic | None = None) -> Endpoint:
        """The function's endpoint: `routes` says which handler gets which topic's messages.

        `unnamed` is the topic of a delivery whose request does not name one. To be called once per instance:
        dead letters from nowhere go to the first topic's dead-letter topic.
        """
        # Dead letters are built later, of the topics that are heard here.
        self._topics = list(routes)
        return Endpoint(
            routes=routes,
            unnamed=unnamed,
            dead_letters=self.dead_letters,
            sport=self.settings.sport,
            max_age=self.settings.max_event_age,
            now=self.now,
            canary=lambda canary_id: self.canary().answer(canary_id),
        )

    def _probes(self) -> dict[str, Probe]:
        """What a canary tries: each store that the function uses, by name."""
        return {"firestore": self._try_firestore}

    def _try_firestore(self) -> Result[bool]:
        """Reads a document that need not exist: the answer is the point, not the document."""
        reference = self.database().collection(CANARIES).document("probe")
        return Result.success(reference.get(retry=None, timeout=CALL_TIMEOUT_SECONDS).exists)

    def _canary(self) -> Canary:
        """Answers a canary request by trying each probe, see `entrypoint/canary.py`."""
        return Canary(self.database(), self._probes(), environment=self._environment, now=self.now)

    def _database(self) -> firestore.Client:
        return firestore.Client(project=self.settings.gcp_project)

    def _async_database(self) -> firestore.AsyncClient:
        """Its calls belong to the event loop that makes the first one."""
        return firestore.AsyncClient(project=self.settings.gcp_project)

    def _documents(self) -> "Documents":
        from ..documents.store import FirestoreDocuments

        return FirestoreDocuments(self.database())

    def _batches(self) -> "Batches":
        from ..batches.batches import Batches

        return Batches(self.documents(), mode=self.settings.schema_mode)

    def _outbox(self) -> "TriggerOutbox":
        from ..batches.trigger_outbox import TriggerOutbox

        return TriggerOutbox(self.batches().store, self.publisher)

    def _publisher_client(self) -> "PublisherClient":
        """The library is imported here: a function that never publishes does not pay for it at cold start."""
        from google.cloud import pubsub_v1

        return pubsub_v1.PublisherClient()

    def _subscriber_client(self) -> "SubscriberClient":
        from google.cloud import pubsub_v1

        return pubsub_v1.SubscriberClient()

    def _publisher(self) -> "Publisher":
        from ..publisher import Publisher

        client = self.publisher_client()
        return Publisher(client, project=self.settings.gcp_project, sport=self.settings.sport)

    def _dead_letters(self) -> "DeadLetters":
        from ..entrypoint.dead_letters import DeadLetters

        return DeadLetters(
            self.database(),
            self.publisher(),
            topics=self._topics,
            sport=self.settings.sport,
            function=self.function,
        )

    def _reporter(self) -> "Reporter":
        """Who is told of findings; loaded when there is one.

        `teller` names this instance in the claims that keep two from telling the same finding.
        """
        from ..findings import slack
        from ..findings.reporter import Reporter
        from ..findings.store import FindingStore

        store, channel = FindingStore(self.documents()), slack.channel(self.settings.findings_webhook_url)
        return Reporter(store, channel, now=self.now, teller=f"{self.function}-{uuid.uuid4().hex[:8]}")


class WarehouseWiring(Wiring[W]):
    """As Wiring, for a function that asks BigQuery, too.

    The recorder does not: with all three clients an import takes 0.84 s, with Firestore's alone 0.66 s
    (measured).
    """

    def __init__(self, settings: type[W], *, function: str, environment: Mapping[str, str]) -> None:
        super().__init__(settings, function=function, environment=environment)
        self.warehouse: Callable[[], Warehouse] = once(self._warehouse)

    def _probes(self) -> dict[str, Probe]:
        return {**super()._probes(), "bigquery": self._try_bigquery}

    def _try_bigquery(self) -> Result[Any]:
        """Asks a small table that `infra/sql` makes: jobs, dataset and tables, all in one."""
        dataset = self.settings.names.dataset(DatasetRole.PREDICTIONS)
        return self.warehouse().query(f"SELECT 1 FROM `{dataset}.consolidation_fences` LIMIT 1")

    def _warehouse(self) -> "Warehouse":
        from ..warehouse.warehouse import MAXIMUM_BYTES_BILLED, Limits, Warehouse, connect

        settings = self.settings
        client = connect(settings.gcp_project, self._environment, location=settings.bigquery_location)
        limits = Limits(maximum_bytes_billed=settings.maximum_bytes_billed or MAXIMUM_BYTES_BILLED)
        return Warehouse(client, limits)
