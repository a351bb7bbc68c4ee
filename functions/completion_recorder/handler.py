"""A completion arrives: record it; if it completed its batch, trigger the consolidation."""

import asyncio
from typing import Protocol

import structlog

from common.batches.records import Batch
from common.messages import PlayerCompletion
from common.recorder.answers import Recorded
from common.result import Result

log = structlog.get_logger()


class Recorder(Protocol):
    async def record(self, completion: PlayerCompletion, *, event_id: str) -> Result[Recorded]: ...


class Outbox(Protocol):
    def send(self, batch: Batch) -> Result[str]: ...


async def handle(
    completion: PlayerCompletion, event_id: str, *, recorder: Recorder, outbox: Outbox
) -> Result[Recorded]:
    """Record one delivery. A trigger that could not be sent fails the event: its redelivery sends it."""
    result = await recorder.record(completion, event_id=event_id)
    if result.is_failure:
        return result
    recorded = result.unwrap()
    _tell(completion, recorded)
    if recorded.owed_trigger is None:
        return result
    sent = await asyncio.to_thread(outbox.send, recorded.owed_trigger)
    return sent.map(lambda _: recorded)


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
