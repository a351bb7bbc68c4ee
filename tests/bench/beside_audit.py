"""A recorder, or an audit that begins anew until it is ended, in a process of its own.

    python -m tests.bench.beside_audit record PROJECT PLAYERS
    python -m tests.bench.beside_audit audit PROJECT

A recorder reads ids of batches from stdin, one a line, and records PLAYERS completions of each; it says
how long that took, and its CPU time. An audit says how often it has counted all batches. Firestore is the one
that the environment names.
"""

import asyncio
import json
import sys
import time
from datetime import UTC, date, datetime, timedelta
from typing import Final

import structlog
from google.cloud import firestore

from common.audit.batch_checks import check_counts
from common.audit.batch_reader import BatchReader
from common.audit.batches_seen import Wanted
from common.audit.in_turn import UNHURRIED
from common.batches.batches import Batches
from common.documents.async_store import AsyncFirestoreDocuments
from common.documents.store import FirestoreDocuments
from common.messages import PlayerCompletion
from common.recorder.recorder import Recorder

AUDITED_SINCE: Final = date(2026, 1, 17)
RECORDED_ON: Final = AUDITED_SINCE - timedelta(days=9)
"""No audit looks at that day: what is being recorded makes it neither longer nor shorter."""
AT_ONCE: Final = 32


async def record(client: firestore.AsyncClient, batches: Batches, batch_id: str, players: int) -> None:
    names = [f"player{number:05}" for number in range(players)]
    deadline = datetime.now(UTC) + timedelta(days=1)
    batches.open(batch_id, RECORDED_ON, names, deadline=deadline).unwrap()
    recorder = Recorder(AsyncFirestoreDocuments(client), batches)
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(name: str) -> None:
        event = PlayerCompletion(
            batch_id=batch_id, player_lookup=name, game_date=RECORDED_ON, predictions_generated=5
        )
        async with limit:
            (await recorder.record(event, event_id=f"event-{name}")).unwrap()

    await asyncio.gather(*map(one, names))


def record_each(project: str, players: int) -> None:
    batches = Batches(FirestoreDocuments(firestore.Client(project=project)))
    with asyncio.Runner() as runner:
        client = firestore.AsyncClient(project=project)
        for line in iter(sys.stdin.readline, ""):
            began, cpu_began = time.perf_counter(), time.process_time()
            runner.run(record(client, batches, line.strip(), players))
            _say(seconds=time.perf_counter() - began, cpu_seconds=time.process_time() - cpu_began)


def audit_again_and_again(project: str) -> None:
    reader = BatchReader(FirestoreDocuments(firestore.Client(project=project)))
    audits = 0
    while True:
        outcome = check_counts(reader, reader.seen(Wanted(since=AUDITED_SINCE)), UNHURRIED)
        assert outcome.left == 0
        audits += 1
        _say(audits=audits)


def _say(**numbers: float) -> None:
    print(json.dumps(numbers), flush=True)


if __name__ == "__main__":
    with structlog.testing.capture_logs():
        if sys.argv[1] == "record":
            record_each(sys.argv[2], int(sys.argv[3]))
        else:
            audit_again_and_again(sys.argv[2])
