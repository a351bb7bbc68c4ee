"""HTTP request → `Delivery`: the envelopes in which Pub/Sub reaches a function.

A push subscription posts the bare Pub/Sub body; Eventarc posts a CloudEvent, binary or structured, which is
read in `cloud_event.py`. The framework's asynchronous server knows only the second, and answers a broken body
with 400 before our code runs, which Pub/Sub would repeat for a day. So both are read here, and a body that
cannot be read is still a delivery: with an error, to be dead-lettered, and with whatever else of it is known.
"""

import base64
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from ..result import ErrorInfo
from .json_body import Unreadable, is_structured, json_object, kind_of

T = TypeVar("T")

MESSAGE_ID_HEADERS: Final = ("ce-id", "x-goog-pubsub-message-id")
TIME_HEADERS: Final = ("ce-time", "x-goog-pubsub-publish-time")
"""What tells who it is of a body that cannot be read. A push subscription writes the second of each if it is
asked to."""
REPLAYED_EVENT: Final = "replayed_event_id"
"""Attribute of a dead letter that a person published again: the event that it was at first, so that a repeat
of what was recorded then is still a repeat."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One delivery of one Pub/Sub message."""

    event_id: str
    """The Pub/Sub message id: the same at every redelivery, new when a publisher publishes again. That of the
    first delivery where a person replays a dead letter. Where no part of a broken request tells it, one that
    is new for every delivery."""
    published_at: datetime | None = None
    """In UTC."""
    topic: str | None = None
    """The topic's name, where the envelope tells it, with the sport in front or not."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Texts that Firestore and Pub/Sub take; empty where there are none."""
    data: bytes = b""
    """The message's body; the raw HTTP body where `error` is set."""
    error: ErrorInfo | None = None
    """Why the envelope could not be read; `data` then holds the raw body."""


def read(headers: Mapping[str, str], path: str, body: bytes) -> Delivery:
    """Read any envelope; never raises for what a sender may have sent. Header names are lower case.

    A body that cannot be read becomes a Delivery with its `error` (UnreadableEnvelope, PERMANENT), whatever
    else of it is known, and the raw body as its data.
    """
    told_id, told_time = _told(*map(headers.get, MESSAGE_ID_HEADERS)), _told(*map(headers.get, TIME_HEADERS))
    # The raw push body has no topic in it: the subscription's URL ends with `/projects/P/topics/T` for this.
    source = headers.get("ce-source") or path
    try:
        if is_cloud_event(headers):
            # Loaded with the framework anyway, but used by none of our own subscriptions.
            from .cloud_event import read_cloud_event

            event = read_cloud_event(headers, body)
            told_id, told_time = event.event_id or told_id, event.time or told_time
            source = event.source or path
            payload = event.data
        else:
            payload = json_object(body)
        message = payload.get("message")
        if not isinstance(message, dict):
            raise Unreadable(f"message: a JSON object was expected, got {kind_of(message)}")
    except Unreadable as exc:
        message, problems = {}, [str(exc)]
    else:
        problems = []
    # The event's own source first: a push path is what somebody has configured.
    topic = _topic(source) or _topic(path)
    return _delivery(message, problems, body=body, topic=topic, told=(told_id, told_time))


def is_cloud_event(headers: Mapping[str, str]) -> bool:
    """Whether the media type or any header says so."""
    return is_structured(headers) or any(name.startswith("ce-") for name in headers)


def _delivery(
    message: Mapping[str, Any],
    problems: list[str],
    *,
    body: bytes,
    topic: str | None,
    told: tuple[str | None, str | None],
) -> Delivery:
    """What a message says, and the envelope where it says nothing; each part that can be read is kept."""
    told_id, told_time = told

    # The types are texts, else they were built for each event.
    def part(read_part: "Callable[[Any], T]", value: Any, otherwise: T) -> T:
        try:
            return read_part(value)
        except Unreadable as exc:
            problems.append(str(exc))
            return otherwise

    nothing: dict[str, str] = {}
    attributes = part(_attributes, message.get("attributes"), nothing)
    data = part(_decode, message.get("data"), b"")
    # Both spellings come: the API's and the one that Pub/Sub adds for older clients. So with the ids.
    time = _told(message.get("publishTime"), message.get("publish_time"), told_time)
    published_at = part(_time, time, None)
    event_id = part(_id, _told(told_id, message.get("messageId"), message.get("message_id")), "")
    return Delivery(
        # New for every delivery as the last resort: no two broken requests must share a dead letter.
        event_id=attributes.get(REPLAYED_EVENT) or event_id or f"unreadable-{uuid.uuid4().hex}",
        published_at=published_at,
        topic=topic,
        attributes=attributes,
        data=body if problems else data,
        error=ErrorInfo.permanent("UnreadableEnvelope", problems[0]) if problems else None,
    )


def _told(*values: Any) -> Any:
    """The first that says something."""
    for value in values:
        if value is not None and value != "":
            return value
    return None


def _id(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise Unreadable(f"message.messageId: a text was expected, got {kind_of(value)}")
    return _text(value)


def _decode(data: Any) -> bytes:
    """The bytes of the message. Strict: what is no base64 would be decoded to something else."""
    # Absent or empty for a message that has attributes only.
    if data is None or data == "":
        return b""
    try:
        return base64.b64decode(data, validate=True)
    except (TypeError, ValueError) as exc:
        raise Unreadable(f"message.data: no base64 ({exc})") from exc


def _attributes(attributes: Any) -> dict[str, str]:
    if _told(attributes) is None:
        return {}
    if not isinstance(attributes, dict):
        raise Unreadable(f"message.attributes: a JSON object was expected, got {kind_of(attributes)}")
    return {_text(key): _text(value) for key, value in attributes.items()}


def _text(value: Any) -> str:
    """What Firestore and Pub/Sub take: JSON can hold half a surrogate pair, UTF-8 cannot."""
    text = str(value)
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def _time(text: Any) -> datetime | None:
    """In UTC: a moment whose zone lies beyond the first or the last year would break every later sum."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(str(text))
        return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as exc:
        raise Unreadable(f"message.publishTime: no time ({text!r})") from exc


def _topic(source: str) -> str | None:
    """`//pubsub.googleapis.com/projects/P/topics/T` or a push path `/projects/P/topics/T` → `T`."""
    before, separator, name = source.rpartition("/topics/")
    return name.strip("/") or None if separator and "projects/" in before else None
