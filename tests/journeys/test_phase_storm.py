"""All four boundaries of one date at once, from several processes: each phase is started once."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from google.cloud import firestore, pubsub_v1

from common.documents.store import FirestoreDocuments
from common.phases.decision import PhaseState
from common.phases.graph import GRAPHS
from common.phases.mode import Mode
from common.sport import Sport
from common.topics import topic
from tests.support.phase_world import PhaseWorld
from tests.support.spoken_process import SpokenProcess

PROCESSES, THREADS, SEED = 4, 8, 7
NBA = GRAPHS["nba"]


def storm() -> list[dict[str, Any]]:
    """Every processor, and a stranger, fails, reports a part, succeeds: each of these up to three times."""
    events = [
        {"phase": boundary.phase, "processor": name, "status": status}
        for boundary in NBA.boundaries
        for name in (*boundary.modes[Mode.OVERNIGHT].expected, "stranger")
        for status in ("failed", "partial", "success")
    ]
    chance = random.Random(SEED)
    delivered = [event for event in events for _ in range(chance.randint(1, 3))]
    chance.shuffle(delivered)
    return delivered


@contextmanager
def processes(project: str) -> Iterator[list[SpokenProcess]]:
    """All ready to be told."""
    started = [SpokenProcess("tests.support.phase_process", project, str(THREADS)) for _ in range(PROCESSES)]
    try:
        for process in started:
            assert process.hear() == {"is_ready": True}
        yield started
    finally:
        for process in started:
            process.end()


@pytest.fixture
def listeners(
    project_id: str,
    publisher_client: pubsub_v1.PublisherClient,
    subscriber_client: pubsub_v1.SubscriberClient,
) -> dict[str, str]:
    """A subscription to each topic on which a phase is started."""
    made = {}
    for boundary in NBA.boundaries:
        name = topic(boundary.dispatches_to).name(Sport.NBA)
        path = f"projects/{project_id}/topics/{name}"
        made[boundary.name] = f"projects/{project_id}/subscriptions/{name}"
        publisher_client.create_topic(name=path)
        subscriber_client.create_subscription(name=made[boundary.name], topic=path)
    return made


def test_storm_on_four_boundaries_starts_each_phase_once(
    project_id: str,
    firestore_client: firestore.Client,
    subscriber_client: pubsub_v1.SubscriberClient,
    listeners: dict[str, str],
) -> None:
    events = storm()

    with processes(project_id) as started:
        for index, event in enumerate(events):
            started[index % PROCESSES].say(json.dumps(event))
        for process in started:
            process.say("")
        answers = [process.hear() for process in started]

    world = PhaseWorld(documents=FirestoreDocuments(firestore_client))
    assert sum(answer["events"] for answer in answers) == len(events)
    for boundary in NBA.boundaries:
        day = world.day(boundary.phase)
        pulled = subscriber_client.pull(subscription=listeners[boundary.name], max_messages=10, timeout=10)
        [message] = pulled.received_messages
        body = json.loads(message.message.data)
        assert day.state is PhaseState.DISPATCHED
        assert (body["dispatch_id"], message.message.message_id) == (day.dispatch.dispatch_id, day.message_id)  # type: ignore[union-attr]
        assert body["trigger_reason"] in ("all_complete", "critical_plus_majority")
        assert {each.status.value for each in day.reports.values()} == {"success"}
        assert len(world.below("unknown_processors", boundary.phase)) == 1
