"""Entry point and wiring. Woken by `prediction-ready`; publishes `prediction-batch-complete`."""

import gc

gc.disable()  # until all is loaded

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import functions_framework.aio
from google.cloud import firestore
from starlette.requests import Request
from starlette.responses import Response

from common import logs
from common.batches.batches import Batches
from common.batches.closing import TriggerOutbox
from common.batches.dual_write_check import ConsistencyCheck, slack
from common.entrypoint.dead_letters import DeadLetters
from common.entrypoint.endpoint import Endpoint
from common.entrypoint.envelope import Delivery
from common.messages import PlayerCompletion
from common.recorder.answers import Recorded
from common.recorder.recorder import Recorder
from common.result import Result
from common.runtime.gc_tuning import start_collecting
from common.runtime.once import once
from common.settings import Settings
from common.topics import PREDICTION_READY

from .handler import handle

if TYPE_CHECKING:
    from common.publisher import Publisher

FUNCTION = "completion_recorder"

settings = Settings.from_environment(os.environ)
logs.configure(settings.gcp_project, function=FUNCTION)


@once
def publisher() -> "Publisher":
    """Built when the first batch completes: most instances never publish."""
    from google.cloud import pubsub_v1

    from common.publisher import Publisher

    return Publisher(pubsub_v1.PublisherClient(), project=settings.gcp_project, sport=settings.sport)


@once
def database() -> firestore.Client:
    return firestore.Client(project=settings.gcp_project)


@once
def batches() -> Batches:
    return Batches(database(), mode=settings.schema_mode)


@once
def recorder() -> Recorder:
    notify = slack(settings.slack_webhook_url_consistency or settings.slack_webhook_url)
    return Recorder(
        firestore.AsyncClient(project=settings.gcp_project),
        batches(),
        consistency=ConsistencyCheck(batches().store, notify),
    )


@once
def outbox() -> TriggerOutbox:
    return TriggerOutbox(batches().store, publisher)


@once
def dead_letters() -> DeadLetters:
    return DeadLetters(
        database(), publisher(), topic=PREDICTION_READY, sport=settings.sport, function=FUNCTION
    )


async def _handle(completion: PlayerCompletion, delivery: Delivery) -> Result[Recorded]:
    return await handle(completion, delivery.event_id, recorder=recorder(), outbox=outbox())


endpoint = Endpoint(
    message=PlayerCompletion,
    handle=_handle,
    dead_letters=dead_letters,
    sport=settings.sport,
    max_age=settings.max_event_age,
    now=lambda: datetime.now(UTC),
)


@functions_framework.aio.http
async def completion_recorder(request: Request) -> Response:
    return await endpoint.respond(request)


start_collecting()
