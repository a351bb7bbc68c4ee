"""The recorder as it is deployed: staged, under functions-framework, push body in, answer out."""

import http.client
import itertools
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from google.cloud import firestore, pubsub_v1

from common.batches.batches import Batches
from common.documents.store import FirestoreDocuments
from common.sport import Sport
from common.topics import PREDICTION_BATCH_COMPLETE, PREDICTION_READY
from infra.manifest import load
from local.stack.emulators import FIRESTORE, PUBSUB
from local.stack.ports import LOOPBACK, free_port
from local.stack.service import Service
from local.stack.serving import PYTHON, ROOT, environment, stage
from tests.bench.cpu import cpu_seconds
from tests.bench.frame import Bench, benchmark
from tests.bench.http_load import cloud_event, post_all, push
from tests.bench.measuring import Measurement, at_least, at_most, interleaved_medians
from tests.bench.warming import warm_up_recording
from tests.support.batch_helpers import DEADLINE, GAME_DATE

PLAYERS = 450
CONNECTIONS = 32
REPETITIONS = 5
WARM_UP_RIDES = 10
"""Of each function that uses the store, after the store itself is warm."""
TOPIC = PREDICTION_READY.name(Sport.NBA)
TRIGGER = PREDICTION_BATCH_COMPLETE.name(Sport.NBA)
SERVED = Path(__file__).parent / "served"
_READY_WITHIN = timedelta(seconds=60)

_numbers = itertools.count()


@dataclass(frozen=True, kw_only=True)
class Served:
    """One function, and how it is started."""

    source: Path
    target: str
    environment: Mapping[str, str]
    run_dir: Path

    @contextmanager
    def running(self) -> Iterator[int]:
        """Gives its port while the block runs."""
        port = free_port()
        command = [str(PYTHON), "-P", "-m", "functions_framework", "--target", self.target]
        command += ["--source", str(self.source), "--host", LOOPBACK, "--port", str(port)]
        service = Service.start(
            self.target,
            command,
            log=self.run_dir / f"{self.target}.log",
            environment=self.environment,
            folder=self.run_dir,
        )
        try:
            service.wait_until(partial(_answers, port), within=_READY_WITHIN, every_seconds=0.002)
            yield port
        finally:
            service.stop()


class Functions:
    """The recorder as it is deployed, and what it is held against."""

    def __init__(self, bench: Bench) -> None:
        self.project = bench.new_project()
        self.db = firestore.Client(project=self.project)
        self.batches = Batches(FirestoreDocuments(self.db))
        publisher = pubsub_v1.PublisherClient()
        with publisher:
            publisher.create_topic(name=f"projects/{self.project}/topics/{TRIGGER}")
        stage(bench.run_dir / "staged")
        function = load(ROOT).functions["completion_recorder"]
        values = {"GCP_PROJECT": self.project, "SPORT": Sport.NBA.value}
        as_deployed = environment(function, values, emulators=bench.emulators.environment, machine=os.environ)
        by_default = {
            name: value for name, value in as_deployed.items() if name not in {"FUNCTION_USE_ASGI", "THREADS"}
        }
        make = partial(Served, run_dir=bench.run_dir)
        self.recorder = make(
            source=bench.run_dir / "staged" / "completion_recorder" / "main.py",
            target=function.entry_point,
            environment=as_deployed,
        )
        self.nothing = make(source=SERVED / "does_nothing.py", target="does_nothing", environment=as_deployed)
        self.reader = make(
            source=SERVED / "reads_and_logs.py",
            target="reads_and_logs",
            environment={**as_deployed, "PYTHONPATH": str(ROOT)},
        )
        self.bare_commit = make(
            source=SERVED / "bare_commit.py", target="bare_commit", environment=as_deployed
        )
        self.firestore_alone = make(
            source=SERVED / "imports_firestore.py", target="imports_firestore", environment=as_deployed
        )
        self.legacy = make(source=SERVED / "legacy.py", target="legacy", environment=by_default)

    def batch(self) -> str:
        batch_id = f"batch{next(_numbers)}"
        self.batches.open(batch_id, GAME_DATE, _players(), deadline=DEADLINE).unwrap()
        return batch_id

    def legacy_batch(self) -> str:
        batch_id = f"legacy{next(_numbers)}"
        empty = {"expected_players": PLAYERS, "completed_players": [], "total_predictions": 0}
        self.db.collection("prediction_batches").document(batch_id).set(empty)
        return batch_id


