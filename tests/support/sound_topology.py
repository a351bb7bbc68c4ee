"""Pub/Sub as the registry wants it, to be broken by tests."""

from common.audit.topology_checks import SubscriptionSeen, TopologySeen
from common.result import Result
from common.sport import Sport
from common.topics import REGISTRY, Delivery


class SoundTopology:
    """Pub/Sub as the registry wants it."""

    def __init__(self, sport: Sport = Sport.NBA) -> None:
        self.topics = {
            name for topic in REGISTRY.values() for name in (topic.name(sport), topic.dead_letter_name(sport))
        }
        self.subscriptions = {
            name: SubscriptionSeen(
                name=name,
                topic=topic.name(sport),
                push_endpoint=f"https://x/topics/{topic.name(sport)}"
                if wanted.delivery is Delivery.PUSH
                else "",
                dead_letter_topic=topic.dead_letter_name(sport),
                max_delivery_attempts=wanted.max_delivery_attempts,
                ack_deadline_seconds=wanted.ack_deadline_seconds,
            )
            for topic in REGISTRY.values()
            for subscriber, wanted in topic.subscriptions.items()
            for name in [topic.subscription_name(sport, subscriber)]
        }
        for topic in REGISTRY.values():
            name = topic.dead_letter_subscription_name(sport)
            self.subscriptions[name] = SubscriptionSeen(
                name=name,
                topic=topic.dead_letter_name(sport),
                push_endpoint="",
                dead_letter_topic="",
                max_delivery_attempts=0,
                ack_deadline_seconds=10,
            )
        self.counts: dict[str, int] = {}

    def seen(self) -> Result[TopologySeen]:
        return Result.success(
            TopologySeen(topics=frozenset(self.topics), subscriptions=dict(self.subscriptions))
        )

    def waiting(self, subscription: str) -> Result[int]:
        return Result.success(self.counts.get(subscription, 0))
