"""The sample coordinator: opens the batch with its players, then asks for each of them.

In that order: a completion must find its batch. Called again with the same slate it opens nothing anew, and
asks again for everybody, which the workers and the recorder endure.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from common.batches.batches import Batches
from common.batches.records import Batch
from common.chunks import chunks
from common.messages import PredictionRequest
from common.publisher import Publisher
from common.result import Result
from common.topics import PREDICTION_REQUEST

from .slate import Slate

REQUESTS_AT_ONCE = 5
"""The emulator gives all messages of one publish request to the same worker (measured)."""
BATCH_DEADLINE = timedelta(hours=1)
"""Longer than any run: nobody is timed out who is only slow."""


def batch_id_of(slate: Slate, asked_at: datetime) -> str:
    """As the legacy coordinator names them: `batch_{date}_{seconds}`."""
    return f"batch_{slate.game_date.isoformat()}_{int(asked_at.timestamp())}"


def ask(
    slate: Slate,
    *,
    asked_at: datetime,
    batches: Batches,
    publisher: Publisher,
    dataset_prefix: str,
    shuffle_seed: int | None,
) -> Result[Batch]:
    """Open the batch and publish one request per player, out of order if there is a seed; the batch as it was
    opened.

    Failures are those of opening and of publishing; asking again is safe.
    """
    batch_id = batch_id_of(slate, asked_at)
    requests = slate.requests(batch_id, asked_at)
    if shuffle_seed is not None:
        random.Random(shuffle_seed).shuffle(requests)
    # Before any request is out: a completion must find its batch.
    opened = batches.open(
        batch_id,
        slate.game_date,
        slate.players,
        deadline=asked_at + BATCH_DEADLINE,
        correlation_id=batch_id,
        dataset_prefix=dataset_prefix,
    )
    return opened.and_then(lambda batch: _publish(requests, publisher).map(lambda _: batch))


def _publish(requests: Sequence[PredictionRequest], publisher: Publisher) -> Result[list[str]]:
    """Publish in small groups, in order; the first failure ends it, and asking again is safe."""
    ids: list[str] = []
    for group in chunks(requests, REQUESTS_AT_ONCE):
        published = publisher.publish_all(PREDICTION_REQUEST, group)
        if published.is_failure:
            return published
        ids += published.unwrap()
    return Result.success(ids)
