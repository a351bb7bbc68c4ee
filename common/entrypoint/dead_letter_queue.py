"""The messages that wait in the dead-letter subscriptions: taken out once a person has handled the event.

The document says what became of it, so the message has served its purpose; left there, it would be found
waiting for as long as the subscription keeps it.
"""

import warnings
from typing import TYPE_CHECKING, Any, Final

from google.api_core.exceptions import GoogleAPIError, NotFound
from google.auth.exceptions import GoogleAuthError

from ..result import ErrorInfo, Result
from ..topics import DEAD_LETTER_SUFFIX, SUBSCRIPTION_SUFFIX
from .dead_letters import EVENT_ID_ATTRIBUTE

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import SubscriberClient

PULLED_AT_ONCE: Final = 100
"""Messages of one pull."""
MAX_PULLS: Final = 20
"""Bounds the search in a subscription in which thousands wait."""
TIMEOUT_SECONDS: Final = 20.0
"""Of one call: a person waits."""


class DeadLetterQueue:
    """The dead-letter subscriptions of one project; safe to share between threads."""

    def __init__(self, client: "SubscriberClient", project: str) -> None:
        self._client = client
        self._project = project

    def drop(self, topic_name: str, event_id: str) -> Result[int]:
        """Take out what waits of this event behind the topic (full name, with the sport); how many messages.

        Others are given back. Safe to repeat: what is gone is gone. 0 is a success, too: of a message whose
        time is over; or that is out with somebody else, or behind thousands: then it stays, and is found.
        """
        name = f"{topic_name}{DEAD_LETTER_SUFFIX}{SUBSCRIPTION_SUFFIX}"
        path = f"projects/{self._project}/subscriptions/{name}"
        others: list[str] = []
        try:
            try:
                return Result.success(self._search(path, event_id, others))
            finally:
                self._give_back(path, others)
        except NotFound:
            return Result.success(0)
        except (GoogleAPIError, GoogleAuthError) as exc:
            return Result.failure(ErrorInfo.from_exception(exc, subscription=name, event_id=event_id))

    def _search(self, path: str, event_id: str, others: list[str]) -> int:
        """What is not looked for is held until the end, so that each pull brings something new."""
        for _ in range(MAX_PULLS):
            pulled = self._pull(path)
            found = [each for each in pulled if each.message.attributes.get(EVENT_ID_ATTRIBUTE) == event_id]
            others += [each.ack_id for each in pulled if each not in found]
            if found:
                ids = [each.ack_id for each in found]
                self._client.acknowledge(subscription=path, ack_ids=ids, timeout=TIMEOUT_SECONDS)
            if found or not pulled:
                return len(found)
        return 0

    def _pull(self, path: str) -> list[Any]:
        """What is there at this moment: nobody waits for more to come."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The return_immediately", category=DeprecationWarning)
            answer = self._client.pull(
                subscription=path,
                max_messages=PULLED_AT_ONCE,
                return_immediately=True,
                timeout=TIMEOUT_SECONDS,
            )
        return list(answer.received_messages)

    def _give_back(self, path: str, ack_ids: list[str]) -> None:
        """At once, so that the next one who looks finds them; raises what the client raises."""
        if ack_ids:
            self._client.modify_ack_deadline(
                subscription=path, ack_ids=ack_ids, ack_deadline_seconds=0, timeout=TIMEOUT_SECONDS
            )
