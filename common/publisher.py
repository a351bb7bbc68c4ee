"""Messages → Pub/Sub, through the topic registry. A publish has happened when its Result says so.

The client sends from a background thread; every future is resolved before these methods return, because a
function's CPU may be taken away after its answer.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

from google.api_core.retry import Retry

from . import trace
from .messages import MESSAGES, Message
from .result import ErrorInfo, ErrorType, Result, classify
from .sport import Sport
from .topics import Topic

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import PublisherClient

PUBLISH_TIMEOUT_SECONDS = 30.0


class Publisher:
    """Publishes the messages of one sport."""

    def __init__(
        self,
        client: "PublisherClient",
        *,
        project: str,
        sport: Sport,
        timeout_seconds: float = PUBLISH_TIMEOUT_SECONDS,
    ) -> None:
        self._client = client
        self._project = project
        self._sport = sport
        self._timeout_seconds = timeout_seconds

    def publish(
        self,
        topic: Topic,
        message: Message,
        *,
        attributes: Mapping[str, str] | None = None,
        ordering_key: str = "",
    ) -> Result[str]:
        """Publish one message; returns its id.

        A time-out leaves the outcome unknown and is TRANSIENT: publishing again may publish twice, which
        every receiver of this project endures. `attributes` is not changed.
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
        """Publish many messages in few requests (the client batches them); returns their ids, in order.

        A failure says how many were confirmed before it; the whole call may be repeated.
        """
        expected = MESSAGES[topic.message]
        for message in messages:
            if type(message) is not expected:
                raise TypeError(f"{topic.constant} carries {topic.message}, not {type(message).__name__}")
        name = topic.name(self._sport)
        futures = [
            self._send(name, message.to_json(), self._attributes(message, attributes), ordering_key)
            for message in messages
        ]
        return self._confirm(name, futures)

    def publish_raw(self, topic_name: str, data: bytes, attributes: Mapping[str, str]) -> Result[str]:
        """Publish bytes as they are, for dead letters and replays; Pub/Sub refuses it if both are empty."""
        future = self._send(topic_name, data, dict(attributes), "")
        return self._confirm(topic_name, [future]).map(lambda ids: ids[0])

    def _send(self, name: str, data: bytes, attributes: dict[str, str], ordering_key: str) -> "Future[str]":
        path = f"projects/{self._project}/topics/{name}"
        retry = Retry(predicate=_is_transient, timeout=self._timeout_seconds)
        return self._client.publish(
            path, data, ordering_key, retry=retry, timeout=self._timeout_seconds, **attributes
        )

    def _confirm(self, name: str, futures: "Sequence[Future[str]]") -> Result[list[str]]:
        ids: list[str] = []
        try:
            for future in futures:
                ids.append(future.result(timeout=self._timeout_seconds))
        except Exception as exc:  # converted, not swallowed
            return Result.failure(ErrorInfo.from_exception(exc, topic=name, confirmed=len(ids)))
        return Result.success(ids)

    def _attributes(self, message: Message, given: Mapping[str, str] | None) -> dict[str, str]:
        ours = {"sport": self._sport.value}
        if message.correlation_id:
            ours["correlation_id"] = message.correlation_id
        traceparent = trace.current()
        if traceparent is not None:
            ours[trace.TRACEPARENT] = traceparent
        return {**(given or {}), **ours}


def _is_transient(exc: BaseException) -> bool:
    return classify(exc) is ErrorType.TRANSIENT
