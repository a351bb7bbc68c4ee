"""The topic registry. `topics.json` beside this file is the single source; Terraform reads it too.

Every topic `{sport}-{base_name}` has a dead-letter topic of the same name with `-dlq` behind it. The name of
a subscription follows from its topic and its subscriber: `{topic}-{subscriber}-sub`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from .sport import Sport, SportNames

DEAD_LETTER_SUFFIX: Final = "-dlq"
SUBSCRIPTION_SUFFIX: Final = "-sub"
DEAD_LETTER_RETENTION: Final = timedelta(days=7)
"""How long the subscription of a dead-letter topic keeps what it gets: time for a person to look."""


class UnknownTopic(LookupError):
    """A name or a phase that the registry does not hold."""


class Delivery(Enum):
    """How a subscription hands over its messages."""

    PUSH = "push"
    """To the function in `functions/` that the subscription is named after."""
    PULL = "pull"
    """To whoever outside of this suite pulls it."""


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """One subscriber of a topic, and how it is delivered to.

    That its values are such as Pub/Sub takes is a test's business: a cold start does not check what is
    deployed with it.
    """

    subscriber: str
    """The folder in `functions/`, or the name of who pulls."""
    delivery: Delivery
    ack_deadline_seconds: int
    """Longer than the subscriber's longest run: a push delivery is repeated when it passes (measured)."""
    retention_seconds: int
    """What a function hears is kept for longer than the age at which its endpoint makes it a dead letter:
    a message that merely expires here is lost without a word."""
    max_delivery_attempts: int
    """Deliveries before Pub/Sub itself dead-letters the message; a policy takes 5 to 100. With the
    back-off, at least 12 h for whatever may be answered with "not yet" or meet a held lock."""
    min_backoff_seconds: int
    """Wait before a redelivery, growing up to `max_backoff_seconds`; a policy takes 0 to 600. Without one
    Pub/Sub repeats after about a second."""
    max_backoff_seconds: int


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One topic: who speaks to whom, in which message, and how its subscriptions deliver."""

    constant: str
    """The registry's key, such as `PREDICTION_READY`."""
    base_name: str
    message: str | None
    """Name of the model in `messages.py`; None where no function of ours speaks or hears."""
    publisher: str
    """Who speaks: the folder in `functions/`, or the name of somebody outside."""
    heard_by_others: tuple[str, ...]
    """Who subscribes without this suite's doing."""
    completes_phase: int | None
    """The phase whose end this topic announces, if it does."""
    retention_seconds: int
    """How far back a subscription can be sought: 24 h, and 1 h where only the newest counts."""
    # A mapping has no hash, and topics are keys of mappings themselves.
    subscriptions: Mapping[str, Subscription] = field(hash=False)
    """By subscriber."""

    def name(self, sport: Sport) -> str:
        """`{sport}-{base_name}`."""
        return SportNames(sport=sport).topic(self.base_name)

    def dead_letter_name(self, sport: Sport) -> str:
        """`{sport}-{base_name}-dlq`."""
        return self.name(sport) + DEAD_LETTER_SUFFIX

    def subscription_name(self, sport: Sport, subscriber: str) -> str:
        """`{sport}-prediction-ready-completion-recorder-sub`, of whatever subscriber."""
        return f"{self.name(sport)}-{subscriber.replace('_', '-')}{SUBSCRIPTION_SUFFIX}"

    def dead_letter_subscription_name(self, sport: Sport) -> str:
        """The subscription without which the messages of the dead-letter topic would be lost."""
        return self.dead_letter_name(sport) + SUBSCRIPTION_SUFFIX


def _load() -> Mapping[str, Topic]:
    entries = json.loads(Path(__file__).with_name("topics.json").read_text(encoding="utf-8"))
    # Read-only: all parts of an instance share the one registry.
    return MappingProxyType({constant: _topic(constant, **entry) for constant, entry in entries.items()})


def _topic(
    constant: str, *, subscriptions: Mapping[str, Any], heard_by_others: list[str], **entry: Any
) -> Topic:
    heard = {name: _subscription(name, **values) for name, values in subscriptions.items()}
    return Topic(
        constant=constant,
        subscriptions=MappingProxyType(heard),
        heard_by_others=tuple(heard_by_others),
        **entry,
    )


def _subscription(subscriber: str, *, delivery: str, **values: int) -> Subscription:
    return Subscription(subscriber=subscriber, delivery=Delivery(delivery), **values)


REGISTRY: Final = _load()

# Every name of every sport, made once: a delivery is matched by looking its topic up, never by cutting names.
_BY_NAME: Final = {entry.name(sport): (entry, sport) for sport in Sport for entry in REGISTRY.values()}

PHASE5_PREDICTIONS_COMPLETE: Final = REGISTRY["PHASE5_PREDICTIONS_COMPLETE"]
PREDICTION_REQUEST: Final = REGISTRY["PREDICTION_REQUEST"]
PREDICTION_READY: Final = REGISTRY["PREDICTION_READY"]
PREDICTION_BATCH_COMPLETE: Final = REGISTRY["PREDICTION_BATCH_COMPLETE"]
PHASE_SWEEP: Final = REGISTRY["PHASE_SWEEP"]
CONSISTENCY_AUDIT: Final = REGISTRY["CONSISTENCY_AUDIT"]


def topic(constant: str) -> Topic:
    """The registry's entry for a constant such as `PREDICTION_READY`; raises UnknownTopic."""
    try:
        return REGISTRY[constant]
    except KeyError:
        raise UnknownTopic(f"topic: {constant!r} is not in the registry") from None


def by_name(name: str) -> tuple[Topic, Sport]:
    """The entry and the sport of a full name such as `{sport}-prediction-ready`; raises UnknownTopic."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise UnknownTopic(f"topic: {name!r} is not in the registry") from None


def for_sport(sport: Sport | str) -> Mapping[str, str]:
    """Full topic names by constant, for any sport: `{"PREDICTION_READY": "{sport}-prediction-ready", …}`."""
    known = Sport(sport)
    return {constant: entry.name(known) for constant, entry in REGISTRY.items()}


def for_phase(phase: int) -> Topic:
    """The topic that announces the end of `phase` (1 to 6); raises UnknownTopic."""
    for entry in REGISTRY.values():
        if entry.completes_phase == phase:
            return entry
    raise UnknownTopic(f"phase: {phase!r} has no completion topic")
