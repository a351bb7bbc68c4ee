from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from common.batches.records import Batch
from common.consolidation.receipt import Receipt
from common.messages import BatchComplete, Message, PhaseCompletion
from common.result import ErrorInfo, Result
from functions.consolidation_trigger.handler import handle
from tests.support.batch_helpers import GAME_DATE, Published
from tests.support.receipts import receipt


class Batches:
    """One batch, of which only the phase message is kept."""

    def __init__(self) -> None:
        self.phase_generation = 0
        self.noted: list[tuple[int, str]] = []

    def get(self, batch_id: str) -> Result[Batch]:
        batch: Any = SimpleNamespace(
            batch_id=batch_id,
            game_date=GAME_DATE,
            correlation_id="run-1",
            phase_generation=self.phase_generation,
        )
        return Result.success(batch)

    def note_phase_message(
        self, batch_id: str, generation: int, message_id: str, *, seen: Batch
    ) -> Result[None]:
        self.phase_generation = generation
        self.noted.append((generation, message_id))
        return Result.success(None)


class Consolidator:
    """Consolidates, drops and logs as it is told to."""

    def __init__(self) -> None:
        self.consolidated: Result[Receipt] = Result.success(receipt())
        self.dropped: Result[list[str]] = Result.success([])
        self.calls: list[str] = []

    def consolidate(self, batch_id: str, generation: int, *, seen: Batch) -> Result[Receipt]:
        return self.consolidated

    def drop_staging_tables(self, receipt: Receipt) -> Result[list[str]]:
        self.calls.append("drop")
        return self.dropped

    def log_run(self, receipt: Receipt) -> Result[bool]:
        self.calls.append("log")
        return Result.success(True)


class World:
    def __init__(self) -> None:
        self.batches = Batches()
        self.consolidator = Consolidator()
        self.publisher = Published()

    def deliver(self, game_date: date = GAME_DATE) -> Result[Receipt]:
        return handle(
            BatchComplete(batch_id="batch1", game_date=game_date, generation=1),
            "event-1",
            consolidator=self.consolidator,
            batches=self.batches,
            publisher=self.publisher,
            dataset="nba_predictions",
        )

    @property
    def published(self) -> list[Message]:
        return self.publisher.messages


@pytest.fixture
def world() -> World:
    return World()


def test_a_complete_batch_is_consolidated_announced_noted_and_cleaned_up(world: World) -> None:
    result = world.deliver()

    assert result.unwrap() == receipt()
    [message] = world.published
    assert isinstance(message, PhaseCompletion) and message.correlation_id == "run-1"
    assert world.batches.noted == [(1, "message-1")]
    assert world.consolidator.calls == ["drop", "log"]


def test_a_redelivery_after_the_end_announces_nothing_again(world: World) -> None:
    world.deliver().unwrap()

    world.deliver().unwrap()

    assert len(world.published) == 1


def test_a_consolidation_that_fails_is_not_announced(world: World) -> None:
    world.consolidator.consolidated = Result.failure(ErrorInfo.transient("LockHeld", "held"))

    result = world.deliver()

    assert result.error is not None and result.error.exception_class == "LockHeld"
    assert (world.published, world.consolidator.calls) == ([], [])


def test_a_clean_up_that_fails_holds_up_no_announcement_but_fails_the_event(world: World) -> None:
    world.consolidator.dropped = Result.failure(ErrorInfo.transient("ServiceUnavailable", "later"))

    result = world.deliver()

    assert result.error is not None and result.error.exception_class == "ServiceUnavailable"
    assert len(world.published) == 1
    assert world.batches.noted == [(1, "message-1")]
    assert "log" in world.consolidator.calls


def test_an_announcement_that_fails_is_made_by_the_redelivery(world: World) -> None:
    world.publisher.is_down = True
    failed = world.deliver()
    world.publisher.is_down = False

    world.deliver().unwrap()

    assert failed.is_retryable
    assert len(world.published) == 1
    assert world.batches.noted == [(1, "message-1")]


def test_a_message_of_another_day_than_its_batch_is_refused(world: World) -> None:
    result = world.deliver(game_date=date(2026, 1, 18))

    assert result.error is not None
    assert not result.is_retryable
    assert "game_date: 2026-01-18" in result.error.message
    assert world.published == []
