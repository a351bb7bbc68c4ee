"""The audit: what it reads per batch, how long it takes and what memory, and what it costs the recorder."""

import asyncio
import os
import resource
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import structlog
from google.cloud import firestore

from common.audit.batch_checks import check_counts
from common.audit.batch_reader import BatchReader, Wanted
from common.audit.in_turn import UNHURRIED, Turn, walk
from common.batches.batches import Batches
from common.batches.completion import COUNTER
from common.batches.records import COMPLETIONS, batch_path
from common.documents.async_store import AsyncFirestoreDocuments
from common.documents.store import FirestoreDocuments
from common.messages import PlayerCompletion, PlayerOutcome
from common.recorder.recorder import Recorder
from local.stack.emulators import FIRESTORE
from tests.bench.clients import firestore_at
from tests.bench.frame import Bench, benchmark
from tests.bench.measuring import Measurement, at_most, seconds

GAME_DATE = date(2026, 1, 17)
BATCHES, PLAYERS = 1_000, 450
WITH_DOCUMENTS = 20
FEW = 3
"""Of the batches so many have all their completions, the others a few: counting costs the same reads, and
filling them all would take the emulator an hour."""
RECORDED = 1_000
ROUND_TRIP = timedelta(milliseconds=10)
ONE_BY_ONE = 100


@benchmark("auditor", emulators=[FIRESTORE])
def auditor(bench: Bench) -> Iterator[Measurement]:
    """A thousand batches counted, alone and beside a recorder under load.

    Auditor, recorder and emulator share the cores of one machine here, and the first two a process: in the
    cloud each has its own.
    """
    with structlog.testing.capture_logs():
        db = firestore.Client(project=bench.new_project())
        batches = Batches(FirestoreDocuments(db))
        _fill(db, batches)
        reader = BatchReader(FirestoreDocuments(db))
        alone_seconds = seconds(lambda: _audit(reader))
        reads = _audit(reader)
        yield Measurement(
            name="auditor.reads_per_batch",
            value=reads / BATCHES,
            unit="documents",
            details={"batches": BATCHES, "players": PLAYERS},
        )
        peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield Measurement(
            name="auditor.thousand_batches",
            value=alone_seconds,
            unit="seconds",
            details={"peak_mib": round(peak_mib), "per_batch_ms": 1000 * alone_seconds / BATCHES},
        )
        with bench.slowed(bench.emulators["firestore"].host, round_trip=ROUND_TRIP) as host:
            yield _from_afar(firestore_at(host, db.project), reader)
        quiet = _record(db, batches, "quiet")
        is_over = threading.Event()
        auditing = threading.Thread(target=lambda: _audit_until(reader, is_over))
        auditing.start()
        beside = _record(db, batches, "beside")
        is_over.set()
        auditing.join()
        yield Measurement(
            name="auditor.recording_beside_it",
            value=beside / quiet,
            unit="ratio",
            target=at_most(1 / 0.9),
            details={"quiet_seconds": quiet, "beside_seconds": beside, "completions": RECORDED},
        )


def _from_afar(db: firestore.Client, near: BatchReader) -> Measurement:
    """Counts and receipts of the thousand, where each answer takes its way: a tenth of what one run may last
    for ten thousand."""
    far = BatchReader(FirestoreDocuments(db))
    known = near.seen(Wanted(since=GAME_DATE)).unwrap().batches
    cpu_before = time.process_time()
    counts_seconds = seconds(lambda: _audit(far))
    receipts_seconds = seconds(lambda: walk(known, far.receipt, UNHURRIED))
    cpu_seconds = time.process_time() - cpu_before
    few = known[:ONE_BY_ONE]
    one_by_one_seconds = seconds(lambda: [far.receipt(each).unwrap() for each in few])
    return Measurement(
        name="auditor.thousand_batches_10ms_away",
        value=counts_seconds + receipts_seconds,
        unit="seconds",
        target=at_most(54),
        details={
            "counts_per_batch_ms": 1000 * counts_seconds / BATCHES,
            "receipt_per_batch_ms": 1000 * receipts_seconds / BATCHES,
            "receipt_one_by_one_ms": 1000 * one_by_one_seconds / ONE_BY_ONE,
            "own_cpu_per_batch_ms": 1000 * cpu_seconds / BATCHES,
            "load": os.getloadavg()[0],
        },
    )


def _audit(reader: BatchReader) -> int:
    seen = reader.seen(Wanted(since=GAME_DATE))
    outcome = check_counts(reader, seen, UNHURRIED)
    assert getattr(outcome, "findings", ()) == () and outcome.left == 0
    return outcome.cost.reads


def _audit_until(reader: BatchReader, is_over: threading.Event) -> None:
    while not is_over.is_set():
        seen = reader.seen(Wanted(since=GAME_DATE))
        check_counts(reader, seen, Turn(seconds_left=lambda: 0.0 if is_over.is_set() else 1.0))


def _fill(db: firestore.Client, batches: Batches) -> None:
    for number in range(BATCHES):
        players = PLAYERS if number < WITH_DOCUMENTS else FEW
        names = [f"player{each:05}" for each in range(players)]
        batch_id = f"batch{number:05}"
        deadline = datetime.now(UTC) + timedelta(days=1)
        batches.open(batch_id, GAME_DATE, names, deadline=deadline).unwrap()
        commit = db.batch()
        for name in names:
            document = {
                "player_lookup": name,
                "outcome": PlayerOutcome.COMPLETED.value,
                "predictions_count": 5,
                "event_id": f"event-{name}",
                "completed_at": datetime.now(UTC),
            }
            commit.create(db.document(f"{batch_path(batch_id)}/{COMPLETIONS}/{name}"), document)
        counted = {COUNTER[PlayerOutcome.COMPLETED]: players, "total_predictions_subcoll": 5 * players}
        ended = {"status": "consolidated", "is_complete": True, **counted}
        commit.update(db.document(batch_path(batch_id)), ended)
        commit.commit()


def _record(db: firestore.Client, batches: Batches, batch_id: str) -> float:
    names = [f"player{each:05}" for each in range(RECORDED)]
    deadline = datetime.now(UTC) + timedelta(days=1)
    batches.open(batch_id, GAME_DATE - timedelta(days=9), names, deadline=deadline).unwrap()

    async def record() -> None:
        client = firestore.AsyncClient(project=db.project)
        recorder = Recorder(AsyncFirestoreDocuments(client), batches)
        limit = asyncio.Semaphore(32)

        async def one(name: str) -> None:
            async with limit:
                event = PlayerCompletion(
                    batch_id=batch_id,
                    player_lookup=name,
                    game_date=GAME_DATE - timedelta(days=9),
                    predictions_generated=5,
                )
                (await recorder.record(event, event_id=f"event-{name}")).unwrap()

        await asyncio.gather(*map(one, names))
        client.close()

    began = time.perf_counter()
    asyncio.run(record())
    return time.perf_counter() - began
