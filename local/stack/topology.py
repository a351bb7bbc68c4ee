"""Every topic of one sport with its dead-letter topic and its subscriptions, made from the registry.

Locally this is what Terraform does in the cloud: the same topics, subscriptions, names, deadlines, attempts
and dead-letter topics, and the back-off wherever the emulator can bear it. It is empty when this runs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common import topics
from common.sport import Sport
from common.topics import DEAD_LETTER_RETENTION, PREDICTION_REQUEST, REGISTRY, Delivery, Subscription, Topic

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

TIMEOUT_SECONDS = 10.0
STARTING = tuple(entry for entry in REGISTRY.values() if entry.publisher == "phase_transitions")
"""Topics on which a phase is started: the played processors listen there."""
TAPPED = (
    topics.PREDICTION_READY,
    topics.PREDICTION_BATCH_COMPLETE,
    topics.PHASE5_PREDICTIONS_COMPLETE,
    *STARTING,
)
"""Topics with a second subscription, from which the report learns what was really published."""


@dataclass(frozen=True, kw_only=True)
class Push:
    """One deployed function and the topic that wakes it."""

    name: str
    topic: Topic
    port: int

    def endpoint(self, project: str, sport: Sport) -> str:
        """The path names the topic: the only way in which a push delivery can tell where it comes from."""
        return f"http://127.0.0.1:{self.port}/projects/{project}/topics/{self.topic.name(sport)}"


@dataclass(frozen=True, kw_only=True)
class Names:
    """Full resource names."""

    project: str
    sport: Sport

    def topic(self, name: str) -> str:
        """`projects/{project}/topics/{name}`."""
        return f"projects/{self.project}/topics/{name}"

    def subscription(self, name: str) -> str:
        """`projects/{project}/subscriptions/{name}`."""
        return f"projects/{self.project}/subscriptions/{name}"

    def tap(self, topic: Topic) -> str:
        """A second subscription, from which the report reads what was published."""
        return self.subscription(f"{topic.name(self.sport)}-tap")

    def dead_letters(self, topic: Topic) -> str:
        """The subscription without which the messages of a dead-letter topic would be lost."""
        return self.subscription(topic.dead_letter_subscription_name(self.sport))

    @property
    def workers(self) -> str:
        """Where the workers pull their requests."""
        return self.subscription(PREDICTION_REQUEST.subscription_name(self.sport, "workers"))


def create(
    publisher: "PublisherClient", subscriber: "SubscriberClient", names: Names, pushes: Iterable[Push]
) -> None:
    """Make all topics, then the subscriptions; raises what the client raises.

    Not safe to repeat: the emulator is empty when this runs.
    """
    sport = names.sport
    for entry in REGISTRY.values():
        # Topics first: a subscription names its topic and its dead-letter topic.
        for name in (entry.name(sport), entry.dead_letter_name(sport)):
            publisher.create_topic(name=names.topic(name), retry=None, timeout=TIMEOUT_SECONDS)
    for request in subscriptions(names, pushes):
        subscriber.create_subscription(request=request, retry=None, timeout=TIMEOUT_SECONDS)


def subscriptions(names: Names, pushes: Iterable[Push]) -> list[dict[str, Any]]:
    """All subscriptions as requests of the client: dead letters, taps, who pulls, and the functions'."""
    return [
        *(_keeper(names, entry) for entry in REGISTRY.values()),
        *(_tap(names, entry) for entry in TAPPED),
        *(_delivering(names, entry, each) for entry in REGISTRY.values() for each in _pulled(entry)),
        *(_push(names, push) for push in pushes),
    ]


def _keeper(names: Names, entry: Topic) -> dict[str, Any]:
    """Keeps what is dead-lettered: a topic without a subscription forgets it at once."""
    return {
        "name": names.dead_letters(entry),
        "topic": names.topic(entry.dead_letter_name(names.sport)),
        "message_retention_duration": DEAD_LETTER_RETENTION,
    }


def _pulled(entry: Topic) -> list[Subscription]:
    """The subscriptions of whoever pulls, as the workers do."""
    return [each for each in entry.subscriptions.values() if each.delivery is Delivery.PULL]


def _tap(names: Names, entry: Topic) -> dict[str, Any]:
    """Beside those of the registry: what the report pulls is taken from nobody."""
    return {"name": names.tap(entry), "topic": names.topic(entry.name(names.sport))}


def _push(names: Names, push: Push) -> dict[str, Any]:
    """Without the back-off: with it, and several refused messages at a time, the emulator pushes each three
    times and then never again (measured; pulling is not concerned). Without it, it repeats every second, so
    that the attempts of the registry last minutes here and half a day in the cloud; tests/unit/common
    adds up which."""
    delivering = _delivering(names, push.topic, push.topic.subscriptions[push.name])
    del delivering["retry_policy"]
    return {**delivering, "push_config": {"push_endpoint": push.endpoint(names.project, names.sport)}}


def _delivering(names: Names, entry: Topic, to: Subscription) -> dict[str, Any]:
    """One subscription of the registry, with all that it says of deadline, back-off and attempts."""
    return {
        "name": names.subscription(entry.subscription_name(names.sport, to.subscriber)),
        "topic": names.topic(entry.name(names.sport)),
        "ack_deadline_seconds": to.ack_deadline_seconds,
        "message_retention_duration": {"seconds": to.retention_seconds},
        "retry_policy": {
            "minimum_backoff": {"seconds": to.min_backoff_seconds},
            "maximum_backoff": {"seconds": to.max_backoff_seconds},
        },
        "dead_letter_policy": {
            "dead_letter_topic": names.topic(entry.dead_letter_name(names.sport)),
            "max_delivery_attempts": to.max_delivery_attempts,
        },
    }
