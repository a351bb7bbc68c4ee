"""Every topic of one sport with its dead-letter topic and its subscriptions, made from the registry.

Locally this is what Terraform and Eventarc do in the cloud: the same topics, deadlines and dead-letter
policies, and the back-off wherever the emulator can bear it. It is empty when this runs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common import topics
from common.sport import Sport
from common.topics import PREDICTION_REQUEST, REGISTRY, Topic

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

TIMEOUT_SECONDS = 10.0
MAX_ATTEMPTS = 100
"""The most that a dead-letter policy allows."""

TAPPED = (topics.PREDICTION_READY, topics.PREDICTION_BATCH_COMPLETE, topics.PHASE5_PREDICTIONS_COMPLETE)
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
        return f"projects/{self.project}/topics/{name}"

    def subscription(self, name: str) -> str:
        return f"projects/{self.project}/subscriptions/{name}"

    def tap(self, topic: Topic) -> str:
        return self.subscription(f"{topic.name(self.sport)}-tap")

    def dead_letters(self, topic: Topic) -> str:
        """The subscription without which the messages of a dead-letter topic would be lost."""
        return self.subscription(topic.dead_letter_name(self.sport))

    @property
    def workers(self) -> str:
        return self.subscription(f"{PREDICTION_REQUEST.name(self.sport)}-workers")


def create(
    publisher: "PublisherClient", subscriber: "SubscriberClient", names: Names, pushes: Iterable[Push]
) -> None:
    """Make all topics, then the subscriptions; raises what the client raises."""
    sport = names.sport
    for entry in REGISTRY.values():
        for name in (entry.name(sport), entry.dead_letter_name(sport)):
            publisher.create_topic(name=names.topic(name), retry=None, timeout=TIMEOUT_SECONDS)
    for request in subscriptions(names, pushes):
        subscriber.create_subscription(request=request, retry=None, timeout=TIMEOUT_SECONDS)


def subscriptions(names: Names, pushes: Iterable[Push]) -> list[dict[str, Any]]:
    """All subscriptions as requests of the client: dead letters, taps, the workers' and the functions'."""
    return [
        *(_keeper(names, entry) for entry in REGISTRY.values()),
        *(_tap(names, entry) for entry in TAPPED),
        _delivering(names, PREDICTION_REQUEST, names.workers),
        *(_push(names, push) for push in pushes),
    ]


def _keeper(names: Names, entry: Topic) -> dict[str, Any]:
    return {"name": names.dead_letters(entry), "topic": names.topic(entry.dead_letter_name(names.sport))}


def _tap(names: Names, entry: Topic) -> dict[str, Any]:
    return {"name": names.tap(entry), "topic": names.topic(entry.name(names.sport))}


def _push(names: Names, push: Push) -> dict[str, Any]:
    """Without the back-off: with it, and several refused messages at a time, the emulator pushes each three
    times and then never again (measured; pulling is not concerned). Without it, it repeats every second:
    hence as many attempts as a policy allows."""
    subscription = names.subscription(f"{push.topic.name(names.sport)}-{push.name}")
    delivering = _delivering(names, push.topic, subscription)
    del delivering["retry_policy"]
    delivering["dead_letter_policy"]["max_delivery_attempts"] = MAX_ATTEMPTS
    return {**delivering, "push_config": {"push_endpoint": push.endpoint(names.project, names.sport)}}


def _delivering(names: Names, entry: Topic, subscription: str) -> dict[str, Any]:
    return {
        "name": subscription,
        "topic": names.topic(entry.name(names.sport)),
        "ack_deadline_seconds": entry.ack_deadline_seconds,
        "message_retention_duration": {"seconds": entry.retention_seconds},
        "retry_policy": {
            "minimum_backoff": {"seconds": entry.min_backoff_seconds},
            "maximum_backoff": {"seconds": entry.max_backoff_seconds},
        },
        "dead_letter_policy": {
            "dead_letter_topic": names.topic(entry.dead_letter_name(names.sport)),
            "max_delivery_attempts": entry.max_delivery_attempts,
        },
    }
