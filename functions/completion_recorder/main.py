"""Entry point and wiring. Woken by completions and by the sweep; publishes `prediction-batch-complete`."""

import gc

gc.disable()  # until all is loaded

import os
from typing import TYPE_CHECKING

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from common.batches.batches import Batches
from common.batches.dual_write_check import ConsistencyCheck
from common.batches.trigger_outbox import TriggerOutbox
from common.documents.async_store import AsyncFirestoreDocuments
from common.documents.store import FirestoreDocuments
from common.entrypoint import Delivery, Route, in_thread
from common.messages import PlayerCompletion, Sweep
from common.recorder.answers import Recorded
from common.recorder.recorder import Recorder
from common.recorder.sampled_checks import SampledChecks
from common.result import Result
from common.runtime.gc_tuning import start_collecting
from common.runtime.once import once
from common.runtime.wiring import Wiring
from common.settings import Settings
from common.topics import PHASE_SWEEP, PREDICTION_READY

from .handler import handle, handle_sweep

if TYPE_CHECKING:
    from common.maintenance.swept import Swept

wiring = Wiring(Settings, function="completion_recorder", environment=os.environ)
settings = wiring.settings


@once
def batches() -> Batches:
    return Batches(FirestoreDocuments(wiring.database()), mode=settings.schema_mode)


@once
def recorder() -> Recorder:
    documents = AsyncFirestoreDocuments(wiring.async_database())
    return Recorder(documents, batches())


@once
def checks() -> SampledChecks:
    check = ConsistencyCheck(batches().store, lambda finding: wiring.reporter().report(finding))
    return SampledChecks(check.check)


@once
def outbox() -> TriggerOutbox:
    return TriggerOutbox(batches().store, wiring.publisher)


async def record(completion: PlayerCompletion, delivery: Delivery) -> Result[Recorded]:
    """Wakes for `prediction-ready`. A coroutine: completions that wait for a commit share the next one."""
    return await handle(completion, delivery.event_id, recorder=recorder(), outbox=outbox(), checks=checks())


def sweep(_: Sweep, delivery: Delivery) -> "Result[Swept]":
    # Imported at the first tick: a cold start for a completion does not pay for it.
    from common.maintenance.assembly import sweep_over

    sweeping, ticks = sweep_over(wiring.database(), batches(), outbox(), settings.names)
    return handle_sweep(wiring.now(), function=wiring.function, sweep=sweeping, ticks=ticks)


endpoint = wiring.endpoint(
    {
        PREDICTION_READY: Route(message=PlayerCompletion, handle=record),
        PHASE_SWEEP: Route(message=Sweep, handle=in_thread(sweep)),
    },
    unnamed=PREDICTION_READY,
)


@functions_framework.aio.http
async def completion_recorder(request: Request) -> Response:
    return await endpoint.respond(request)


start_collecting()
