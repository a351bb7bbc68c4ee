"""HTTP request → `Delivery`: the two envelopes in which Pub/Sub reaches a function.

Eventarc posts a CloudEvent (binary or structured); a push subscription, such as the emulator's, posts the
bare Pub/Sub body. The framework's asynchronous server knows only the first, and answers a broken body with
400 before our code runs, which Pub/Sub would repeat for a day. So both are read here, and a body that cannot
be read is still a delivery: with an id and an error, to be dead-lettered.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..result import ErrorInfo
from ..topics import Topic


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One delivery of one Pub/Sub message."""

    event_id: str
    """The Pub/Sub message id: the same at every redelivery, new when a publisher publishes again."""
    published_at: datetime | None = None
    topic: str | None = None
    """The topic's name, where the envelope tells it."""
    woken_by: Topic | None = None
    """The registry's topic of that name; known once the endpoint has found the route."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    data: bytes = b""
    error: ErrorInfo | None = None
    """Why the envelope could not be read; `data` then holds the raw body."""


class _Unreadable(ValueError):
    """Says which part of an envelope cannot be read."""


def read(headers: Mapping[str, str], path: str, body: bytes) -> Delivery:
    """Read either envelope; never raises for what a sender may have sent. Header names are lower case."""
    try:
        if "ce-id" in headers:
            source = headers.get("ce-source", "")
            return _from_push(_json_object(body), source=source, event_id=headers["ce-id"])
        if headers.get("content-type", "").startswith("application/cloudevents"):
            return _from_structured(_json_object(body))
        return _from_push(_json_object(body), source=path)
    except _Unreadable as exc:
        digest = hashlib.sha256(body).hexdigest()[:32]
        error = ErrorInfo.permanent("UnreadableEnvelope", str(exc))
        return Delivery(event_id=f"unreadable-{digest}", data=body, error=error)


def _from_structured(event: Mapping[str, Any]) -> Delivery:
    data = event.get("data")
    if not isinstance(data, Mapping):
        raise _Unreadable(f"data: a JSON object was expected, got {_kind(data)}")
    return _from_push(data, source=str(event.get("source")), event_id=event.get("id"))


def _from_push(payload: Mapping[str, Any], *, source: str, event_id: Any = None) -> Delivery:
    message = payload.get("message")
    if not isinstance(message, Mapping):
        raise _Unreadable(f"message: a JSON object was expected, got {_kind(message)}")
    found_id = event_id or message.get("messageId") or message.get("message_id")
    if not isinstance(found_id, str) or not found_id:
        raise _Unreadable(f"message.messageId: a text was expected, got {_kind(found_id)}")
    return Delivery(
        event_id=_text(found_id),
        published_at=_time(message.get("publishTime") or message.get("publish_time")),
        topic=_topic(source),
        attributes=_attributes(message.get("attributes")),
        data=_decode(message.get("data")),
    )


def _json_object(body: bytes) -> Mapping[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise _Unreadable(f"body: no JSON ({exc})") from exc
    if not isinstance(payload, Mapping):
        raise _Unreadable(f"body: a JSON object was expected, got {_kind(payload)}")
    return payload


def _decode(data: Any) -> bytes:
    # Absent or empty for a message that has attributes only.
    if data is None or data == "":
        return b""
    try:
        return base64.b64decode(data, validate=True)
    except (TypeError, ValueError) as exc:
        raise _Unreadable(f"message.data: no base64 ({exc})") from exc


def _attributes(attributes: Any) -> Mapping[str, str]:
    if attributes is None:
        return {}
    if not isinstance(attributes, Mapping):
        raise _Unreadable(f"message.attributes: a JSON object was expected, got {_kind(attributes)}")
    return {_text(key): _text(value) for key, value in attributes.items()}


def _text(value: Any) -> str:
    """What Firestore and Pub/Sub take: JSON can hold half a surrogate pair, UTF-8 cannot."""
    return str(value).encode(errors="backslashreplace").decode()


def _time(text: Any) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as exc:
        raise _Unreadable(f"message.publishTime: no time ({text!r})") from exc
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _topic(source: str) -> str | None:
    """`//pubsub.googleapis.com/projects/P/topics/T` or a push path `/projects/P/topics/T` → `T`."""
    before, separator, name = source.rpartition("/topics/")
    return name.strip("/") or None if separator and "projects/" in before else None


def _kind(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__
