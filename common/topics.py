"""The topic registry. `topics.json` beside this file is the single source; Terraform reads it too.

Every topic `{sport}-{base_name}` has a dead-letter topic of the same name with `-dlq` behind it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from .sport import Sport, SportNames

DEAD_LETTER_SUFFIX: Final = "-dlq"


class UnknownTopic(LookupError):
    """A name or a phase that the registry does not hold."""


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One topic: who speaks to whom, in which message, and how its subscriptions deliver.

    That its values are such as Pub/Sub takes is a test's business: a cold start does not check what is
    deployed with it.
    """

    constant: str
    base_name: str
    message: str
    """Name of the model in `messages.py`."""
    publisher: str
    subscriber: str
    completes_phase: int | None
    """The phase whose end this topic announces, if it does."""
    retention_seconds: int
    ack_deadline_seconds: int
    """Longer than the subscriber's longest run: a push delivery is repeated when it passes (measured)."""
    max_delivery_attempts: int
    min_backoff_seconds: int
    max_backoff_seconds: int

    def name(self, sport: Sport) -> str:
        return SportNames(sport=sport).topic(self.base_name)

    def dead_letter_name(self, sport: Sport) -> str:
        return self.name(sport) + DEAD_LETTER_SUFFIX


def _load() -> Mapping[str, Topic]:
    entries = json.loads(Path(__file__).with_name("topics.json").read_text(encoding="utf-8"))
    return MappingProxyType(
        {constant: Topic(constant=constant, **entry) for constant, entry in entries.items()}
    )


REGISTRY: Final = _load()

_BY_NAME: Final = {entry.name(sport): (entry, sport) for sport in Sport for entry in REGISTRY.values()}

PHASE5_PREDICTIONS_COMPLETE: Final = REGISTRY["PHASE5_PREDICTIONS_COMPLETE"]
PREDICTION_REQUEST: Final = REGISTRY["PREDICTION_REQUEST"]
PREDICTION_READY: Final = REGISTRY["PREDICTION_READY"]
PREDICTION_BATCH_COMPLETE: Final = REGISTRY["PREDICTION_BATCH_COMPLETE"]


def topic(constant: str) -> Topic:
    """The registry's entry for a constant such as `PREDICTION_READY`; raises UnknownTopic."""
    try:
        return REGISTRY[constant]
    except KeyError:
        raise UnknownTopic(f"topic: {constant!r} is not in the registry") from None


def by_name(name: str) -> tuple[Topic, Sport]:
    """The entry and the sport of a full name such as `nba-prediction-ready`; raises UnknownTopic."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise UnknownTopic(f"topic: {name!r} is not in the registry") from None


def for_sport(sport: Sport | str) -> Mapping[str, str]:
    """Full topic names by constant, for any sport: `{"PREDICTION_READY": "mlb-prediction-ready", …}`."""
    known = Sport(sport)
    return {constant: entry.name(known) for constant, entry in REGISTRY.items()}


def for_phase(phase: int) -> Topic:
    """The topic that announces the end of `phase` (1 to 6); raises UnknownTopic."""
    for entry in REGISTRY.values():
        if entry.completes_phase == phase:
            return entry
    raise UnknownTopic(f"phase: {phase!r} has no completion topic")
