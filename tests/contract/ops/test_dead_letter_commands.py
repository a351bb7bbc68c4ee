"""Dead letters as a person handles them: listed, published again as the events that they were, discarded."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud import firestore, pubsub_v1

from common.entrypoint.dead_letters import DeadLetters
from common.entrypoint.envelope import REPLAYED_EVENT, Delivery, read
from common.publisher import Publisher
from common.result import ErrorInfo
from common.sport import Sport
from common.topics import PREDICTION_BATCH_COMPLETE
from tests.support.ops_cli import ops

NOW = datetime(2026, 1, 18, 6, 0, tzinfo=UTC)
TOPIC = PREDICTION_BATCH_COMPLETE.name(Sport.NBA)
GOOD = b'{"batch_id": "b1", "game_date": "2026-01-17", "generation": 1}'


def waiting(project_id: str) -> str:
    """The subscription in which the messages of dead letters wait."""
    return f"projects/{project_id}/subscriptions/{TOPIC}-dlq-sub"


@pytest.fixture
def letters(
    environment: Mapping[str, str],
    firestore_client: firestore.Client,
    publisher_client: pubsub_v1.PublisherClient,
    subscriber_client: pubsub_v1.SubscriberClient,
    project_id: str,
) -> None:
    """One that may be published again, and one that would fail again."""
    dead_letters = f"projects/{project_id}/topics/{TOPIC}-dlq"
    subscriber_client.create_subscription(name=waiting(project_id), topic=dead_letters)
    dead = DeadLetters(
        firestore_client,
        Publisher(publisher_client, project=project_id, sport=Sport.NBA),
        topics=[PREDICTION_BATCH_COMPLETE],
        sport=Sport.NBA,
        function="consolidation_trigger",
    )
    error = ErrorInfo.permanent("SchemaDiffers", "_staging_b1_w1: confidence is STRING")
    for event_id, data in (("e1", GOOD), ("e2", b"{}")):
        delivery = Delivery(event_id=event_id, topic=TOPIC, data=data, attributes={"correlation_id": "c"})
        dead.write(delivery, error, NOW).unwrap()


@pytest.mark.usefixtures("letters")
def test_letters_are_listed_and_chosen_by_what_they_say(environment: Mapping[str, str]) -> None:
    every = ops(environment, "dead-letters", "-o", "json")
    none = ops(environment, "dead-letters", "--where", "error_class=Wrong*", "-o", "json")
    misspelt = ops(environment, "dead-letters", "--where", "eror=x")

    assert (every.status, none.status, misspelt.status) == (1, 0, 2)
    assert {each["event_id"] for each in every.data["letters"]} == {"e1", "e2"}
    assert none.data["letters"] == []


@pytest.mark.usefixtures("letters")
def test_letter_is_published_again_as_the_event_that_it_was(
    environment: Mapping[str, str],
    publisher_client: pubsub_v1.PublisherClient,
    subscriber_client: pubsub_v1.SubscriberClient,
    project_id: str,
) -> None:
    subscription = f"projects/{project_id}/subscriptions/heard"
    subscriber_client.create_subscription(name=subscription, topic=f"projects/{project_id}/topics/{TOPIC}")

    said = ops(environment, "dead-letters", "replay", "--where", "function=*", "--why", "mended", "--yes")
    heard = subscriber_client.pull(subscription=subscription, max_messages=10, timeout=20).received_messages
    left = ops(environment, "dead-letters", "-o", "json").data["letters"]

    assert said.status == 1 and "left out: e2: batch_id" in said.output
    (message,) = (each.message for each in heard)
    assert dict(message.attributes) == {"correlation_id": "c", REPLAYED_EVENT: "e1"}
    assert _delivered(message).event_id == "e1"
    assert [each["event_id"] for each in left] == ["e2"]


@pytest.mark.usefixtures("letters")
def test_discarded_letter_waits_no_more_and_its_document_stays(
    environment: Mapping[str, str],
    firestore_client: firestore.Client,
    subscriber_client: pubsub_v1.SubscriberClient,
    project_id: str,
) -> None:
    said = ops(environment, "dead-letters", "discard", "e2", "--why", "obsolete", "--yes")
    unknown = ops(environment, "dead-letters", "discard", "e9", "--why", "obsolete", "--yes")
    left = subscriber_client.pull(subscription=waiting(project_id), max_messages=10, timeout=20)

    assert (said.status, unknown.status) == (0, 2)
    assert [each.message.attributes["dead_letter_event_id"] for each in left.received_messages] == ["e1"]
    document = firestore_client.collection("dead_letters").document("e2").get().to_dict() or {}
    assert (document["discarded_by"], document["discarded_why"]) == ("ann", "obsolete")


def _delivered(message: Any) -> Delivery:
    """As a push subscription hands it to a function."""
    pushed = {
        "data": base64.b64encode(message.data).decode(),
        "attributes": dict(message.attributes),
        "messageId": message.message_id,
    }
    body = json.dumps({"message": pushed, "subscription": "s"}).encode()
    return read({"content-type": "application/json"}, f"/projects/p/topics/{TOPIC}", body)
