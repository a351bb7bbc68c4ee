"""The recorder without its store: reads the same event, writes the same log line, and nothing else.

Made of the recorder's own endpoint and handler, so that what is between the two is the recording alone.
"""

import os

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from common.batches.records import Batch, Counts
from common.entrypoint.endpoint import Route
from common.entrypoint.envelope import Delivery
from common.messages import PlayerCompletion
from common.recorder.answers import Recorded, RecordOutcome
from common.result import ErrorInfo, Result
from common.runtime.gc_tuning import start_collecting
from common.runtime.wiring import Wiring
from common.settings import Settings
from common.topics import PREDICTION_READY
from functions.completion_recorder.handler import handle

wiring = Wiring(Settings, function="reads_and_logs", environment=os.environ)
RECORDED = Recorded(
    outcome=RecordOutcome.RECORDED,
    counts=Counts(completed=1),
    expected_players=450,
)


class Nowhere:
    """A recorder that records nothing; the others are never asked."""

    async def record(self, completion: PlayerCompletion, *, event_id: str) -> Result[Recorded]:
        return Result.success(RECORDED)

    def trigger_sent(self, batch: Batch) -> None:
        raise AssertionError(f"no trigger of {batch.batch_id} is owed")

    async def run(self, batch_id: str) -> None:
        raise AssertionError(f"{batch_id} is sampled")

    def send(self, batch: Batch) -> Result[str]:
        return Result.failure(ErrorInfo.permanent("NotHere", "nothing is recorded, so nothing completes"))


NOWHERE = Nowhere()


async def read_and_log(completion: PlayerCompletion, delivery: Delivery) -> Result[Recorded]:
    return await handle(completion, delivery.event_id, recorder=NOWHERE, outbox=NOWHERE, checks=NOWHERE)


endpoint = wiring.endpoint(
    {PREDICTION_READY: Route(message=PlayerCompletion, handle=read_and_log)}, unnamed=PREDICTION_READY
)


@functions_framework.aio.http
async def reads_and_logs(request: Request) -> Response:
    return await endpoint.respond(request)


start_collecting()
