"""Where a message goes that no retry can save: a document to read, and a message to replay.

Nothing that was refused is lost: `dead_letters/{event_id}` holds body, attributes and reason, and the topic's
dead-letter topic gets the same body with the reason in its attributes.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from .envelope import Delivery
from .messages import check_document_id
from .result import ErrorInfo, Result
from .sport import Sport
from .topics import DEAD_LETTER_SUFFIX, Topic

if TYPE_CHECKING:
    from google.cloud.firestore import Client

COLLECTION = "dead_letters"
STORE_TIMEOUT_SECONDS = 10.0
MAX_ATTRIBUTE_BYTES = 1_024
"""The limit of Pub/Sub for one attribute value."""

log = structlog.get_logger()


class RawPublisher(Protocol):
    def publish_raw(self, topic_name: str, data: bytes, attributes: Mapping[str, str]) -> Result[str]: ...


class DeadLetters:
    """Writes dead letters for the messages of one topic."""

    def __init__(self, db: "Client", publisher: RawPublisher, *, topic: Topic, sport: Sport, function: str):
        self._db = db
        self._publisher = publisher
        self._topic_name = topic.name(sport)
        self._function = function

    def write(self, delivery: Delivery, error: ErrorInfo, now: datetime) -> Result[str]:
        """Store and publish; returns the document's id.

        Safe to repeat: the document has the event's id and is written again with the same content; the
        dead-letter topic may get the message twice, with the same `dead_letter_event_id`.
        """
        document_id = _document_id(delivery.event_id)
        try:
            self._db.collection(COLLECTION).document(document_id).set(
                self._document(delivery, error, now), timeout=STORE_TIMEOUT_SECONDS
            )
        except Exception as exc:  # converted, not swallowed: the caller retries the event
            return Result.failure(ErrorInfo.from_exception(exc, dead_letter=document_id))
        published = self._publisher.publish_raw(
            self._topic_name + DEAD_LETTER_SUFFIX, delivery.data, _attributes(delivery, error)
        )
        log.error(
            "message dead-lettered", action="dead_lettered", error=error.to_dict(), event_id=delivery.event_id
        )
        return published.map(lambda _: document_id)

    def _document(self, delivery: Delivery, error: ErrorInfo, now: datetime) -> dict[str, Any]:
        return {
            "event_id": delivery.event_id,
            "topic": self._topic_name,
            "function": self._function,
            "error": error.to_dict(),
            "reason": error.message,
            "data": delivery.data.decode("utf-8", errors="backslashreplace"),
            "attributes": dict(delivery.attributes),
            "published_at": delivery.published_at,
            "dead_lettered_at": now,
        }


def _document_id(event_id: str) -> str:
    try:
        return check_document_id(event_id)
    except ValueError:
        return "event-" + hashlib.sha256(event_id.encode()).hexdigest()


def _attributes(delivery: Delivery, error: ErrorInfo) -> dict[str, str]:
    ours = {
        "dead_letter_event_id": delivery.event_id,
        "dead_letter_class": error.exception_class,
        "dead_letter_reason": error.message,
    }
    return {**delivery.attributes, **{key: _cut(value) for key, value in ours.items()}}


def _cut(value: str) -> str:
    return value.encode()[:MAX_ATTRIBUTE_BYTES].decode(errors="ignore")
