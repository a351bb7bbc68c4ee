"""An old batch that is revived while it is removed loses nothing; one cut short is found again."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from common.audit.retention import Removed, Retention
from common.documents.memory_store import MemoryDocuments
from common.documents.writes import Set, Update, Write
from common.result import Result
from tests.support.stepped import Crash, Stepped, Steps

BATCH = "prediction_batches/old"
BELOW = [f"{BATCH}/completions/{name}" for name in "abcde"]
BEFORE = date(2026, 1, 1)
OF_A_COLLECTION = ["find", "commit", "find"]
STEPS = ["find", "commit", "collections", *OF_A_COLLECTION, *OF_A_COLLECTION, "commit"]
"""Its completions and its timeline, in which it says that it was given up."""


def write(documents: MemoryDocuments, *writes: Write) -> Result[Any]:
    return documents.commit(writes)


@pytest.fixture
def documents() -> MemoryDocuments:
    documents = MemoryDocuments(lambda: datetime.now(UTC))
    old = {"game_date": "2025-10-01", "status": "consolidated"}
    write(documents, Set(path=BATCH, fields=old), *(Set(path=path, fields={"n": 1}) for path in BELOW))
    return documents


def left(documents: MemoryDocuments) -> Mapping[str, Any]:
    return documents.get([BATCH, *BELOW]).unwrap()


def run(documents: MemoryDocuments, before: Callable[[str], None]) -> None:
    Retention(Stepped(documents, before)).remove(BEFORE).unwrap()


def revive(documents: MemoryDocuments) -> None:
    """As a late completion does: the batch is closed anew, unless it was given up."""
    batch = documents.get([BATCH]).unwrap().get(BATCH)
    if batch is not None and batch.data["status"] == "consolidated":
        fields = {"status": "complete", "generation": 2}
        write(documents, Update(path=BATCH, fields=fields, unchanged_since=batch.update_time)).unwrap()


@pytest.mark.parametrize("step", range(1, len(STEPS) + 1))
def test_batch_that_is_revived_before_any_step_loses_nothing_or_is_given_up(
    documents: MemoryDocuments, step: int
) -> None:
    steps, was_revived = Steps(), False

    def before(name: str) -> None:
        nonlocal was_revived
        steps(name)
        if len(steps.names) == step:
            revive(documents)
            found = documents.get([BATCH]).unwrap().get(BATCH)
            was_revived = found is not None and found.data["status"] == "complete"

    run(documents, before)

    assert set(left(documents)) == ({BATCH, *BELOW} if was_revived else set())


def test_each_step_of_a_run_is_one_that_was_tried(documents: MemoryDocuments) -> None:
    steps = Steps()

    run(documents, steps)

    assert steps.names == STEPS


def test_what_comes_below_a_batch_that_is_given_up_is_removed_by_the_next_run(
    documents: MemoryDocuments,
) -> None:
    late, steps = f"{BATCH}/completions/late", Steps()

    def before(name: str) -> None:
        steps(name)
        if len(steps.names) == len(STEPS):
            recorded: Sequence[Write] = (
                Set(path=late, fields={"n": 1}),
                Update(path=BATCH, fields={"completed_count": 6}),
            )
            write(documents, *recorded).unwrap()

    run(documents, before)
    kept = documents.get([BATCH, late]).unwrap()
    again = Retention(documents).remove(BEFORE).unwrap()

    assert set(kept) == {BATCH, late}
    assert again.batches == ("old",) and not documents.get([BATCH, late]).unwrap()


@pytest.mark.parametrize("step", range(1, len(STEPS) + 1))
def test_run_that_dies_before_any_step_leaves_what_the_next_one_removes(
    documents: MemoryDocuments, step: int
) -> None:
    with pytest.raises(Crash):
        run(documents, Steps(dies_before=step))
    there = left(documents)
    again = Retention(documents).remove(BEFORE).unwrap()

    assert BATCH in there and again.batches == ("old",)
    assert not left(documents) and Retention(documents).remove(BEFORE).unwrap() == Removed(
        batches=(), documents=0, is_complete=True
    )
