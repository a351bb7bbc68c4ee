"""The phase transitions as they are deployed, and their sweep over many open days."""

import http.client
import itertools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from queue import Empty, Queue

from google.cloud import firestore

from common.documents.document import Document
from common.documents.query import ALL, Query
from common.documents.store import FirestoreDocuments
from common.result import Result
from common.sport import Sport
from common.topics import topic
from infra.manifest import load
from local.stack.emulators import FIRESTORE
from local.stack.ports import LOOPBACK
from local.stack.serving import ROOT, environment, stage
from tests.bench.bench_function import SERVED, Served
from tests.bench.frame import Bench, benchmark
from tests.bench.measuring import Measurement, at_least, at_most
from tests.support.deliveries import binary, pubsub_message
from tests.support.phase_world import PRECOMPUTE, PhaseWorld, completion

TOPIC = topic("PHASE4_PRECOMPUTE_COMPLETE").name(Sport.NBA)
DAYS, LEGACY_DAYS = 60, 8
"""Contention stalls the transactions of the emulator for seconds: the old pattern gets fewer days."""
CONNECTIONS = (1, 8, 32)
OPEN_DAYS = (100, 1_000, 10_000)
FIRST_DAY = datetime.now(UTC).date() + timedelta(days=2)
"""Days to come: of those that are over, each would be told as overdue."""
WITHIN_SECONDS = 60.0

_days = itertools.count()


@dataclass(frozen=True, kw_only=True)
class Ride:
    """What became of the events of one ride."""

    events: int
    failed: int
    """Not answered with 200: in the cloud they come again, or are lost where nothing retries."""
    seconds: float

    @property
    def per_second(self) -> float:
        return (self.events - self.failed) / self.seconds


@benchmark("phase-throughput", emulators=[FIRESTORE])
def throughput(bench: Bench) -> Iterator[Measurement]:
    """Four of five processors of many days, those of a day at one time: recorded, decided on, answered."""
    project = bench.new_project()
    stage(bench.run_dir / "staged")
    function = load(ROOT).functions["phase_transitions"]
    values = {"GCP_PROJECT": project, "SPORT": Sport.NBA.value}
    told = environment(function, values, emulators=bench.emulators.environment, machine=os.environ)
    by_default = {name: value for name, value in told.items() if name not in {"FUNCTION_USE_ASGI", "THREADS"}}
    source = bench.run_dir / "staged" / "phase_transitions" / "main.py"
    ours = Served(source=source, target=function.entry_point, environment=told, run_dir=bench.run_dir)
    legacy = _legacy(by_default, bench.run_dir)
    with ours.running() as port, legacy.running() as old_port:
        _ride(port, 10, connections=8)  # the emulator and the function warm up
        for connections in CONNECTIONS:
            new = _ride(port, DAYS, connections=connections)
            old = _ride(old_port, LEGACY_DAYS, connections=connections)
            yield Measurement(
                name=f"phases.against_legacy_{connections}",
                value=new.per_second / old.per_second if old.per_second else None,
                unit="ratio",
                target=at_least(4.0) if connections == 8 else None,
                details={
                    "per_s": round(new.per_second),
                    "failed": new.failed,
                    "legacy_per_s": round(old.per_second, 1),
                    "legacy_failed": f"{old.failed} of {old.events}",
                },
            )
            yield Measurement(
                name=f"phases.failed_{connections}", value=new.failed, unit="events", target=at_most(0)
            )


def _legacy(told: dict[str, str], run_dir: Path) -> Served:
    return Served(
        source=SERVED / "legacy_phases.py", target="legacy_phases", environment=told, run_dir=run_dir
    )


def _ride(port: int, days: int, *, connections: int) -> Ride:
    events: Queue[bytes] = Queue()
    dates = [FIRST_DAY + timedelta(days=next(_days)) for _ in range(days)]
    for game_date in dates:
        for name in PRECOMPUTE[:4]:
            events.put(completion(name, game_date=game_date, execution_id=f"run-{game_date}").to_json())
    number = events.qsize()
    start = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        failed = sum(pool.map(lambda _: _post_all(port, events), range(connections)))
    return Ride(events=number, failed=failed, seconds=time.perf_counter() - start)


def _post_all(port: int, events: "Queue[bytes]") -> int:
    """Posts what is left over one connection; how many were not answered with 200."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=WITHIN_SECONDS)
    failed = 0
    while True:
        try:
            body = events.get_nowait()
        except Empty:
            connection.close()
            return failed
        headers, data = binary(pubsub_message(body, message_id=str(hash(body))), topic=TOPIC)
        connection.request("POST", "/", body=data, headers=headers)
        answer = connection.getresponse()
        answer.read()
        failed += answer.status != http.HTTPStatus.OK


class Counting(FirestoreDocuments):
    """Counts the documents that are read, apart from those that a query of what is due gives."""

    def __init__(self, client: firestore.Client) -> None:
        super().__init__(client)
        self.read_documents = 0
        self.queried_documents = 0

    def get(
        self, paths: Sequence[str], *, as_of: datetime | None = None, only: tuple[str, ...] | None = None
    ) -> Result[dict[str, Document]]:
        self.read_documents += len(paths)
        return super().get(paths, as_of=as_of, only=only)

    def find(self, collection: str, query: Query = ALL) -> Result[list[Document]]:
        found = super().find(collection, query)
        self.queried_documents += len(found.unwrap())
        return found


@benchmark("phase-sweep", emulators=[FIRESTORE])
def sweep(bench: Bench) -> Iterator[Measurement]:
    """A sweep over open days of which none is due."""
    took: dict[int, float] = {}
    for number in OPEN_DAYS:
        db = firestore.Client(project=bench.new_project())
        _open(db, number)
        documents = Counting(db)
        world = PhaseWorld(documents=documents, now=datetime(2026, 1, 18, 15, tzinfo=UTC))
        world.warehouse.rows["nbac_schedule"] = 0  # silent days without games
        world.sweep().unwrap()
        took[number] = min(_timed(lambda world=world: world.sweep().unwrap()) for _ in range(3))  # type: ignore[misc]
        yield Measurement(
            name=f"phases.sweep_reads_{number}",
            value=100 * documents.read_documents / 4 / number,
            unit="reads per 100 open days",
            target=at_most(3.0) if number == 1_000 else None,
            details={"queried": documents.queried_documents, "ms": round(1000 * took[number], 1)},
        )
    yield Measurement(
        name="phases.sweep_10000_against_100",
        value=took[10_000] / took[100] / 100,
        unit="ratio of the time per open day",
        target=at_most(1.2),
        details={"of_the_whole_sweep": took[10_000] / took[100]},
    )


def _open(db: firestore.Client, number: int) -> None:
    """Days that wait: looked at again tomorrow."""
    later = datetime(2026, 1, 19, tzinfo=UTC)
    for start in range(0, number, 400):
        batch = db.batch()
        for index in range(start, min(start + 400, number)):
            day = (date(1990, 1, 1) + timedelta(days=index)).isoformat()
            batch.set(db.document(f"phase4_completion/{day}"), {"state": "waiting", "next_check": later})
        batch.commit()


def _timed(what: Callable[[], object]) -> float:
    start = time.perf_counter()
    what()
    return time.perf_counter() - start
