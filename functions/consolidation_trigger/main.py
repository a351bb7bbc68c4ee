"""Entry point and wiring. Woken by `prediction-batch-complete`; publishes `phase5-predictions-complete`."""

import gc

gc.disable()  # until all is loaded

import os
from datetime import timedelta
from typing import Annotated

import functions_framework.aio
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from common import logs
from common.batches.batches import Batches
from common.consolidation import Consolidator, Receipt
from common.documents.store import FirestoreDocuments
from common.entrypoint import Delivery, Route, in_thread
from common.lock import Lock
from common.messages import BatchComplete
from common.result import Result
from common.runtime.gc_tuning import start_collecting
from common.runtime.once import once
from common.runtime.wiring import WarehouseWiring
from common.settings import WarehouseSettings
from common.sport import DatasetRole
from common.topics import PREDICTION_BATCH_COMPLETE

from .handler import handle


class TriggerSettings(WarehouseSettings):
    """What this function needs to know beside the rest."""

    lock_lease_seconds: Annotated[int, Field(alias="LOCK_LEASE_SECONDS", ge=15)] = 300
    """How long the day waits for a holder that died; one that lives renews it three times as often."""

    @property
    def lock_lease(self) -> timedelta:
        return timedelta(seconds=self.lock_lease_seconds)


wiring = WarehouseWiring(TriggerSettings, function="consolidation_trigger", environment=os.environ)
settings = wiring.settings


@once
def batches() -> Batches:
    return Batches(FirestoreDocuments(wiring.database()), mode=settings.schema_mode)


@once
def consolidator() -> Consolidator:
    return Consolidator(
        warehouse=wiring.warehouse(),
        batches=batches(),
        lock=Lock(wiring.database(), lease=settings.lock_lease, renew_every=settings.lock_lease / 3),
        names=settings.names,
        now=wiring.now,
    )


def consolidate(message: BatchComplete, delivery: Delivery) -> Result[Receipt]:
    """Wakes for `prediction-batch-complete`, one batch a call; batches of one day wait for each other by
    redelivery.
    """
    logs.bind(batch_id=message.batch_id, generation=message.generation)
    return handle(
        message,
        delivery.event_id,
        consolidator=consolidator(),
        batches=batches(),
        publisher=wiring.publisher(),
        dataset=settings.names.dataset(DatasetRole.PREDICTIONS),
    )


endpoint = wiring.endpoint(
    {PREDICTION_BATCH_COMPLETE: Route(message=BatchComplete, handle=in_thread(consolidate))}
)


@functions_framework.aio.http
async def consolidation_trigger(request: Request) -> Response:
    return await endpoint.respond(request)


start_collecting()
