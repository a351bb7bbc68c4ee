import base64
import codecs
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.entrypoint.envelope import REPLAYED_EVENT, Delivery, read
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


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_dead_letter_that_is_published_again_is_the_event_that_it_was(envelope: Envelope) -> None:
    again = pubsub_message(b"x", attributes={REPLAYED_EVENT: "m-0"})

    assert delivery_of(*envelope(again)).event_id == "m-0"


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


def test_two_unreadable_deliveries_are_two_though_their_bodies_are_equal() -> None:
    first, second = (delivery_of({}, b"x") for _ in range(2))

    assert first.event_id != second.event_id


SINCE = "2026-01-17T22:59:01.123Z"


@pytest.mark.parametrize("body", BROKEN_BODIES)
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(BINARY_HEADERS | {"ce-time": SINCE}, id="CloudEvent"),
        pytest.param({"x-goog-pubsub-message-id": "m-1", "x-goog-pubsub-publish-time": SINCE}, id="raw push"),
    ],
)
def test_unreadable_body_keeps_what_headers_and_path_tell(headers: Headers, body: bytes) -> None:
    first, again = (delivery_of(headers, body) for _ in range(2))

    assert (first.event_id, first.published_at, first.topic) == ("m-1", PUBLISHED_AT, "nba-prediction-ready")
    assert first == again


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_malformed_part_of_a_message_leaves_the_other_parts(envelope: Envelope) -> None:
    message = pubsub_message(attributes={"a": "b"}, published_at=PUBLISHED_AT) | {"data": "%%%"}

    delivery = delivery_of(*envelope(message))

    assert (delivery.event_id, delivery.published_at, delivery.attributes) == (
        "m-1",
        PUBLISHED_AT,
        {"a": "b"},
    )


@pytest.mark.parametrize("media_type", ["Application/CloudEvents+JSON", "application/cloudevents+json;x=y"])
def test_media_type_has_no_letter_case(media_type: str) -> None:
    _, body = structured(pubsub_message(b"x"))

    assert delivery_of({"content-type": media_type}, body).data == b"x"


def test_structured_event_is_read_whatever_headers_stand_beside_it() -> None:
    headers, body = structured(pubsub_message(b"x"))

    delivery = delivery_of(headers | BINARY_HEADERS | {"content-type": headers["content-type"]}, body)

    assert (delivery.error, delivery.data, delivery.topic) == (None, b"x", "nba-prediction-ready")


def test_data_of_a_structured_event_may_be_base64() -> None:
    headers, body = structured(pubsub_message(b"x"))
    event = json.loads(body)
    event["data_base64"] = base64.b64encode(json.dumps(event.pop("data")).encode()).decode()

    delivery = delivery_of(headers, json.dumps(event).encode())

    assert (delivery.error, delivery.data) == (None, b"x")


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_byte_order_mark_before_the_envelope_does_not_matter(envelope: Envelope) -> None:
    headers, body = envelope(pubsub_message(b"x"))

    assert delivery_of(headers, codecs.BOM_UTF8 + body).data == b"x"


@pytest.mark.parametrize("envelope", [binary, structured], ids=["binary", "structured"])
def test_time_of_the_event_counts_where_the_message_tells_none(
    envelope: Callable[..., tuple[Headers, bytes]],
) -> None:
    later = "2026-01-17T23:00:00Z"
    untold, told = pubsub_message(b"x"), pubsub_message(b"x", published_at=PUBLISHED_AT)

    assert delivery_of(*envelope(untold, time=later)).published_at == datetime(2026, 1, 17, 23, tzinfo=UTC)
    assert delivery_of(*envelope(told, time=later)).published_at == PUBLISHED_AT


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_time_that_nobody_tells_is_not_made_up(envelope: Envelope) -> None:
    delivery = delivery_of(*envelope(pubsub_message(b"x")))

    assert (delivery.error, delivery.published_at) == (None, None)


@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_publish_time_beyond_all_years_is_no_time(envelope: Envelope, moment: str) -> None:
    delivery = delivery_of(*envelope(pubsub_message(b"x") | {"publishTime": moment}))

    assert delivery.error is not None and delivery.error.message.startswith("message.publishTime: ")
    assert delivery.published_at is None


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
        max_leaves=15,
    ).map(lambda value: json.dumps(value).encode()),
    headers=st.sampled_from([{}, BINARY_HEADERS, STRUCTURED_HEADERS]),
)
@settings(max_examples=2 * settings().max_examples)
def test_nothing_that_a_sender_may_send_raises(body: bytes, headers: Headers) -> None:
    delivery = delivery_of(headers, body)

    assert delivery.event_id
    assert isinstance(delivery.data, bytes)