@benchmark("function-throughput", emulators=[FIRESTORE, PUBSUB])
def whole_function(bench: Bench) -> Iterator[Measurement]:
    """450 completions of one batch over 32 connections, push body in, recorded in Firestore, answer out."""
    functions = Functions(bench)
    with (
        functions.recorder.running() as recorder,
        functions.reader.running() as reader,
        functions.bare_commit.running() as bare_commit,
        functions.nothing.running() as nothing,
        functions.legacy.running() as legacy,
    ):
        warm_up_recording(functions.project)
        for _ in range(WARM_UP_RIDES):
            _ride(recorder, functions.batch())
            _ride(bare_commit, functions.batch())
            _ride(legacy, functions.legacy_batch(), cloud_event)
        spent: dict[str, float] = defaultdict(float)

        def ride(name: str, port: int, batch_id: str, form: Callable[..., bytes] = push) -> float:
            before = cpu_seconds(port)
            took_seconds = _ride(port, batch_id, form)
            spent[name] += cpu_seconds(port) - before
            return took_seconds

        took = interleaved_medians(
            REPETITIONS,
            recorder=lambda: ride("recorder", recorder, functions.batch()),
            recorder_cloud_event=lambda: ride("by_cloud_event", recorder, functions.batch(), cloud_event),
            reader=lambda: ride("reader", reader, "nobody's"),
            bare_commit=lambda: ride("bare_commit", bare_commit, functions.batch()),
            nothing=lambda: ride("nothing", nothing, "nobody's"),
            legacy=lambda: _ride(legacy, functions.legacy_batch(), cloud_event),
        )
    rates = {f"{name}_per_s": round(PLAYERS / took_seconds) for name, took_seconds in took.items()}
    events = (REPETITIONS + 1) * PLAYERS
    rates |= {f"{name}_cpu_us": round(1e6 * seconds / events) for name, seconds in spent.items()}
    for name, other, target in (
        ("function.against_reader", "reader", at_least(0.75)),
        ("function.against_bare_commit", "bare_commit", at_least(2.0)),
        ("function.against_legacy", "legacy", at_least(8.5)),
        ("function.against_nothing", "nothing", None),
        ("function.against_itself_by_cloud_event", "recorder_cloud_event", None),
    ):
        value = took[other] / took["recorder"]
        yield Measurement(name=name, value=value, unit="ratio", target=target, details=rates)
    # Where the emulator shares the machine its own CPU time is in every ratio above; what recording costs the
    # function itself is in this one.
    value = spent["reader"] / spent["recorder"]
    yield Measurement(name="function.cpu_against_reader", value=value, unit="ratio", details=rates)


@benchmark("function-cold-start", emulators=[FIRESTORE, PUBSUB])
def cold_start(bench: Bench) -> Iterator[Measurement]:
    """From the start of the process until it is ready, and until it has answered its first event."""
    functions = Functions(bench)
    ready = interleaved_medians(
        REPETITIONS,
        recorder=lambda: _start(functions.recorder),
        firestore_alone=lambda: _start(functions.firestore_alone),
        nothing=lambda: _start(functions.nothing),
    )
    yield Measurement(
        name="function.cold_start",
        value=ready["recorder"] / ready["firestore_alone"],
        unit="ratio",
        target=at_most(1.15),
        details={f"{name}_ms": round(1000 * took) for name, took in ready.items()},
    )
    answered = interleaved_medians(
        REPETITIONS,
        recorder=lambda: _start(functions.recorder, functions.batch()),
        nothing=lambda: _start(functions.nothing, "nobody's"),
    )
    yield Measurement(
        name="function.first_answer",
        value=answered["recorder"] / answered["nothing"],
        unit="ratio",
        details={f"{name}_ms": round(1000 * took) for name, took in answered.items()},
    )


def _players() -> list[str]:
    return [f"player{index:05}" for index in range(PLAYERS)]


def _ride(port: int, batch_id: str, form: Callable[..., bytes] = push) -> float:
    requests = [_event(batch_id, player, form) for player in _players()]
    return post_all(port, requests, connections=CONNECTIONS)


def _start(served: Served, batch_id: str | None = None) -> float:
    start = time.perf_counter()
    with served.running() as port:
        if batch_id is not None:
            post_all(port, [_event(batch_id, _players()[0])], connections=1)
        return time.perf_counter() - start


def _event(batch_id: str, player: str, form: Callable[..., bytes] = push) -> bytes:
    completion = {
        "batch_id": batch_id,
        "player_lookup": player,
        "game_date": GAME_DATE.isoformat(),
        "predictions_generated": 5,
    }
    return form(completion, event_id=f"{batch_id}-{player}", topic=TOPIC)


def _answers(port: int) -> bool:
    """The one path that the framework answers by itself; in synchronous mode any answer will do."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2.0)
    try:
        connection.request("GET", "/favicon.ico")
        return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
