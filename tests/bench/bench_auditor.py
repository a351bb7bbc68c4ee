"""The audit: what it reads per batch, how long it takes and what memory, and what it costs the recorder."""

import os
import resource
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import median

import structlog
from google.cloud import firestore

from common.audit.batch_checks import check_counts
from common.audit.batch_reader import BatchReader
from common.audit.batches_seen import Wanted
from common.audit.in_turn import UNHURRIED, walk
from common.batches.batches import Batches
from common.batches.completion import COUNTER
from common.batches.records import COMPLETIONS, batch_path
from common.documents.store import FirestoreDocuments
from common.messages import PlayerOutcome
from local.stack.emulators import FIRESTORE
from tests.bench.beside_audit import AUDITED_SINCE
from tests.bench.clients import firestore_at
from tests.bench.cpu import cpu_seconds
from tests.bench.frame import Bench, benchmark
from tests.bench.measuring import Measurement, at_most, seconds
from tests.support.spoken_process import SpokenProcess

BATCHES, PLAYERS = 1_000, 450
WITH_DOCUMENTS = 20
FEW = 3
"""Of the batches so many have all their completions, the others a few: counting costs the same reads, and
filling them all would take the emulator an hour."""
RECORDED = 1_000
ROUNDS = 5
ROUND_TRIP = timedelta(milliseconds=10)
ONE_BY_ONE = 100


@benchmark("auditor", emulators=[FIRESTORE])
def auditor(bench: Bench) -> Iterator[Measurement]:
    """A thousand batches counted, alone and beside a recorder under load.

    Auditor, recorder and emulator share the cores of one machine here; in the cloud each has its own.
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
        yield _recording_beside_it(bench, db.project)


def _recording_beside_it(bench: Bench, project: str) -> Measurement:
    """CPU time per completion, with an audit that never ends and without: recorder, audit and emulator are
    processes of their own. How long it takes says nothing on fewer than four cores, which they share."""
    port = int(bench.emulators["firestore"].host.rpartition(":")[2])
    recorder = SpokenProcess("tests.bench.beside_audit", "record", project, str(RECORDED))
    spent: dict[str, list[float]] = {}

    def record(way: str) -> None:
        before = cpu_seconds(port)
        recorder.say(f"{way}{len(spent.setdefault(way, []))}")
        spent[way].append(recorder.hear()["cpu_seconds"])
        spent.setdefault(f"{way} emulator", []).append(cpu_seconds(port) - before)

    record("warm_up")
    audit = SpokenProcess("tests.bench.beside_audit", "audit", project)
    audit.hear()
    for _ in range(ROUNDS):
        audit.send(signal.SIGSTOP)
        record("quiet")
        audit.send(signal.SIGCONT)
        record("beside")
    audit.end()
    recorder.end()
    micros = {way: 1e6 * median(each) / RECORDED for way, each in spent.items()}
    return Measurement(
        name="auditor.recording_beside_it",
        value=micros["beside"] / micros["quiet"],
        unit="ratio",
        target=at_most(1 / 0.9),
        details={
            "recorder_quiet_us": micros["quiet"],
            "recorder_beside_us": micros["beside"],
            "emulator_quiet_us": micros["quiet emulator"],
            "emulator_beside_us": micros["beside emulator"],
            "completions": RECORDED,
            "load": os.getloadavg()[0],
        },
    )


def _from_afar(db: firestore.Client, near: BatchReader) -> Measurement:
    """Counts and receipts of the thousand, where each answer takes its way: a tenth of what one run may last
    for ten thousand."""
    far = BatchReader(FirestoreDocuments(db))
    known = near.seen(Wanted(since=AUDITED_SINCE)).unwrap().batches
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
    seen = reader.seen(Wanted(since=AUDITED_SINCE))
    outcome = check_counts(reader, seen, UNHURRIED)
    assert getattr(outcome, "findings", ()) == () and outcome.left == 0
    return outcome.cost.reads


def _fill(db: firestore.Client, batches: Batches) -> None:
    for number in range(BATCHES):
        players = PLAYERS if number < WITH_DOCUMENTS else FEW
        names = [f"player{each:05}" for each in range(players)]
        batch_id = f"batch{number:05}"
        deadline = datetime.now(UTC) + timedelta(days=1)
        batches.open(batch_id, AUDITED_SINCE, names, deadline=deadline).unwrap()
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
