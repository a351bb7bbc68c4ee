"""What was really published: read from subscriptions of our own, once the run is over.

What a function says that it has published may be wrong in the very case that a run is for. So each topic has
a second subscription from the beginning (`topology` makes it), which nobody else reads.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from google.api_core.exceptions import DeadlineExceeded

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import SubscriberClient
    from google.pubsub_v1 import PubsubMessage

QUIET_SECONDS = 2.0
"""A subscription that gives nothing for so long is empty: a pull answers at once where there is something."""
TIMEOUT_SECONDS = 10.0
"""Of one acknowledgement."""
# What one pull gives at most.
_MOST_AT_ONCE = 1_000


def drain(client: "SubscriberClient", subscriptions: Sequence[str]) -> "list[list[PubsubMessage]]":
    """Take every message that waits in each of these; by subscription, in the order given.

    A second call gets none of them again. Blocks for two seconds longer than there is something.
    """
    with ThreadPoolExecutor(len(subscriptions)) as pool:
        return list(pool.map(partial(_drain, client), subscriptions))


def _drain(client: "SubscriberClient", subscription: str) -> "list[PubsubMessage]":
    """Until a pull brings nothing. Acknowledged at once: a message that came back would be counted twice."""
    taken: list[PubsubMessage] = []
    while True:
        try:
            pulled = client.pull(
                subscription=subscription, max_messages=_MOST_AT_ONCE, retry=None, timeout=QUIET_SECONDS
            )
        # The emulator keeps an empty pull waiting: the timeout is the answer "nothing".
        except DeadlineExceeded:
            return taken
        if not pulled.received_messages:
            return taken
        taken += [one.message for one in pulled.received_messages]
        client.acknowledge(
            subscription=subscription,
            ack_ids=[one.ack_id for one in pulled.received_messages],
            retry=None,
            timeout=TIMEOUT_SECONDS,
        )
