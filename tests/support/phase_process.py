"""A process of its own that is told of processors: an instance with its own memory and clients.

    python -m tests.support.phase_process PROJECT THREADS

Reads JSON lines `{"phase": …, "processor": …, "status": …}`, the last of them empty; handles them with
THREADS threads, each again and again until it is acknowledged, and says how often that was.
"""

import json
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from google.cloud import firestore, pubsub_v1

from common.documents.store import FirestoreDocuments
from common.messages import MessageStatus
from common.publisher import Publisher
from common.sport import Sport
from tests.support.phase_world import PhaseWorld, predictions_complete

GIVEN_AGAIN_AFTER_SECONDS = 0.02
MAX_DELIVERIES = 200


def world_of(project: str) -> PhaseWorld:
    world = PhaseWorld(documents=FirestoreDocuments(firestore.Client(project=project)))
    world.publisher = Publisher(pubsub_v1.PublisherClient(), project=project, sport=Sport.NBA)
    return world


def deliver(world: PhaseWorld, event: Mapping[str, Any]) -> int:
    """How often it was delivered until it was acknowledged; what is refused for good is raised."""
    phase, status = event["phase"], MessageStatus(event["status"])
    more = predictions_complete() if phase == 5 else {"phase": phase}
    run = f"run-{event['processor']}-{status.value}"
    for number in range(1, MAX_DELIVERIES):
        result = world.report(event["processor"], status=status, execution_id=run, **more)
        if not result.is_retryable or result.is_partial:
            result.unwrap()
            return number
        time.sleep(GIVEN_AGAIN_AFTER_SECONDS)  # as Pub/Sub waits before it delivers again
    raise AssertionError(f"never acknowledged: {event}: {result.error}")


def main(project: str, threads: int) -> None:
    world = world_of(project)
    print(json.dumps({"is_ready": True}), flush=True)
    events = [json.loads(line) for line in iter(sys.stdin.readline, "\n")]
    with ThreadPoolExecutor(threads) as pool:
        deliveries = list(pool.map(lambda event: deliver(world, event), events))
    print(json.dumps({"events": len(events), "deliveries": sum(deliveries)}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
