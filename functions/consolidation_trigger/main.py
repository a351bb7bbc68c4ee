"""Entry point and wiring. Woken by `prediction-batch-complete`; publishes `phase5-predictions-complete`."""

import gc

gc.disable()  # until all is loaded

import asyncio
import os
from datetime import UTC, datetime, timedelta
from typing import Annotated

import functions_framework.aio
from google.cloud import firestore, pubsub_v1
from pydantic import Field, PositiveInt
from starlette.requests import Request
from starlette.responses import Response

from common import logs
from common.batches.batches import Batches
from common.consolidation.consolidator import Consolidator
from common.consolidation.receipt import Receipt
from common.entrypoint.dead_letters import DeadLetters
from common.entrypoint.endpoint import Endpoint
from common.entrypoint.envelope import Delivery
from common.lock.lock import Lock
from common.messages import BatchComplete
from common.publisher import Publisher
from common.result import Result
from common.runtime.gc_tuning import start_collecting
from common.runtime.once import once
from common.settings import Settings
from common.sport import DatasetRole
from common.topics import PREDICTION_BATCH_COMPLETE
from common.warehouse.warehouse import MAXIMUM_BYTES_BILLED, Limits, Warehouse, connect

from .handler import handle

FUNCTION = "consolidation_trigger"


class TriggerSettings(Settings):
    """What this function needs to know beside the rest."""

    bigquery_location: Annotated[str | None, Field(alias="BIGQUERY_LOCATION", min_length=1)] = None
    """That of the datasets; needed where they are not in US or EU, for a job to be found by its id."""
    maximum_bytes_billed: Annotated[PositiveInt, Field(alias="MAXIMUM_BYTES_BILLED")] = MAXIMUM_BYTES_BILLED
    lock_lease_seconds: Annotated[int, Field(alias="LOCK_LEASE_SECONDS", ge=15)] = 300
    """How long the day waits for a holder that died; one that lives renews it three times as often."""

    @property
    def lock_lease(self) -> timedelta:
        return timedelta(seconds=self.lock_lease_seconds)


settings = TriggerSettings.from_environment(os.environ)
logs.configure(settings.gcp_project, function=FUNCTION)


@once
def database() -> firestore.Client:
    return firestore.Client(project=settings.gcp_project)


@once
def publisher() -> Publisher:
    return Publisher(pubsub_v1.PublisherClient(), project=settings.gcp_project, sport=settings.sport)


@once
def batches() -> Batches:
    return Batches(database(), mode=settings.schema_mode)


@once
def consolidator() -> Consolidator:
    client = connect(settings.gcp_project, os.environ, location=settings.bigquery_location)
    limits = Limits(maximum_bytes_billed=settings.maximum_bytes_billed)
    return Consolidator(
        warehouse=Warehouse(client, limits),
        batches=batches(),
        lock=Lock(database(), lease=settings.lock_lease, renew_every=settings.lock_lease / 3),
        names=settings.names,
        now=lambda: datetime.now(UTC),
    )


@once
def dead_letters() -> DeadLetters:
    return DeadLetters(
        database(), publisher(), topic=PREDICTION_BATCH_COMPLETE, sport=settings.sport, function=FUNCTION
    )


def _handle_in_thread(message: BatchComplete, event_id: str) -> Result[Receipt]:
    return handle(
        message,
        event_id,
        consolidator=consolidator(),
        batches=batches(),
        publisher=publisher(),
        dataset=settings.names.dataset(DatasetRole.PREDICTIONS),
    )


async def _handle(message: BatchComplete, delivery: Delivery) -> Result[Receipt]:
    logs.bind(batch_id=message.batch_id, generation=message.generation)
    return await asyncio.to_thread(_handle_in_thread, message, delivery.event_id)


endpoint = Endpoint(
    message=BatchComplete,
    handle=_handle,
    dead_letters=dead_letters,
    sport=settings.sport,
    max_age=settings.max_event_age,
    now=lambda: datetime.now(UTC),
)


@functions_framework.aio.http
async def consolidation_trigger(request: Request) -> Response:
    return await endpoint.respond(request)


start_collecting()
