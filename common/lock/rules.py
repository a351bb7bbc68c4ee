"""What a lock document says, and what follows from it: no clock, no I/O.

Time here is always the server's, handed in by whoever read it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from ..sport import FIRST

HELD: Final = "held"
"""What a lock document's `state` may say; expiry is beside it, and no state."""
RELEASED: Final = "released"

SHORTEST_CEILING: Final = timedelta(milliseconds=50)
"""Bounds of the longest pause between two attempts, see `longest_pause_seconds`."""
LONGEST_CEILING: Final = timedelta(seconds=5)
"""However long the wait: a lock that comes free is noticed within seconds."""
# See `longest_pause_seconds`.
_SHARE_OF_THE_WAIT: Final = 0.1


CONSOLIDATION: Final = "consolidation"
"""The type of the lock under which batches are consolidated; the sweep looks at it, too."""


@dataclass(frozen=True, kw_only=True)
class LockKey:
    """Names one lock: one type of work, on one day, in one set of datasets.

    The scope is that of the tables it guards: another sport or dataset prefix is another lock, so that a test
    never blocks production; the environment is left out because it does not change which tables are meant.
    """

    lock_type: str
    game_date: date
    sport: str
    """With `dataset_prefix` (empty in production) the set of tables that is guarded."""
    dataset_prefix: str = ""
    """Empty in production."""

    def __post_init__(self) -> None:
        """Raises ValueError naming the part that would make an ambiguous id, or one that is no document
        id.
        """
        for name, pattern in _KEY_PARTS.items():
            if not re.fullmatch(pattern, getattr(self, name)):
                raise ValueError(f"{name}: {getattr(self, name)!r} does not match {pattern}")
        # A datetime is a date, too, and its ISO text would name another lock.
        if isinstance(self.game_date, datetime):
            raise ValueError("game_date: a date, not a datetime")

    @property
    def collection(self) -> str:
        """One collection per type of lock, as the legacy system has it."""
        return f"{self.lock_type}_locks"

    @property
    def document_id(self) -> str:
        """`consolidation_2026-01-17` for the first sport in production, else prefix and sport in front."""
        # The name that the legacy system gave the lock: while both run, they exclude each other.
        is_plain = not self.dataset_prefix and self.sport == FIRST.value
        scope = [] if is_plain else [part for part in (self.dataset_prefix, self.sport) if part]
        return "_".join([*scope, self.lock_type, self.game_date.isoformat()])

    def __str__(self) -> str:
        return f"{self.collection}/{self.document_id}"


# The sport has no underscore: so no two scopes spell the same id.
_KEY_PARTS: Final[Mapping[str, str]] = {
    "lock_type": r"[a-z][a-z0-9_]*",
    "sport": r"[a-z][a-z0-9]*",
    "dataset_prefix": r"[A-Za-z0-9_]*",
}


@dataclass(frozen=True, kw_only=True)
class LockRecord:
    """Who holds a lock, or held it last: the lock document, field by field."""

    lock_type: str
    lock_key: str
    operation_id: str
    """The work the lock was taken for; two holders may share it."""
    holder_id: str
    """New for every acquisition: tells apart two holders with the same operation."""
    fence: int
    """Grows with every acquisition and is never reset: the later holder has the higher fence."""
    state: str
    """`held` or `released`; one that has expired still says `held`."""
    acquired_at: datetime
    renewed_at: datetime
    expires_at: datetime
    """By the server's clock: from then on another may take the lock."""

    @classmethod
    def following(
        cls,
        previous: "LockRecord | None",
        *,
        key: LockKey,
        operation_id: str,
        holder_id: str,
        now: datetime,
        lease: timedelta,
    ) -> "LockRecord":
        """The record of the holder after that of `previous`, with the next fence; the first fence is 1.

        A record of the legacy system counts as fence 0. `now` is the server's.
        """
        return cls(
            lock_type=key.lock_type,
            lock_key=key.document_id,
            operation_id=operation_id,
            holder_id=holder_id,
            fence=1 if previous is None else previous.fence + 1,
            state=HELD,
            acquired_at=now,
            renewed_at=now,
            expires_at=now + lease,
        )

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "LockRecord":
        """Read a document; one that the former system wrote has neither fence nor state and was held.

        Raises ValueError naming the fields that are missing or mistyped.
        """
        known = {"fence": 0, "state": HELD, "renewed_at": fields.get("acquired_at"), **fields}
        wrong = [name for name, kind in cls.__annotations__.items() if not isinstance(known.get(name), kind)]
        if wrong or known["state"] not in (HELD, RELEASED):
            raise ValueError(f"lock document: missing or mistyped: {', '.join(wrong or ['state'])}")
        return cls(**{name: known[name] for name in cls.__annotations__})

    def to_fields(self, *, beyond: "LockRecord | None" = None) -> dict[str, Any]:
        """The document; only what changes, if it holds an earlier state of this very record: `beyond`."""
        fields = dict(vars(self))
        if beyond is None or beyond.holder_id != self.holder_id:
            return fields
        return {name: value for name, value in fields.items() if value != getattr(beyond, name)}

    @property
    def is_held(self) -> bool:
        """Whether it was not given back; it may have expired."""
        return self.state == HELD

    def is_free_at(self, now: datetime) -> bool:
        """Whether another may take the lock: it was given back, or its lease has ended by the server's
        clock.
        """
        return not self.is_held or self.expires_at <= now

    def is_held_by(self, holder_id: str) -> bool:
        """Whether this very acquisition has not been given back or taken away; it may have expired."""
        return self.is_held and self.holder_id == holder_id

    def renewed(self, *, now: datetime, lease: timedelta) -> "LockRecord":
        """The same holder and fence; the lease begins anew at `now`, the server's."""
        return replace(self, renewed_at=now, expires_at=now + lease)

    def released(self) -> "LockRecord":
        """Free for the next; holder and fence stay, so that the next fence is higher."""
        return replace(self, state=RELEASED)

    def revoked(self, *, by: str, now: datetime) -> "LockRecord":
        """Taken from its holder: released, under another holder id, and with a fence above the old one.

        The old holder's next look shows another holder, and its merge under the old fence changes nothing,
        even before anybody acquires the lock anew.
        """
        return replace(self, state=RELEASED, holder_id=by, fence=self.fence + 1, expires_at=now)


@dataclass(frozen=True, kw_only=True)
class LeaseTiming:
    """How long a lease lasts and how often a heartbeat renews it; ValueError where that would be too late."""

    lease: timedelta
    renew_every: timedelta

    def __post_init__(self) -> None:
        if not timedelta(0) < self.renew_every < self.lease:
            raise ValueError(f"renew_every: {self.renew_every} is not between 0 and the lease, {self.lease}")


def longest_pause_seconds(waited_seconds: float) -> float:
    """Upper end of the random pause before the next attempt.

    A tenth of the time waited so far: no wait lasts much more than a tenth too long, and a long one asks the
    store a few times a minute. The floor of 50 ms served sixteen contenders with 20 ms of work each
    best (measured).
    """
    ceiling = max(SHORTEST_CEILING.total_seconds(), waited_seconds * _SHARE_OF_THE_WAIT)
    return min(ceiling, LONGEST_CEILING.total_seconds())
