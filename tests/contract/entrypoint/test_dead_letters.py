"""Dead letters on the emulators: stored, published, and never refused for what a sender put into them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud import firestore, pubsub_v1
from google.pubsub_v1.types import ReceivedMessage

from common.entrypoint import dead_letters
from common.entrypoint.dead_letters import COLLECTION, MAX_ATTRIBUTE_BYTES, MAX_ATTRIBUTES, DeadLetters
from common.entrypoint.envelope import Delivery
from common.publisher import Limits, Publisher
from common.result import ErrorInfo, ErrorType
from common.sport import Sport
from common.topics import PREDICTION_READY
from local.stack.ports import free_port
from tests.support.polling import eventually

NOW = datetime(2026, 1, 17, 23, 0, tzinfo=UTC)
PUBLISHED_AT = datetime(2026, 1, 17, 22, 59, tzinfo=UTC)
REFUSED = ErrorInfo.permanent("InvalidMessage", "batch_id: missing", problems=[{"field": "batch_id"}])
DELIVERY = Delivery(
    event_id="m-1", published_at=PUBLISHED_AT, attributes={"sport": "nba"}, data=b'{"player": "x"}'
)

Pulled = list[ReceivedMessage]


class Stack:
    """A store, the dead-letter topic with a subscription, and the dead letters that write to both."""

    def __init__(
        self,
        project: str,
        database: firestore.Client,
        publisher: pubsub_v1.PublisherClient,
        subscriber: pubsub_v1.SubscriberClient,
    ) -> None:
        self.topic = f"projects/{project}/topics/{PREDICTION_READY.dead_letter_name(Sport.NBA)}"
        self.database = database
        self._publisher = publisher
        self._subscriber = subscriber
        self._subscription = f"projects/{project}/subscriptions/dead-letters"
        publisher.create_topic(name=self.topic)
        subscriber.create_subscription(name=self._subscription, topic=self.topic)
        self.dead_letters = DeadLetters(
            database,
            Publisher(publisher, project=project, sport=Sport.NBA, limits=Limits(timeout_seconds=5)),
            topics=[PREDICTION_READY],
            sport=Sport.NBA,
            function="completion_recorder",
        )

    def documents(self) -> dict[str, dict[str, Any]]:
        return {found.id: found.to_dict() or {} for found in self.database.collection(COLLECTION).stream()}

    def lose_the_topic(self) -> None:
        self._publisher.delete_topic(topic=self.topic)

    def pull(self) -> Pulled:
        return eventually(self._pull)

    def _pull(self) -> Pulled:
        answer = self._subscriber.pull(subscription=self._subscription, max_messages=10, timeout=10)
        return list(answer.received_messages)


@pytest.fixture
def stack(
    project_id: str,
    firestore_client: firestore.Client,
    publisher_client: pubsub_v1.PublisherClient,
    subscriber_client: pubsub_v1.SubscriberClient,
) -> Stack:
    return Stack(project_id, firestore_client, publisher_client, subscriber_client)


def test_refused_message_is_a_document_with_body_attributes_and_reason(stack: Stack) -> None:
    written = stack.dead_letters.write(DELIVERY, REFUSED, NOW)

    assert written.unwrap() == "m-1"
    document = stack.documents()["m-1"]
    assert (document["topic"], document["function"]) == ("nba-prediction-ready", "completion_recorder")
    assert (document["data"], document["data_bytes"]) == ('{"player": "x"}', 15)
    assert json.loads(document["attributes"]) == {"sport": "nba"}
    assert document["reason"] == "batch_id: missing"
    assert (document["error_type"], document["error_class"]) == ("permanent", "InvalidMessage")
    assert json.loads(document["error_details"])["problems"] == [{"field": "batch_id"}]
    assert (document["published_at"], document["dead_lettered_at"]) == (PUBLISHED_AT, NOW)


def test_refused_message_is_published_as_it_was_with_the_reason_beside_it(stack: Stack) -> None:
    stack.dead_letters.write(DELIVERY, REFUSED, NOW)

    (pulled,) = stack.pull()
    assert pulled.message.data == b'{"player": "x"}'
    assert dict(pulled.message.attributes) == {
        "sport": "nba",
        "dead_letter_event_id": "m-1",
        "dead_letter_class": "InvalidMessage",
        "dead_letter_reason": "batch_id: missing",
    }


def test_writing_again_leaves_one_document(stack: Stack) -> None:
    stack.dead_letters.write(DELIVERY, REFUSED, NOW)
    stack.dead_letters.write(DELIVERY, REFUSED, NOW)

    assert list(stack.documents()) == ["m-1"]


def test_topic_that_is_missing_is_a_failure_and_the_document_is_there_already(stack: Stack) -> None:
    stack.lose_the_topic()

    written = stack.dead_letters.write(DELIVERY, REFUSED, NOW)

    assert written.error is not None and written.error.exception_class == "NotFound"
    assert list(stack.documents()) == ["m-1"]


def test_store_out_of_reach_is_a_transient_failure_and_nothing_is_published(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{free_port()}")
    monkeypatch.setattr(dead_letters, "RETRY", dead_letters.RETRY.with_timeout(1))
    unreachable = DeadLetters(
        firestore.Client(project="nowhere"),
        _refuse_to_publish(),
        topics=[PREDICTION_READY],
        sport=Sport.NBA,
        function="completion_recorder",
    )

    written = unreachable.write(DELIVERY, REFUSED, NOW)

    assert written.error is not None and written.error.type is ErrorType.TRANSIENT


HOSTILE: dict[str, Delivery] = {
    "an id that is no document id": Delivery(event_id="a/b/c", data=b"x"),
    "an id that is reserved": Delivery(event_id="__a__", data=b"x"),
    "a very long id": Delivery(event_id="x" * 5_000, data=b"x"),
    "no data": Delivery(event_id="m", attributes={"a": "b"}),
    "neither data nor attributes": Delivery(event_id="m"),
    "data that is no text": Delivery(event_id="m", data=bytes(range(256))),
    "data larger than a document": Delivery(event_id="m", data="ü".encode() * 2_000_000),
    "attributes with reserved and empty names": Delivery(
        event_id="m", attributes={"__a__": "b", "": "c"}, data=b"x"
    ),
    "as many and as long attributes as there can be": Delivery(
        event_id="m", attributes={f"{'n' * 250}{n}": "ü" * 512 for n in range(MAX_ATTRIBUTES)}, data=b"x"
    ),
}


@pytest.mark.parametrize("delivery", HOSTILE.values(), ids=HOSTILE.keys())
def test_nothing_in_a_message_keeps_it_from_becoming_a_dead_letter(stack: Stack, delivery: Delivery) -> None:
    written = stack.dead_letters.write(delivery, REFUSED, NOW)

    assert list(stack.documents()) == [written.unwrap()]
    (pulled,) = stack.pull()
    assert pulled.message.data == delivery.data
    _assert_within_the_limits_of_pubsub(pulled)


@pytest.mark.parametrize(
    "details",
    [
        pytest.param({"rows": [[1, 2], [3]]}, id="arrays in arrays"),
        pytest.param({"__reserved__": 1, "": 2}, id="reserved and empty names"),
        pytest.param({"text": "ü" * 2_000_000}, id="larger than a document"),
    ],
)
def test_nothing_in_an_error_keeps_a_message_from_becoming_a_dead_letter(
    stack: Stack, details: dict[str, Any]
) -> None:
    error = ErrorInfo(ErrorType.PERMANENT, "Strange", "ü" * 2_000_000, details)

    stack.dead_letters.write(DELIVERY, error, NOW).unwrap()

    (pulled,) = stack.pull()
    _assert_within_the_limits_of_pubsub(pulled)
    assert pulled.message.attributes["dead_letter_reason"] == "ü" * (MAX_ATTRIBUTE_BYTES // 2)


def _assert_within_the_limits_of_pubsub(pulled: ReceivedMessage) -> None:
    """The emulator enforces none of them."""
    attributes = pulled.message.attributes
    assert len(attributes) <= MAX_ATTRIBUTES
    assert all(len(value.encode()) <= MAX_ATTRIBUTE_BYTES for value in attributes.values())


def _refuse_to_publish() -> Any:
    class Refusing:
        publish_raw: Callable[..., Any] = staticmethod(
            lambda *_: pytest.fail("published before it was stored")
        )

    return Refusing()
