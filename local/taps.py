"""What was really published: read from subscriptions of our own, once the run is over."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import SubscriberClient
    from google.pubsub_v1 import PubsubMessage

TIMEOUT_SECONDS = 10.0
_MOST_AT_ONCE = 1_000


def drain(client: "SubscriberClient", subscriptions: Iterable[str]) -> "list[PubsubMessage]":
    """Take every message that waits in these subscriptions; a second call gets none of them again."""
    return [message for subscription in subscriptions for message in _drain(client, subscription)]


def _drain(client: "SubscriberClient", subscription: str) -> "list[PubsubMessage]":
    taken: list[PubsubMessage] = []
    # At once, because an empty subscription would hold the call until its time-out.
    asked = {"subscription": subscription, "max_messages": _MOST_AT_ONCE, "return_immediately": True}
    while received := client.pull(request=asked, retry=None, timeout=TIMEOUT_SECONDS).received_messages:
        taken += [one.message for one in received]
        client.acknowledge(
            subscription=subscription,
            ack_ids=[one.ack_id for one in received],
            retry=None,
            timeout=TIMEOUT_SECONDS,
        )
    return taken
