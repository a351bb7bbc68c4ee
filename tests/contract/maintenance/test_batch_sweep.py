"""The sweep of the batches in both stores: what it finds and leaves, and that one document stops nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from common.batches.batches import Batches
from common.batches.records import BatchStatus
from common.batches.trigger_outbox import TriggerOutbox
from common.lock.memory_store import MemoryDocuments as LockDocuments
from common.lock.memory_store import MemoryLocks
from common.lock.rules import CONSOLIDATION, LockKey, LockRecord
from common.maintenance.batch_sweep import BatchSweep
from common.maintenance.swept import Swept
from common.recorder.recorder import Recorder
from common.result import ErrorType
from tests.support.batch_helpers import (
    AFTER_DEADLINE,
    DEADLINE,
    GAME_DATE,
    Published,
    deliver,
    let_the_grace_pass,
    opened,
    put,
)

KEY = LockKey(lock_type=CONSOLIDATION, game_date=GAME_DATE, sport="nba")


@pytest.fixture(params=["in-memory", "emulator"])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def locks() -> MemoryLocks:
    return MemoryLocks(LockDocuments())


@pytest.fixture
def sweep(batches: Batches, outbox: TriggerOutbox, locks: MemoryLocks) -> BatchSweep:
    return BatchSweep(batches, outbox, locks, sport="nba")


def swept(sweep: BatchSweep, now: datetime = AFTER_DEADLINE) -> Swept:
    found = sweep.run(now)
    assert found.data is not None
    return found.data


async def consolidating(batches: Batches, recorder: Recorder, outbox: TriggerOutbox) -> None:
    opened(batches, 1)
    [closed] = await deliver(recorder, "player00000")
    assert closed.owed_trigger is not None
    outbox.send(closed.owed_trigger).unwrap()
    batches.start_consolidation("batch1", 1).unwrap()
    let_the_grace_pass(batches)


def held(locks: MemoryLocks, *, lease: timedelta, operation_id: str = "batch1") -> None:
    over = locks.read(KEY).unwrap()
    record = LockRecord.following(
        over.record,
        key=KEY,
        operation_id=operation_id,
        holder_id="holder",
        now=over.server_now,
        lease=lease,
    )
    locks.write(KEY, record, over=over).unwrap()


async def test_silent_player_does_not_leave_its_batch_open_for_ever(
    batches: Batches, sweep: BatchSweep, published: Published
) -> None:
    opened(batches, 2, min_completion_pct=0)

    early = swept(sweep, DEADLINE - timedelta(seconds=1))
    late = swept(sweep)
    again = swept(sweep)

    assert (early.looked, early.resumed) == (1, ())
    assert [each.closed_as for each in late.resumed] == [BatchStatus.PARTIAL]
    assert again.resumed == ()
    assert published.triggers == [("batch1", 1)]


async def test_batch_that_hangs_in_its_consolidation_is_triggered_again_once(
    batches: Batches, recorder: Recorder, outbox: TriggerOutbox, sweep: BatchSweep, published: Published
) -> None:
    await consolidating(batches, recorder, outbox)

    found = swept(sweep)
    at_once = swept(sweep)
    let_the_grace_pass(batches)
    batches.finish_consolidation("batch1", 1, 7, {}).unwrap()
    finished = swept(sweep)

    assert (found.triggered_again, at_once.triggered_again, finished.triggered_again) == (("batch1",), (), ())
    assert published.triggers == [("batch1", 1)] * 2


@pytest.mark.parametrize(
    ("operation_id", "lease_seconds", "again"),
    [
        pytest.param("batch1", 300, (), id="it is being consolidated"),
        pytest.param("batch1", 0, ("batch1",), id="whoever consolidated it has died"),
        pytest.param("batch2", 300, ("batch1",), id="another batch of the day is being consolidated"),
    ],
)
async def test_a_living_lock_of_the_batch_is_left_alone(
    batches: Batches,
    recorder: Recorder,
    outbox: TriggerOutbox,
    sweep: BatchSweep,
    locks: MemoryLocks,
    operation_id: str,
    lease_seconds: int,
    again: tuple[str, ...],
) -> None:
    await consolidating(batches, recorder, outbox)
    held(locks, lease=timedelta(seconds=lease_seconds), operation_id=operation_id)

    assert swept(sweep).triggered_again == again


@pytest.mark.parametrize(
    "damage",
    [
        {"game_date": datetime(2026, 1, 17, tzinfo=UTC)},
        {"game_date": None},
        {"expected_players": "20"},
        {"completed_players": 5},
        {"deadline": "tomorrow"},
        {"schema_mode": "none", "status": "open"},
        {"array_entries": ["ann"]},
    ],
    ids=lambda damage: next(iter(damage)) + " " + type(next(iter(damage.values()))).__name__,
)
async def test_no_document_stops_the_sweep_over_the_others(
    batches: Batches, sweep: BatchSweep, published: Published, damage: dict[str, Any]
) -> None:
    sound = {"is_complete": False, "game_date": "2026-01-17", "expected_players": 3}
    put(batches, "", {**sound, **damage}, batch_id="a-broken-one")
    opened(batches, 1, min_completion_pct=0)

    found = sweep.run(AFTER_DEADLINE)

    assert published.triggers == [("batch1", 1)]
    assert found.error is not None and found.error.type is ErrorType.PERMANENT
    assert found.data is not None and list(found.data.failed) == ["a-broken-one"]


async def test_batch_of_another_prefix_is_left_to_its_own_deployment(
    batches: Batches, outbox: TriggerOutbox, locks: MemoryLocks, sweep: BatchSweep
) -> None:
    opened(batches, 1, min_completion_pct=0)
    of_tests = BatchSweep(batches, outbox, locks, sport="nba", dataset_prefix="test")

    theirs, ours = swept(of_tests), swept(sweep)

    assert (theirs.resumed, len(ours.resumed)) == ((), 1)


def test_what_its_time_does_not_allow_is_counted_and_left_to_the_next_sweep(
    batches: Batches, outbox: TriggerOutbox, locks: MemoryLocks
) -> None:
    for number in range(4):
        deadline = DEADLINE - timedelta(minutes=number)
        opened(batches, 1, batch_id=f"batch{number}", deadline=deadline, min_completion_pct=0)
    ticks: Iterator[int] = count()
    short = BatchSweep(
        batches, outbox, locks, sport="nba", budget=timedelta(seconds=3), monotonic=lambda: next(ticks)
    )

    first, second = swept(short), swept(short)

    assert [each.batch_id for each in first.resumed] == ["batch3", "batch2"], "the earliest deadlines first"
    assert (first.left, [each.batch_id for each in second.resumed]) == (2, ["batch1", "batch0"])
