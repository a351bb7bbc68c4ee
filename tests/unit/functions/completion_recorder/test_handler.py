from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

from common.batches.records import Batch, Counts
from common.maintenance.swept import Swept
from common.messages import PlayerCompletion
from common.recorder.answers import Recorded, RecordOutcome
from common.result import ErrorInfo, Result
from functions.completion_recorder.handler import handle, handle_sweep

COMPLETION = PlayerCompletion(
    batch_id="b1", player_lookup="lukadoncic", game_date=date(2026, 1, 17), predictions_generated=5
)
BUSY = ErrorInfo.transient("Busy", "try again")
CLOSED: Any = SimpleNamespace(batch_id="b1", generation=1)


class Recorder:
    """Answers as it is told to, and keeps what it was given."""

    def __init__(self, answer: Result[Recorded]) -> None:
        self._answer = answer
        self.given: list[tuple[PlayerCompletion, str]] = []
        self.told_of: list[Batch] = []
        """The batches whose triggers are out."""

    async def record(self, completion: PlayerCompletion, *, event_id: str) -> Result[Recorded]:
        self.given.append((completion, event_id))
        return self._answer

    def trigger_sent(self, batch: Batch) -> None:
        self.told_of.append(batch)


class Outbox:
    """Keeps the batches whose triggers it sent."""

    def __init__(self, failure: ErrorInfo | None = None) -> None:
        self._failure = failure
        self.sent: list[Batch] = []

    def send(self, batch: Batch) -> Result[str]:
        if self._failure is not None:
            return Result.failure(self._failure)
        self.sent.append(batch)
        return Result.success("message-1")


class Checks:
    """Keeps which batches were compared, and how many triggers had been sent before."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self.run_after: list[tuple[str, int]] = []

    async def run(self, batch_id: str) -> None:
        self.run_after.append((batch_id, len(self._outbox.sent)))


def recorded(
    outcome: RecordOutcome = RecordOutcome.RECORDED, *, owed: Any = None, is_sampled: bool = False
) -> Recorded:
    return Recorded(
        outcome=outcome,
        counts=Counts(completed=3),
        expected_players=3,
        completes_batch=owed is not None and outcome is RecordOutcome.RECORDED,
        owed_trigger=owed,
        is_sampled=is_sampled,
    )


async def deliver(
    answer: Result[Recorded], outbox: Outbox, checks: Checks | None = None
) -> tuple[Result[Recorded], Recorder]:
    recorder, checks = Recorder(answer), checks or Checks(outbox)
    handled = await handle(COMPLETION, "event-1", recorder=recorder, outbox=outbox, checks=checks)
    return handled, recorder


async def test_completion_is_recorded_under_its_events_id() -> None:
    result, recorder = await deliver(Result.success(recorded()), Outbox())

    assert result == Result.success(recorded())
    assert recorder.given == [(COMPLETION, "event-1")]


async def test_completion_that_closes_no_batch_triggers_nothing() -> None:
    outbox = Outbox()

    for outcome in RecordOutcome:
        await deliver(Result.success(recorded(outcome)), outbox)

    assert outbox.sent == []


async def test_who_closes_the_batch_sends_its_trigger() -> None:
    outbox = Outbox()

    result, recorder = await deliver(Result.success(recorded(owed=CLOSED)), outbox)

    assert result.is_success
    assert outbox.sent == recorder.told_of == [CLOSED]


async def test_duplicate_that_finds_a_trigger_owed_sends_it_too() -> None:
    outbox = Outbox()

    await deliver(Result.success(recorded(RecordOutcome.DUPLICATE, owed=CLOSED)), outbox)

    assert outbox.sent == [CLOSED]


async def test_trigger_that_could_not_be_sent_fails_the_event_to_be_delivered_again() -> None:
    result, recorder = await deliver(Result.success(recorded(owed=CLOSED)), Outbox(failure=BUSY))

    assert result == Result.failure(BUSY)
    assert result.is_retryable
    assert recorder.told_of == []


async def test_completion_that_could_not_be_recorded_fails_the_event_and_triggers_nothing() -> None:
    outbox = Outbox()

    result, _ = await deliver(Result.failure(BUSY), outbox)

    assert result == Result.failure(BUSY)
    assert outbox.sent == []


async def test_sampled_event_compares_the_schemas_of_its_batch_after_the_trigger_was_sent() -> None:
    outbox = Outbox()
    checks = Checks(outbox)

    await deliver(Result.success(recorded()), outbox, checks)
    await deliver(Result.success(recorded(owed=CLOSED, is_sampled=True)), outbox, checks)

    assert checks.run_after == [("b1", 1)]


async def test_nothing_is_compared_while_the_trigger_is_owed() -> None:
    outbox = Outbox(failure=BUSY)
    checks = Checks(outbox)

    await deliver(Result.success(recorded(owed=CLOSED, is_sampled=True)), outbox, checks)

    assert checks.run_after == []


NOON = datetime(2026, 1, 17, 12, tzinfo=UTC)
NOTHING = Swept(looked=2, resumed=(), triggered_again=(), failed={}, left=0)
BROKEN = Swept(looked=2, resumed=(), triggered_again=(), failed={"b1": "no date"}, left=0)


class Sweeping:
    """A sweep and its ticks, which answer as they are told to."""

    def __init__(self, swept: Result[Swept], noted: Result[int] | None = None) -> None:
        self._swept = swept
        self._noted = noted or Result.success(0)
        self.given: list[tuple[str, datetime]] = []

    def run(self, now: datetime) -> Result[Swept]:
        self.given.append(("sweep", now))
        return self._swept

    def note(self, function: str, now: datetime) -> Result[int]:
        self.given.append((function, now))
        return self._noted


def tick(sweeping: Sweeping) -> Result[Swept]:
    return handle_sweep(NOON, function="completion_recorder", sweep=sweeping, ticks=sweeping)


def test_tick_is_noted_and_the_batches_are_swept_at_its_time() -> None:
    sweeping = Sweeping(Result.success(NOTHING))

    assert tick(sweeping) == Result.success(NOTHING)
    assert sweeping.given == [("completion_recorder", NOON), ("sweep", NOON)]


def test_batch_that_could_not_be_helped_is_left_to_the_next_tick() -> None:
    assert not tick(Sweeping(Result.partial(BROKEN, BUSY))).is_failure


def test_tick_that_was_not_noted_sweeps_all_the_same_and_comes_again() -> None:
    sweeping = Sweeping(Result.success(NOTHING), Result.failure(BUSY))

    assert tick(sweeping) == Result.failure(BUSY)
    assert ("sweep", NOON) in sweeping.given
