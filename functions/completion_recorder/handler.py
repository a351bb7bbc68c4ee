"""A completion arrives: record it; if it completed its batch, trigger the consolidation.

Or time passed: do what is due by the clock.

    record ── commit ── trigger ── 200
                     ╰─ crash here: redelivered as a duplicate, which finds the trigger owed and sends it
"""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import structlog

from common.batches.records import Batch
from common.messages import PlayerCompletion
from common.recorder.answers import Recorded
from common.result import Result, returns_result_async
from common.texts import counted

if TYPE_CHECKING:
    from common.maintenance.swept import Swept

log = structlog.get_logger()


class Recorder(Protocol):
    """Counts completions; `common/recorder` in production."""

    async def record(self, completion: PlayerCompletion, *, event_id: str) -> Result[Recorded]:
        """Count one completion once; what became of it, and the trigger that is owed."""

    def trigger_sent(self, batch: Batch) -> None:
        """Lets the cache forget that the batch owes its trigger."""


class Outbox(Protocol):
    """Publishes what a closed batch owes; sending again is safe."""

    def send(self, batch: Batch) -> Result[str]:
        """The message id, once the trigger is out and noted."""


class Sweep(Protocol):
    """Does what is due by the clock."""

    def run(self, now: datetime) -> "Result[Swept]":
        """What it did; a partial where something could not be looked at."""


class Ticks(Protocol):
    """Notes that a sweep has run, and how many did not come."""

    def note(self, function: str, now: datetime) -> Result[int]:
        """Ticks that were missed before this one. Safe to repeat."""


class SampledChecks(Protocol):
    """Compares array and subcollection of a batch that writes both, now and then."""

    async def run(self, batch_id: str) -> None:
        """Never fails."""


@returns_result_async
async def handle(
    completion: PlayerCompletion, event_id: str, *, recorder: Recorder, outbox: Outbox, checks: SampledChecks
) -> Recorded:
    """Record one delivery; returns what became of it.

    Failures are those of the recorder (not yet for a batch that is being opened, a fault of the store, …) and
    of the outbox: a trigger that could not be sent fails the event, and its redelivery sends it. What only
    watches comes last, and its failure is nobody's.
    """
    recorded = (await recorder.record(completion, event_id=event_id)).unwrap()
    # Logged before the trigger: it is counted, whatever becomes of the rest.
    _tell(completion, recorded)
    if recorded.owed_trigger is not None:
        # In a thread: the publisher blocks, and the event loop serves up to 80 events at a time.
        (await asyncio.to_thread(outbox.send, recorded.owed_trigger)).unwrap()
        recorder.trigger_sent(recorded.owed_trigger)
    if recorded.is_sampled:
        await checks.run(completion.batch_id)
    return recorded


def handle_sweep(now: datetime, *, function: str, sweep: Sweep, ticks: Ticks) -> "Result[Swept]":
    """Handle one tick: what falls due by the clock.

    What could not be helped is in the answer, and left to the next tick; the tick is delivered again only if
    it could not be noted, or if the batches could not even be listed.
    """
    # Before the work: a sweep that takes all its time, or dies, has come all the same.
    noted = ticks.note(function, now)
    swept = sweep.run(now)
    if swept.data is not None:
        _tell_of_sweep(swept.data)
    # Noted or not, the sweep has run: a tick that could not be noted is repeated, and sweeping again is safe.
    return Result.failure(noted.error) if noted.error is not None else swept


def _tell_of_sweep(swept: "Swept") -> None:
    """One line for each sweep; a warning where something was left, or had to be triggered again."""
    is_unusual = bool(swept.failed or swept.left or swept.triggered_again)
    tell = log.warning if is_unusual else log.info
    tell(
        f"{len(swept.resumed)} of {counted(swept.looked, 'batch')} resumed, {swept.left} left",
        action="batches_swept",
        resumed=[each.batch_id for each in swept.resumed],
        triggered_again=list(swept.triggered_again),
        failed=dict(swept.failed),
        left=swept.left,
    )


def _tell(completion: PlayerCompletion, recorded: Recorded) -> None:
    """One line per completion; a warning for what should not happen often (late, unexpected,
    contradicting).
    """
    tell = log.warning if recorded.is_unusual else log.info
    tell(
        f"completion {recorded.outcome.value}: {recorded.ended_count} of {recorded.expected_players} ended",
        action=f"completion_{recorded.outcome.value}",
        batch_id=completion.batch_id,
        player_lookup=completion.player_lookup,
        player_outcome=completion.outcome.value,
        completes_batch=recorded.completes_batch,
    )
