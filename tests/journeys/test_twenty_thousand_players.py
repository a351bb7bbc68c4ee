"""The largest batch there may be, with duplicates, recorded by several instances at once: exact."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from google.cloud import firestore

from common.batches.batches import Batches
from common.batches.records import BatchStatus, Counts
from common.documents.store import FirestoreDocuments
from tests.support.batch_helpers import names, opened

PLAYERS, PROCESSES, TASKS = 20_000, 4, 40
DUPLICATES = PLAYERS // 5


def test_twenty_thousand_players_with_duplicates_over_four_instances_are_exact(
    firestore_client: firestore.Client, project_id: str
) -> None:
    batches = Batches(FirestoreDocuments(firestore_client))
    opened(batches, PLAYERS)

    said = _record(project_id, _deliveries(random.Random(17)))

    batch = batches.get("batch1").unwrap()
    assert (batch.status, batch.counts) == (BatchStatus.COMPLETE, Counts(completed=PLAYERS))
    assert batch.total_predictions == 5 * PLAYERS
    assert [one.player_lookup for one in batches.completions("batch1").unwrap()] == names(PLAYERS)
    assert {event for each in said for event in each["completed_by"]} == {batch.closed_by_event}
    answered = sum(sum(each["outcomes"].values()) for each in said)
    assert answered == PLAYERS + DUPLICATES


def _deliveries(chance: random.Random) -> list[list[dict[str, str]]]:
    """What each process gets: every player once and a fifth of them twice, anywhere, half of those by another
    event."""
    deliveries = [{"player": name, "event": name} for name in names(PLAYERS)]
    repeated = chance.sample(names(PLAYERS), DUPLICATES)
    deliveries += [{"player": name, "event": chance.choice((name, f"again-{name}"))} for name in repeated]
    chance.shuffle(deliveries)
    return [deliveries[number::PROCESSES] for number in range(PROCESSES)]


def _record(project: str, deliveries: Sequence[Sequence[dict[str, str]]]) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.support.record_process", project, "batch1", str(TASKS)]
    with ExitStack() as stack:
        processes = [stack.enter_context(_start(command)) for _ in deliveries]
        with ThreadPoolExecutor(PROCESSES) as pool:
            said = list(pool.map(_communicate, processes, deliveries))
    assert [process.returncode for process in processes] == [0] * PROCESSES
    return said


def _start(command: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(command, env=os.environ, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _communicate(process: "subprocess.Popen[str]", events: Sequence[dict[str, str]]) -> dict[str, Any]:
    output, _ = process.communicate("".join(json.dumps(event) + "\n" for event in events), timeout=300)
    answer: dict[str, Any] = json.loads(output)
    return answer
