"""Streaming pull for workers: what `entrypoint` is to functions, with the same rules.

The client keeps extending the lease of a message while its handler runs, so a slow handler is not delivered
twice; a handler's Result decides between ack, nack and dead letter; a stop finishes what is held.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic

import structlog

from .entrypoint.endpoint import DeadLetterWriter, dead_letter, enter_context, tell_of_partial
from .entrypoint.envelope import Delivery
from .entrypoint.rules import Disposition, dispose, read_message
from .messages import M
from .result import ErrorInfo, Result
from .sport import Sport

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import SubscriberClient
    from google.cloud.pubsub_v1.subscriber.futures import StreamingPullFuture
    from google.cloud.pubsub_v1.subscriber.message import Message as PulledMessage

POLL_SECONDS = 0.1
"""How soon a broken stream is noticed; `stop` is noticed at once."""

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Subscriber(Generic[M]):
    """Pulls the messages of one subscription and hands them to one handler, several at a time."""

    client: "SubscriberClient"
    subscription_path: str
    """`projects/P/subscriptions/S`."""
    message: type[M]
    handle: Callable[[M, Delivery], Result[Any]]
    dead_letters: Callable[[], DeadLetterWriter]
    sport: Sport
    max_age: timedelta
    """Older messages become dead letters, as in a function."""
    now: Callable[[], datetime]
    max_in_flight: int = 4
    """Messages held at once: flow control, and the number of handler threads."""
    max_lease: timedelta = timedelta(minutes=10)
    """How long the lease of one message is extended at most; then it is delivered again."""

    def run(self, stop: threading.Event) -> Result[None]:
        """Pull until `stop` is set, then finish the messages that handlers hold and return.

        Messages received but not begun go back to Pub/Sub. A stream that breaks for good (permission, a
        missing subscription) ends in a failure; the client reconnects by itself after a transient one. To be
        called once per instance at a time; it blocks.
        """
        from google.cloud.pubsub_v1.subscriber.scheduler import ThreadScheduler
        from google.cloud.pubsub_v1.types import FlowControl

        # As many threads as messages in flight: a message that is held must not wait for a thread while its
        # lease runs.
        scheduler = ThreadScheduler(ThreadPoolExecutor(self.max_in_flight, "subscriber"))
        flow = FlowControl(max_messages=self.max_in_flight, max_lease_duration=self.max_lease.total_seconds())
        stream = self.client.subscribe(
            self.subscription_path,
            callback=self._receive,
            flow_control=flow,
            scheduler=scheduler,
            # Else a stop would give back what a handler is still at, and it would be handled twice.
            await_callbacks_on_shutdown=True,
        )
        while not stop.wait(POLL_SECONDS) and not stream.done():
            pass
        return self._close(stream)

    def _close(self, stream: "StreamingPullFuture") -> Result[None]:
        stream.cancel()
        try:
            stream.result()
        except Exception as exc:  # converted, not swallowed
            return Result.failure(ErrorInfo.from_exception(exc, subscription=self.subscription_path))
        return Result.success(None)

    def _receive(self, pulled: "PulledMessage") -> None:
        """In a thread of the client's: settle one message, then ack or nack it.

        The rules are those of `entrypoint`.
        """
        delivery = Delivery(
            event_id=pulled.message_id,
            published_at=pulled.publish_time,
            attributes=dict(pulled.attributes),
            data=pulled.data,
        )
        enter_context(delivery, {})
        result = self._settle(delivery)
        if dispose(result) is Disposition.ACK:
            tell_of_partial(result)
            pulled.ack()
            return
        error = result.error
        assert error is not None
        report = log.info if error.is_expected else log.error
        report(error.message, action="retry", error=error.to_dict(), stack_trace=error.stack_trace)
        # Given back at once: waiting for the lease to end would delay the retry by minutes.
        pulled.nack()

    def _settle(self, delivery: Delivery) -> Result[Any]:
        """Handle one delivery; what is refused for good becomes a dead letter, or a retry if it cannot."""
        result = self._handle(delivery)
        if dispose(result) is Disposition.DEAD_LETTER:
            return dead_letter(delivery, result, self.dead_letters, self.now())
        return result

    def _handle(self, delivery: Delivery) -> Result[Any]:
        read = read_message(self.message, delivery, sport=self.sport, now=self.now(), max_age=self.max_age)
        if read.is_failure:
            return read
        try:
            return self.handle(read.unwrap(), delivery)
        except Exception as exc:  # the boundary: classified, not swallowed
            return Result.failure(ErrorInfo.from_exception(exc))
