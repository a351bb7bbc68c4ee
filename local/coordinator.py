"""The sample coordinator: opens the batch with its players, then asks for each of them.

In that order: a completion must find its batch. Called again with the same slate it opens nothing anew, and
asks again for everybody, which the workers and the recorder endure.
"""

import random
from datetime import datetime, timedelta

from common.batch_records import Batch
from common.batches import Batches
from common.publisher import Publisher
from common.result import Result
from common.topics import PREDICTION_REQUEST

from .slate import Slate

BATCH_DEADLINE = timedelta(hours=1)


def batch_id_of(slate: Slate, asked_at: datetime) -> str:
    return f"batch_{slate.game_date.isoformat()}_{int(asked_at.timestamp())}"


def ask(
    slate: Slate, *, asked_at: datetime, batches: Batches, publisher: Publisher, shuffle_seed: int | None
) -> Result[Batch]:
    """Open the batch and publish one request per player, out of order if there is a seed."""
    batch_id = batch_id_of(slate, asked_at)
    requests = slate.requests(batch_id, asked_at)
    if shuffle_seed is not None:
        random.Random(shuffle_seed).shuffle(requests)
    opened = batches.open(
        batch_id,
        slate.game_date,
        slate.players,
        deadline=asked_at + BATCH_DEADLINE,
        correlation_id=batch_id,
    )
    return opened.and_then(
        lambda batch: publisher.publish_all(PREDICTION_REQUEST, requests).map(lambda _: batch)
    )
