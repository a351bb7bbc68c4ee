"""What a sweep reads: the batches that may need it, however many are over."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.batches.batches import Batches
from common.batches.records import batch_path
from common.batches.trigger_outbox import TriggerOutbox
from common.documents.document import Document
from common.documents.memory_store import MemoryDocuments
from common.documents.query import ALL, Query
from common.documents.writes import Set
from common.lock.rules import LockKey
from common.maintenance.batch_sweep import BatchSweep
from common.result import Result
from tests.support.batch_helpers import GAME_DATE, Published

NOW = datetime(2026, 1, 17, 23, tzinfo=UTC)
OPEN = 10


class Counted(MemoryDocuments):
    """Counts the documents that it hands out, which is what Firestore bills."""

    def __init__(self) -> None:
        super().__init__(lambda: NOW)
        self.reads = 0

    def get(self, paths: Sequence[str], **options: Any) -> Result[dict[str, Document]]:
        self.reads += len(paths)
        return super().get(paths, **options)

    def find(self, collection: str, query: Query = ALL) -> Result[list[Document]]:
        found = super().find(collection, query)
        self.reads += max(1, len(found.unwrap()))
        return found


class NoLocks:
    def read(self, key: LockKey) -> Any:
        raise AssertionError("no batch is being consolidated")


def batch(number: int, **fields: Any) -> Set:
    known = {
        "game_date": GAME_DATE.isoformat(),
        "expected_players": 3,
        "schema_mode": "subcollection",
        "deadline": NOW + timedelta(hours=1),
        **fields,
    }
    return Set(path=batch_path(f"batch{number:05}"), fields=known)


@pytest.mark.parametrize("over", [10, 1_000], ids="{:,} are over".format)
def test_reads_of_a_sweep_are_those_of_the_open_batches(over: int) -> None:
    documents = Counted()
    documents.commit(
        [batch(number, status="consolidated", is_complete=True) for number in range(over)]
    ).unwrap()
    running = [batch(over + number, status="open", is_complete=False) for number in range(OPEN)]
    documents.commit(running).unwrap()
    batches = Batches(documents)
    sweep = BatchSweep(batches, TriggerOutbox(batches.store, Published), NoLocks(), sport="nba")

    swept = sweep.run(NOW).unwrap()

    assert (swept.looked, swept.left) == (OPEN, 0)
    assert documents.reads == OPEN + 1  # the other query finds nothing, and is billed as one
