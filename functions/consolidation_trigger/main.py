"""Entry point and wiring. Woken by `prediction-batch-complete`; publishes `phase5-predictions-complete`."""

import gc

gc.disable()  # until all is loaded

import os
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from common import logs
from common.consolidation.consolidator import Consolidator
from common.consolidation.receipt import Receipt
from common.entrypoint.endpoint import Route, in_thread
from common.entrypoint.envelope import Delivery
from common.lock.lock import Lock
from common.messages import BatchComplete
from common.result import Result
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


wiring = WarehouseWiring(TriggerSettings, function="consolidation_trigger", environment=os.environ)


@once
def consolidator() -> Consolidator:
    """One for all deliveries to this instance."""
    lease = timedelta(seconds=wiring.settings.lock_lease_seconds)
    return Consolidator(
        warehouse=wiring.warehouse(),
        batches=wiring.batches(),
        lock=Lock(wiring.database(), lease=lease, renew_every=lease / 3),
        names=wiring.settings.names,
        now=wiring.now,
    )


def consolidate(message: BatchComplete, delivery: Delivery) -> Result[Receipt]:
    """Wakes for `prediction-batch-complete`; batches of one day wait for each other by redelivery."""
    logs.bind(batch_id=message.batch_id, generation=message.generation)
    return handle(
        message,
        delivery.event_id,
        consolidator=consolidator(),
        batches=wiring.batches(),
        publisher=wiring.publisher(),
        dataset=wiring.settings.names.dataset(DatasetRole.PREDICTIONS),
    )


consolidation_trigger = wiring.serve(
    {PREDICTION_BATCH_COMPLETE: Route(message=BatchComplete, handle=in_thread(consolidate))}
)
