import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.entrypoint.envelope import Delivery, read
from common.result import ErrorType
from tests.support.deliveries import Headers, binary, pubsub_message, push, structured

PUBLISHED_AT = datetime(2026, 1, 17, 22, 59, 1, 123000, tzinfo=UTC)
PUSH_PATH = "/projects/p/topics/nba-prediction-ready"

Envelope = Callable[[object], tuple[Headers, bytes]]
ENVELOPES = [
    pytest.param(binary, id="binary CloudEvent"),
    pytest.param(structured, id="structured CloudEvent"),
    pytest.param(push, id="raw push"),
]


def delivery_of(headers: Headers, body: bytes, path: str = PUSH_PATH) -> Delivery:
    return read(headers, path, body)


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_every_envelope_yields_the_same_delivery(envelope: Envelope) -> None:
    message = pubsub_message(b'{"a": 1}', attributes={"sport": "nba"}, published_at=PUBLISHED_AT)

    assert delivery_of(*envelope(message)) == Delivery(
        event_id="m-1",
        published_at=PUBLISHED_AT,
        topic="nba-prediction-ready",
        attributes={"sport": "nba"},
        data=b'{"a": 1}',
    )


@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize("data", [{}, {"data": ""}, {"data": None}], ids=["absent", "empty", "null"])
def test_message_with_attributes_only_has_no_data_and_no_error(
    envelope: Envelope, data: dict[str, object]
) -> None:
    delivery = delivery_of(*envelope(pubsub_message(attributes={"a": "b"}) | data))

    assert (delivery.data, delivery.error, delivery.attributes) == (b"", None, {"a": "b"})


def test_topic_is_unknown_where_the_path_does_not_hold_it() -> None:
    for path in ("/", "/topics/t", "/projects/p/subscriptions/s"):
        assert delivery_of(*push(pubsub_message(b"x")), path=path).topic is None


def test_older_spelling_of_a_push_body_is_read() -> None:
    body = {"message": {"message_id": "m-2", "publish_time": "2026-01-17T22:59:01.123Z", "data": "eA=="}}

    delivery = delivery_of({"content-type": "application/json"}, json.dumps(body).encode())

    assert (delivery.event_id, delivery.published_at, delivery.data) == ("m-2", PUBLISHED_AT, b"x")


def test_publish_time_without_a_zone_is_utc_and_nanoseconds_are_cut() -> None:
    for text in ("2026-01-17T22:59:01.123", "2026-01-17T22:59:01.123000789Z"):
        delivery = delivery_of(*push(pubsub_message(b"x") | {"publishTime": text}))
        assert delivery.published_at == PUBLISHED_AT


def test_parameters_of_the_content_type_do_not_matter() -> None:
    headers, body = structured(pubsub_message(b"x"))
    headers["content-type"] += "; charset=UTF-8"

    assert delivery_of(headers, body).data == b"x"


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_half_a_surrogate_pair_which_no_store_takes_becomes_an_escape(envelope: Envelope) -> None:
    message = pubsub_message(b"x", attributes={"a\ud800": "b\udfff"})

    delivery = delivery_of(*envelope(message))

    assert delivery.attributes == {"a\\ud800": "b\\udfff"}


MALFORMED_MESSAGES: list[tuple[str, Any, str]] = [
    ("absent", None, "message"),
    ("a text", "hello", "message"),
    ("a list", [], "message"),
    ("data is no base64", pubsub_message() | {"data": "%%%"}, "message.data"),
    ("data is cut off", pubsub_message() | {"data": "abc"}, "message.data"),
    ("data is a number", pubsub_message() | {"data": 5}, "message.data"),
    ("data is no ASCII", pubsub_message() | {"data": "ä"}, "message.data"),
    ("attributes are a list", pubsub_message(b"x") | {"attributes": []}, "message.attributes"),
    ("publish time is no time", pubsub_message(b"x") | {"publishTime": "noon"}, "message.publishTime"),
    ("publish time is an object", pubsub_message(b"x") | {"publishTime": {"s": 1}}, "message.publishTime"),
]


@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize(
    ("message", "named"),
    [pytest.param(message, named, id=name) for name, message, named in MALFORMED_MESSAGES],
)
def test_malformed_message_is_a_delivery_with_an_error_that_names_the_field(
    envelope: Envelope, message: object, named: str
) -> None:
    headers, body = envelope(message)

    delivery = delivery_of(headers, body)

    assert delivery.error is not None and delivery.error.type is ErrorType.PERMANENT
    assert delivery.error.message.startswith(f"{named}: ")
    assert delivery.data == body, "the raw body is kept, to be looked at"


BROKEN_BODIES = [
    pytest.param(b"", id="empty"),
    pytest.param(b"hello", id="no JSON"),
    pytest.param(b"\xff\xfe", id="no UTF-8"),
    pytest.param(b"[]", id="a list"),
    pytest.param(b"null", id="null"),
    pytest.param(b'{"message"', id="cut off"),
    pytest.param(b"[" * 100_000, id="nested beyond reason"),
]
BINARY_HEADERS, _ = binary(pubsub_message())
STRUCTURED_HEADERS, _ = structured(pubsub_message())


@pytest.mark.parametrize("body", BROKEN_BODIES)
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="raw push"),
        pytest.param(BINARY_HEADERS, id="binary"),
        pytest.param(STRUCTURED_HEADERS, id="structured"),
    ],
)
def test_broken_body_is_a_delivery_with_an_error(headers: Headers, body: bytes) -> None:
    delivery = delivery_of(headers, body)

    assert delivery.error is not None and delivery.error.type is ErrorType.PERMANENT
    assert delivery.data == body


@pytest.mark.parametrize("left_out", ["ce-id", "ce-source", "ce-type", "ce-specversion"])
def test_cloud_event_is_read_even_without_some_of_its_attributes(left_out: str) -> None:
    headers, body = binary(pubsub_message(b"x"))
    del headers[left_out]

    delivery = delivery_of(headers, body)

    assert (delivery.event_id, delivery.data, delivery.error) == ("m-1", b"x", None)


def test_message_without_an_id_is_unreadable() -> None:
    message = pubsub_message(b"x")
    del message["messageId"], message["message_id"]

    delivery = delivery_of(*push(message))

    assert delivery.error is not None
    assert delivery.error.message == "message.messageId: a text was expected, got nothing"


def test_unreadable_body_has_the_same_id_at_every_redelivery_and_another_body_another_one() -> None:
    first, again, other = (delivery_of({}, body) for body in (b"x", b"x", b"y"))

    assert first.event_id == again.event_id != other.event_id


@given(
    body=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=10),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["message", "data", "attributes", "messageId", "id", "source", "type", "specversion"]
                ),
                inner,
                max_size=5,
            )
        ),
    ).map(lambda value: json.dumps(value).encode()),
    headers=st.sampled_from([{}, BINARY_HEADERS, STRUCTURED_HEADERS]),
)
@settings(max_examples=200, deadline=None)
def test_nothing_that_a_sender_may_send_raises(body: bytes, headers: Headers) -> None:
    delivery = delivery_of(headers, body)

    assert delivery.event_id
    assert isinstance(delivery.data, bytes)
