"""What one instance knows of a batch, with commits that end when the test says so."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from common.batches.completion import Completion
from common.batches.records import Counts, Roster
from common.recorder.answers import CommitAnswer, Recorded, RecordOutcome
from common.recorder.batch_cache import CachedBatch
from common.result import ErrorInfo, Result
from tests.support.batch_documents import batch_of, ended
from tests.support.monotonic_clock import MonotonicClock

ANN = ended("ann")
DOWN = ErrorInfo.transient("ServiceUnavailable", "down")


class Store:
    """Keeps every group that it is given until it is let go."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self._ends: list[asyncio.Future[Result[CommitAnswer]]] = []
        self.looks: list[str] = []
        """The players whom it was asked for, without anything to write."""
        self.standing: Result[CommitAnswer] | None = None
        """What it answers then; None where nobody may ask."""

    async def record(self, completions: Sequence[Completion]) -> list[Result[CommitAnswer]]:
        self.groups.append([one.player_lookup for one in completions])
        end: asyncio.Future[Result[CommitAnswer]] = asyncio.get_running_loop().create_future()
        self._ends.append(end)
        answer = await end
        return [answer for _ in completions]

    async def look(self, completion: Completion) -> Result[CommitAnswer]:
        assert self.standing is not None, f"{completion} is known"
        self.looks.append(completion.player_lookup)
        return self.standing

    async def end(self, answer: Result[CommitAnswer] | Exception, *, number: int = 0) -> None:
        """The oldest commit that is under way, or that of this number among them."""
        if isinstance(answer, Exception):
            self._ends.pop(number).set_exception(answer)
        else:
            self._ends.pop(number).set_result(answer)
        await turns()


async def turns() -> None:
    """Let everything happen that can."""
    for _ in range(10):
        await asyncio.sleep(0)


def recorded(ended_count: int = 1) -> Result[CommitAnswer]:
    counts = Counts(completed=ended_count)
    return Result.success(Recorded(outcome=RecordOutcome.RECORDED, counts=counts, expected_players=20))


def outcome_of(answer: Result[CommitAnswer]) -> RecordOutcome:
    recorded = answer.unwrap()
    assert isinstance(recorded, Recorded)
    return recorded.outcome


def completed_of(answer: Result[CommitAnswer]) -> int:
    recorded = answer.unwrap()
    assert isinstance(recorded, Recorded)
    return recorded.completed_count


def redelivered(one: Completion, event_id: str = "another") -> Completion:
    return replace(one, event_id=event_id)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def monotonic() -> MonotonicClock:
    return MonotonicClock()


@pytest.fixture
def batch(store: Store, monotonic: MonotonicClock) -> CachedBatch:
    return CachedBatch(Roster(batch=batch_of(), players=None), store, monotonic=monotonic)


async def test_repeat_of_what_is_on_its_way_waits_for_it_and_enters_no_commit(
    store: Store, batch: CachedBatch
) -> None:
    first = asyncio.create_task(batch.record(ANN))
    await turns()
    same, other = (asyncio.create_task(batch.record(each)) for each in (ANN, redelivered(ANN)))
    await turns()
    assert not same.done() and not other.done()

    await store.end(recorded())

    outcomes = [outcome_of(each.result()) for each in (first, same, other)]
    assert outcomes == [RecordOutcome.RECORDED, RecordOutcome.RECORDED, RecordOutcome.DUPLICATE]
    assert store.groups == [["ann"]]


async def test_repeat_fails_with_what_it_waits_for_and_the_next_one_tries_again(
    store: Store, batch: CachedBatch
) -> None:
    waiting = [asyncio.create_task(batch.record(ANN)) for _ in range(2)]
    await turns()
    await store.end(Result.failure(DOWN))
    again = asyncio.create_task(batch.record(ANN))
    await turns()
    await store.end(recorded())

    assert [each.result().error for each in waiting] == [DOWN, DOWN]
    assert again.result().unwrap() == recorded().unwrap()
    assert store.groups == [["ann"], ["ann"]]


async def test_counts_never_go_down_when_one_answer_overtakes_another(
    store: Store, batch: CachedBatch
) -> None:
    first = asyncio.create_task(batch.record(ANN))
    await turns()
    second = asyncio.create_task(batch.record(ended("ben")))
    await turns()

    await store.end(recorded(2), number=1)
    await store.end(recorded(1))
    again = await batch.record(ANN)

    assert store.groups == [["ann"], ["ben"]]
    assert [completed_of(each.result()) for each in (first, second)] == [1, 2]
    assert (completed_of(again), batch.counts.completed) == (2, 2)


