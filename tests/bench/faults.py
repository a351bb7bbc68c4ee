"""A fan-in under faults: what is done to it, and what came of it.

Without dependencies, for it is read where Celery is installed, too.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass

PLAYERS = 450
_REDELIVERED_WITHIN = 33


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is done to one run."""

    redelivered: float = 0.0
    """The share of the messages that is delivered twice."""
    kill_at: int | None = None
    """So many have reported when one of the workers gets a `kill -9`."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One fan-in, from its first message."""

    seconds: float | None
    """Until what follows was triggered; None if that was not seen to happen."""
    is_exact: bool
    """Whether what follows was triggered once, with everybody in it."""
    told: Mapping[str, int]
    """The numbers behind it."""


def deliveries(number: int, redelivered: float) -> list[int]:
    """0 to `number` in the order in which they are delivered, a share of them again a little later.

    Always the same ones: the seed is fixed.
    """
    chance = random.Random(7)
    twice = chance.sample(range(number), round(redelivered * number))
    again = [(which + chance.randint(1, _REDELIVERED_WITHIN), which) for which in twice]
    return [which for _, which in sorted([*again, *((which, which) for which in range(number))])]
