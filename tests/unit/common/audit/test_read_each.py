"""Many batches, one read each: in order, bounded, and not on and on against a store that is away."""

import threading
from dataclasses import replace

from common.audit.read_each import AT_ONCE, CHUNK, read_each
from common.batches.records import Batch
from common.result import ErrorInfo, Result
from tests.support.batch_documents import batch_of
from tests.support.results import error_of

BATCHES = [replace(batch_of(), batch_id=f"batch{number:03}") for number in range(3 * CHUNK)]
AWAY = ErrorInfo.transient("ServiceUnavailable", "away")


def test_answers_are_in_the_order_of_the_batches() -> None:
    found = read_each(BATCHES, lambda batch: Result.success(batch.batch_id.upper())).unwrap()

    assert list(found.items()) == [(each.batch_id, each.batch_id.upper()) for each in BATCHES]
    assert read_each([], lambda batch: Result.success(None)).unwrap() == {}


def test_so_many_are_read_at_once_and_no_more() -> None:
    all_there = threading.Barrier(AT_ONCE, timeout=10)
    lock, inside, most = threading.Lock(), 0, 0

    def read(batch: Batch) -> Result[None]:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        all_there.wait()  # broken, and so raises, unless AT_ONCE of them come here together
        with lock:
            inside -= 1
        return Result.success(None)

    assert read_each(BATCHES, read).is_success
    assert most <= AT_ONCE


def test_first_failure_ends_the_reading_after_its_chunk() -> None:
    asked: list[str] = []

    def read(batch: Batch) -> Result[None]:
        asked.append(batch.batch_id)
        return Result.failure(AWAY) if batch.batch_id == BATCHES[CHUNK + 3].batch_id else Result.success(None)

    assert error_of(read_each(BATCHES, read)) == AWAY
    assert sorted(asked) == [each.batch_id for each in BATCHES[: 2 * CHUNK]]
