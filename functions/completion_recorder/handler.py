"""A completion arrives: record it; if it completed its batch, trigger the consolidation."""

import asyncio
from typing import Protocol

import structlog

from common.batches.records import Batch
from common.messages import PlayerCompletion
from common.recorder.answers import Recorded
from common.result import Result, returns_result_async

log = structlog.get_logger()


class Recorder(Protocol):
    async def record(self, completion: PlayerCompletion, *, event_id: str) -> Result[Recorded]: ...


class Outbox(Protocol):
    def send(self, batch: Batch) -> Result[str]: ...


class SampledChecks(Protocol):
    async def run(self, batch_id: str) -> None: ...


@returns_result_async
async def handle(
    completion: PlayerCompletion, event_id: str, *, recorder: Recorder, outbox: Outbox, checks: SampledChecks
) -> Recorded:
    """Record one delivery. A trigger that could not be sent fails the event: its redelivery sends it.

    What only watches comes last, and its failure is nobody's.
    """
    recorded = (await recorder.record(completion, event_id=event_id)).unwrap()
    _tell(completion, recorded)
    if recorded.owed_trigger is not None:
        (await asyncio.to_thread(outbox.send, recorded.owed_trigger)).unwrap()
    if recorded.is_sampled:
        await checks.run(completion.batch_id)
    return recorded


def _tell(completion: PlayerCompletion, recorded: Recorded) -> None:
    tell = log.warning if recorded.is_unusual else log.info
    tell(
        f"completion {recorded.outcome.value}: {recorded.ended_count} of {recorded.expected_players} ended",
        action=f"completion_{recorded.outcome.value}",
        batch_id=completion.batch_id,
        player_lookup=completion.player_lookup,
        player_outcome=completion.outcome.value,
        completes_batch=recorded.completes_batch,
    )
