"""Messages → Pub/Sub, through the topic registry. A publish has happened when its Result says so.

Requests are sent and confirmed by the caller's own thread. The client's `publish` would hand them to threads
of its own, which outlive the answer of a function, and which, where keys keep messages in order, repeat for
ever, whatever deadline they are given (its source). So the API's method below it is called.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from google.api_core.exceptions import GoogleAPIError
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError

from . import trace
from .messages import MESSAGES, Message
from .result import ErrorInfo, Result, is_transient
from .sport import Sport
from .topics import Topic

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import PublisherClient
    from google.pubsub_v1.types import PubsubMessage

PUBLISH_TIMEOUT_SECONDS: Final = 30.0
"""Of one call with all its requests and repetitions; the client's own is 60 s a request."""
REQUEST_TIMEOUT_SECONDS: Final = 10.0
"""Of one request: a third of the whole, so that one that hangs can be repeated twice."""
MAX_MESSAGES_PER_REQUEST: Final = 1_000
"""The limit of Pub/Sub."""
MAX_BYTES_PER_REQUEST: Final = 5_000_000
"""Half of Pub/Sub's limit of 10 MB, for attributes and framing are in it, too. A message that is larger
goes alone."""
FAULTS: Final = (GoogleAPIError, GoogleAuthError, TypeError, ValueError)
"""What a call of the client raises, and what values that are no text or bytes raise."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much one call may take."""

    timeout_seconds: float = PUBLISH_TIMEOUT_SECONDS
    """The whole of it, however many messages and repetitions."""
    request_seconds: float = REQUEST_TIMEOUT_SECONDS
    """One request: one that gets no answer leaves time for another."""
    max_messages: int = MAX_MESSAGES_PER_REQUEST
    max_bytes: int = MAX_BYTES_PER_REQUEST


class Publisher:
    """Publishes the messages of one sport; safe to share between threads.

    Every message carries its sport, its correlation id and the trace of the event being handled as
    attributes.
    """

    def __init__(
        self, client: "PublisherClient", *, project: str, sport: Sport, limits: Limits | None = None
    ) -> None:
        self._client = client
        self._project = project
        self._sport = sport
        self._limits = limits or Limits()

    def publish(
        self,
        topic: Topic,
        message: Message,
        *,
        attributes: Mapping[str, str] | None = None,
        ordering_key: str = "",
    ) -> Result[str]:
        """Publish one message; returns its id.

        A failure that is TRANSIENT leaves the outcome unknown (a time-out, a lost answer): publishing again
        may publish twice, which every receiver of this project endures. PERMANENT: no such topic, no right to
        it, or a message that is too large. A message of another model than the topic's is our own mistake:
        TypeError. `attributes` is not changed.
        """
        return self.publish_all(topic, [message], attributes=attributes, ordering_key=ordering_key).map(
            lambda ids: ids[0]
        )

    def publish_all(
        self,
        topic: Topic,
        messages: Sequence[Message],
        *,
        attributes: Mapping[str, str] | None = None,
        ordering_key: str = "",
    ) -> Result[list[str]]:
        """Publish many messages in few requests; returns their ids, in order.

        One request follows the other, so nothing overtakes a message that failed; subscriptions that keep
        order deliver the messages of one `ordering_key` as they were sent. A failure tells in its details how
        many are `confirmed`, `of` how many; the whole call may be repeated, and publishes those twice. No
        messages: an empty list.
        """
        expected = MESSAGES[topic.message] if topic.message else None
        for message in messages:
            if type(message) is not expected:
                # A mistake in our code, not in its data: no Result.
                raise TypeError(f"{topic.constant} carries {topic.message}, not {type(message).__name__}")
        outgoing = [
            _Outgoing(message.to_json(), self._attributes(message, attributes), ordering_key)
            for message in messages
        ]
        return self._publish(topic.name(self._sport), outgoing)

    def publish_raw(self, topic_name: str, data: bytes, attributes: Mapping[str, str]) -> Result[str]:
        """Publish bytes as they are, for dead letters and replays: `topic_name` is the full name, any
        topic's. Pub/Sub refuses it (PERMANENT) if data and attributes are both empty.
        """
        return self._publish(topic_name, [_Outgoing(data, attributes)]).map(lambda ids: ids[0])

    def _publish(self, name: str, outgoing: "Sequence[_Outgoing]") -> Result[list[str]]:
        path = f"projects/{self._project}/topics/{name}"
        # One deadline for all requests: a caller's own time limit must hold however many messages there are.
        deadline = time.monotonic() + self._limits.timeout_seconds
        ids: list[str] = []
        try:
            for messages in _requests(outgoing, self._limits):
                ids += self._send(path, messages, deadline)
        except (*FAULTS, IdsMissing) as exc:
            return Result.failure(
                ErrorInfo.from_exception(exc, topic=name, confirmed=len(ids), of=len(outgoing))
            )
        return Result.success(ids)

    def _send(self, path: str, messages: "list[PubsubMessage]", deadline: float) -> list[str]:
        """Send one request until it is confirmed; returns the ids.

        Raises the last error, or RetryError, when time is up.
        """
        from google.pubsub_v1 import PublisherClient as Api

        def seconds_left() -> float:
            return max(0.0, deadline - time.monotonic())

        def attempt() -> list[str]:
            seconds = min(self._limits.request_seconds, seconds_left())
            # `retry=None`: the repetitions are ours, so that each one has only the time that is left.
            answer = Api.publish(self._client, topic=path, messages=messages, retry=None, timeout=seconds)
            if len(answer.message_ids) != len(messages):
                # An answer that is not about all messages is none: which of them are published nobody can
                # say.
                raise IdsMissing(f"{len(answer.message_ids)} of {len(messages)} messages have an id")
            return list(answer.message_ids)

        repeat = Retry(predicate=is_transient, initial=0.1, maximum=2.0, timeout=seconds_left())
        return repeat(attempt)()

    def _attributes(self, message: Message, given: Mapping[str, str] | None) -> dict[str, str]:
        """Ours win over those given: a reader decides by `sport`, and a replay must not forge it."""
        ours = {"sport": self._sport.value}
        if message.correlation_id:
            ours["correlation_id"] = message.correlation_id
        traceparent = trace.current()
        if traceparent is not None:
            ours[trace.TRACEPARENT] = traceparent
        return {**(given or {}), **ours}


class IdsMissing(Exception):
    """Pub/Sub confirmed another number of messages than it was sent."""


@dataclass(frozen=True)
class _Outgoing:
    data: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    ordering_key: str = ""

    @property
    def size(self) -> int:
        return len(self.data) + sum(len(name) + len(value) for name, value in self.attributes.items())


def _requests(outgoing: Sequence[_Outgoing], limits: Limits) -> "Iterator[list[PubsubMessage]]":
    """The messages in runs of which each fits into one request, as the client takes them: order is kept."""
    run: list[PubsubMessage] = []
    size = 0
    for one in outgoing:
        if run and (len(run) == limits.max_messages or size + one.size > limits.max_bytes):
            yield run
            run, size = [], 0
        run.append(_wire(one))
        size += one.size
    if run:
        yield run


def _wire(one: _Outgoing) -> "PubsubMessage":
    from google.pubsub_v1.types import PubsubMessage

    if not isinstance(one.data, bytes):
        raise TypeError("data: not bytes, and a text would be taken for base64")
    return PubsubMessage(data=one.data, attributes=one.attributes, ordering_key=one.ordering_key)