async def test_what_a_commit_raises_is_the_failure_of_everybody_who_waits_for_it(
    store: Store, batch: CachedBatch
) -> None:
    waiting = [asyncio.create_task(batch.record(ANN)) for _ in range(2)]
    await turns()

    await store.end(RuntimeError("a bug"))

    errors = [each.result().error for each in waiting]
    assert [error.message for error in errors if error is not None] == ["a bug", "a bug"]


async def test_caller_that_goes_away_takes_neither_its_completion_nor_a_repeat_along(
    store: Store, batch: CachedBatch
) -> None:
    leaving, staying = (asyncio.create_task(batch.record(each)) for each in (ANN, redelivered(ANN)))
    await turns()
    leaving.cancel()
    await turns()
    await store.end(recorded())

    assert leaving.cancelled()
    assert outcome_of(staying.result()) is RecordOutcome.DUPLICATE
    assert outcome_of(await batch.record(ANN)) is RecordOutcome.RECORDED
    assert store.groups == [["ann"]]


async def test_repeat_that_goes_away_disturbs_nobody(store: Store, batch: CachedBatch) -> None:
    staying, leaving = (asyncio.create_task(batch.record(each)) for each in (ANN, redelivered(ANN)))
    await turns()
    leaving.cancel()
    await turns()
    await store.end(recorded())

    assert staying.result().unwrap() == recorded().unwrap()


@pytest.fixture
async def known(store: Store, batch: CachedBatch, monotonic: MonotonicClock) -> CachedBatch:
    """A batch with one player recorded, an hour after the instance was started."""
    monotonic.now = 3_600.0
    first = asyncio.create_task(batch.record(ANN))
    await turns()
    await store.end(recorded(1))
    assert first.done()
    store.standing = recorded(7)
    return batch


async def test_repeat_on_an_open_batch_asks_the_store_when_its_last_look_is_over_five_seconds_old(
    store: Store, known: CachedBatch, monotonic: MonotonicClock
) -> None:
    counts = []
    for seconds in (4.9, 0.2, 4.9, 0.2):
        monotonic.now += seconds
        counts.append(completed_of(await known.record(ANN)))

    # Asked at 5.1 s and at 10.2 s; between them it trusts what it was told then.
    assert store.looks == ["ann", "ann"]
    assert counts == [1, 7, 7, 7]


async def test_another_event_for_a_player_of_a_settled_batch_asks_the_store_though_others_were_just_seen(
    store: Store, known: CachedBatch, monotonic: MonotonicClock
) -> None:
    known.settle(batch_of(), is_settled=True)
    monotonic.now += 5.1
    bob = asyncio.create_task(known.record(ended("bob")))
    await turns()
    await store.end(recorded(2))
    await bob

    await known.record(redelivered(ANN))

    assert store.looks == ["ann"]


@pytest.mark.parametrize("is_settled", [True, False])
async def test_another_event_asks_the_store_at_once_when_all_have_ended_for_its_player_may_be_asked_for_again(
    store: Store, known: CachedBatch, is_settled: bool
) -> None:
    bob = asyncio.create_task(known.record(ended("bob")))
    await turns()
    await store.end(recorded(known.batch.expected_players))
    await bob
    known.settle(batch_of(), is_settled=is_settled)

    await known.record(redelivered(ANN))

    assert store.looks == ["ann"]


async def test_another_event_on_an_open_batch_is_a_repeat_of_what_was_just_seen(
    store: Store, known: CachedBatch
) -> None:
    again = await known.record(redelivered(ANN))

    assert (store.looks, outcome_of(again)) == ([], RecordOutcome.DUPLICATE)


async def test_repeat_on_a_settled_batch_asks_nobody_however_late_it_comes(
    store: Store, known: CachedBatch, monotonic: MonotonicClock
) -> None:
    known.settle(batch_of(), is_settled=True)
    monotonic.now += 3_600.0

    again = await known.record(ANN)

    assert (store.looks, completed_of(again)) == ([], 1)


def test_trigger_of_an_earlier_generation_does_not_settle_the_batch(batch: CachedBatch) -> None:
    first, second = batch_of(generation=1), batch_of(generation=2)
    told = []
    for news, is_settled in ((first, False), (first, True), (second, False), (first, True), (second, True)):
        batch.settle(news, is_settled=is_settled)
        told.append(batch.is_settled)

    assert told == [False, True, False, False, True]
