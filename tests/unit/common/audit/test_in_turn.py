"""Many batches, one read each: bounded, as long as there is time, each in its turn, and not on and on against
a store that is away."""

import threading
from collections import Counter
from dataclasses import replace

import pytest

from common.audit.in_turn import AT_ONCE, CHUNK, UNHURRIED, Turn, in_turn, walk
from common.batches.records import Batch
from common.result import ErrorInfo, Result
from tests.support.batch_documents import batch_of

BATCHES = [replace(batch_of(), batch_id=f"batch{number:03}") for number in range(3 * CHUNK)]
IDS = [batch.batch_id for batch in BATCHES]
AWAY = ErrorInfo.transient("ServiceUnavailable", "away")


class Asked:
    """Answers with the id in capitals, and keeps who was asked for; `away` gives no answer."""

    def __init__(self, *away: str) -> None:
        self._away = away
        self.ids: list[str] = []

    def __call__(self, batch: Batch) -> Result[str]:
        self.ids.append(batch.batch_id)
        is_away = batch.batch_id in self._away
        return Result.failure(AWAY) if is_away else Result.success(batch.batch_id.upper())


def turn_of(chunks: int, after: str | None = None) -> Turn:
    """Time for so many chunks."""
    left = iter([1.0] * chunks)
    return Turn(seconds_left=lambda: next(left, 0.0), after=after)


def test_answers_are_in_the_order_of_the_batches() -> None:
    walked = walk(BATCHES, Asked(), UNHURRIED)

    assert list(walked.found.items()) == [(each, each.upper()) for each in IDS]
    assert walked.left == 0 and not walked.errors
    assert walk([], Asked(), UNHURRIED).found == {}


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

    assert not walk(BATCHES, read, UNHURRIED).errors
    assert most <= AT_ONCE


@pytest.mark.parametrize(
    ("after", "order"),
    [
        pytest.param(None, "abcd", id="from the beginning"),
        pytest.param("b", "cdab", id="on from the last one"),
        pytest.param("bb", "cdab", id="the last one is gone"),
        pytest.param("d", "abcd", id="the last of all was the last"),
        pytest.param("z", "abcd", id="nothing comes after it any more"),
    ],
)
def test_those_that_come_after_the_last_one_are_first(after: str | None, order: str) -> None:
    batches = [replace(batch_of(), batch_id=each) for each in "dbca"]

    assert "".join(batch.batch_id for batch in in_turn(batches, after)) == order


@pytest.mark.parametrize("chunks_per_run", [1, 2], ids=["a third each", "two thirds, and the rest"])
def test_runs_that_are_cut_short_come_to_every_batch_one_after_the_other(chunks_per_run: int) -> None:
    asked, after, left = Asked(), None, -1
    runs = 0
    while left != 0:
        # The last run has time for what is left only, else it would begin again with the others.
        chunks = min(chunks_per_run, 3 - len(asked.ids) // CHUNK)
        walked = walk(BATCHES, asked, turn_of(chunks, after))
        runs, after, left = runs + 1, walked.after, len(IDS) - len(asked.ids)

    assert runs == -(-3 // chunks_per_run)
    assert Counter(asked.ids) == Counter(IDS)


def test_run_without_any_time_keeps_its_place() -> None:
    walked = walk(BATCHES, Asked(), turn_of(0, after=IDS[CHUNK]))

    assert (walked.found, walked.left, walked.after) == ({}, len(IDS), IDS[CHUNK])


def test_batch_that_cannot_be_read_keeps_no_other_from_being_read() -> None:
    asked = Asked(IDS[3])

    walked = walk(BATCHES, asked, UNHURRIED)

    assert sorted(asked.ids) == IDS
    assert walked.errors == {IDS[3]: AWAY} and walked.faults == [AWAY]
    assert IDS[3] not in walked.found and walked.left == 0


def test_store_that_answers_none_of_a_chunk_is_not_asked_for_the_others() -> None:
    asked = Asked(*IDS[CHUNK : 2 * CHUNK])

    walked = walk(BATCHES, asked, UNHURRIED)

    assert sorted(asked.ids) == IDS[: 2 * CHUNK]
    assert (walked.left, walked.after) == (CHUNK, IDS[CHUNK - 1])


def test_document_that_makes_no_sense_is_no_fault_of_the_store() -> None:
    nonsense = ErrorInfo.permanent("ValueError", "no number", nonsense="a/b")

    def read(_: Batch) -> Result[str]:
        return Result.failure(nonsense)

    walked = walk(BATCHES[:3], read, UNHURRIED)

    assert len(walked.errors) == 3 and walked.faults == []


def test_part_of_a_turn_ends_earlier_and_leaves_the_rest() -> None:
    seconds = 10.0
    turn = Turn(seconds_left=lambda: seconds)

    half = turn.part(0.5)
    begun = half.is_over
    seconds = 4.0

    assert not begun and half.is_over and not turn.is_over
