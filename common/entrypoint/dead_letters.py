"""Dead letters: a message that no retry can cure becomes a document to read and a message to replay.

Nothing that was refused is lost: `dead_letters/{event_id}` holds body, attributes and reason, and the topic's
dead-letter topic gets the same body with the reason in its attributes. What a sender gave its shape (body,
attributes, values in errors) is stored as text and cut to size: a dead letter that Firestore or Pub/Sub
refuses would come back for ever.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog
from google.api_core.exceptions import GoogleAPIError
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError

from ..message_fields import check_document_id
from ..result import ErrorInfo, Result, is_transient
from ..sport import Sport, SportNames
from ..texts import cut_bytes
from ..topics import DEAD_LETTER_SUFFIX, Topic
from .envelope import Delivery

if TYPE_CHECKING:
    from google.cloud.firestore import Client

COLLECTION: Final = "dead_letters"
"""`dead_letters/{event_id}`."""
STORE_TIMEOUT_SECONDS: Final = 10.0
"""Of one write with its repetitions."""
# Within the request: a dead letter that is not written is a retry of the whole event.
RETRY: Final = Retry(predicate=is_transient, initial=0.1, maximum=2.0, timeout=STORE_TIMEOUT_SECONDS)
EVENT_ID_ATTRIBUTE: Final = "dead_letter_event_id"
"""Of a message on a dead-letter topic: the event that it was."""
MAX_STORED_CHARS: Final = 50_000
"""Per field: at four bytes each, a document of a few such fields stays below Firestore's 1 MiB."""
MAX_PUBLISHED_BYTES: Final = 9_000_000
"""Pub/Sub takes 10 MB; a push body is larger than the message inside, which was once published."""
MAX_ATTRIBUTES: Final = 100
"""Of one message."""
MAX_ATTRIBUTE_BYTES: Final = 1_024
"""The limits of Pub/Sub."""

log = structlog.get_logger()


class RawPublisher(Protocol):
    """What of a publisher is needed."""

    def publish_raw(self, topic_name: str, data: bytes, attributes: Mapping[str, str]) -> Result[str]:
        """The id of the message, once it is confirmed."""


class DeadLetters:
    """Writes the dead letters of one function; safe to share between threads."""

    def __init__(
        self, db: "Client", publisher: RawPublisher, *, topics: Sequence[Topic], sport: Sport, function: str
    ) -> None:
        """`topics` are those that the function hears, the first being that of deliveries from nowhere."""
        self._db = db
        self._publisher = publisher
        self._topics = [topic.name(sport) for topic in topics]
        self._sport = sport
        self._function = function

    def write(self, delivery: Delivery, error: ErrorInfo, now: datetime) -> Result[str]:
        """Store and publish; returns the document's id.

        Document first: if the publish fails, the event is retried, and a person can already read why. Safe to
        repeat: the document has the event's id and is written again with the same content; the dead-letter
        topic may get the message twice, with the same `dead_letter_event_id`. A failure, of whatever type,
        means that it is not safely a dead letter: the caller retries.
        """
        document_id = document_id_of(delivery.event_id)
        topic_name = self._topic_name(delivery)
        document = self._document(delivery, topic_name, error, now)
        try:
            # `set`, not `create`: where the publish failed last time, the redelivery writes it again. A dead
            # letter that was replayed and failed once more waits again.
            self._db.collection(COLLECTION).document(document_id).set(
                document, retry=RETRY, timeout=STORE_TIMEOUT_SECONDS
            )
        except (GoogleAPIError, GoogleAuthError) as exc:
            return Result.failure(ErrorInfo.from_exception(exc, dead_letter=document_id))
        return self._publish(delivery, topic_name, error).map(lambda _: document_id)

    def _topic_name(self, delivery: Delivery) -> str:
        """Where a delivery came from, if that is heard here: only the dead-letter topics of what a function
        hears are open to it."""
        told = delivery.topic or ""
        names = (told, SportNames(sport=self._sport).topic(told))
        return next((name for name in names if name in self._topics), self._topics[0])

    def _publish(self, delivery: Delivery, topic_name: str, error: ErrorInfo) -> Result[str]:
        name = topic_name + DEAD_LETTER_SUFFIX
        published = self._publisher.publish_raw(
            name, delivery.data[:MAX_PUBLISHED_BYTES], _attributes(delivery, error)
        )
        if published.is_success:
            log.error("message dead-lettered", action="dead_lettered", error=error.to_dict())
        return published

    def _document(
        self, delivery: Delivery, topic_name: str, error: ErrorInfo, now: datetime
    ) -> dict[str, Any]:
        described = error.to_dict()
        return {
            "event_id": delivery.event_id[:MAX_STORED_CHARS],
            "topic": topic_name,
            "function": self._function,
            "reason": error.message[:MAX_STORED_CHARS],
            "error_type": described["type"],
            "error_class": described["exception_class"],
            # As text, like the attributes: a map with a sender's keys may be one that Firestore refuses, or
            # too deep.
            "error_details": json.dumps(described["details"])[:MAX_STORED_CHARS],
            "data": delivery.data.decode("utf-8", errors="backslashreplace")[:MAX_STORED_CHARS],
            "data_bytes": len(delivery.data),
            "attributes": json.dumps(dict(delivery.attributes))[:MAX_STORED_CHARS],
            "published_at": delivery.published_at,
            "dead_lettered_at": now,
        }


def document_id_of(event_id: str) -> str:
    """The event's id; its hash where Firestore would not take it, so that it is kept all the same."""
    try:
        return check_document_id(event_id)
    except ValueError:
        return "event-" + hashlib.sha256(event_id.encode()).hexdigest()


def _attributes(delivery: Delivery, error: ErrorInfo) -> dict[str, str]:
    """The sender's attributes and ours: Pub/Sub takes 100 of at most 1,024 bytes each, and ours come
    first.
    """
    ours = {
        EVENT_ID_ATTRIBUTE: delivery.event_id,
        "dead_letter_class": error.exception_class,
        "dead_letter_reason": error.message,
    }
    theirs = dict(islice(delivery.attributes.items(), MAX_ATTRIBUTES - len(ours)))
    return theirs | {name: cut_bytes(value, MAX_ATTRIBUTE_BYTES) for name, value in ours.items()}
