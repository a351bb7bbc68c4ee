"""What one look at a boundary and date found, gates included, and where that leaves the date."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Self

from .mode import Mode


class PhaseState(Enum):
    """Where a boundary stands for one date."""

    WAITING = "waiting"
    """Processors are missing."""
    READY = "ready"
    """Enough processors are done; the gates could not be evaluated (yet)."""
    BLOCKED = "blocked"
    """A gate is closed; it is looked at again at the next check."""
    DISPATCHING = "dispatching"
    """Claimed: the message is being published."""
    DISPATCHED = "dispatched"
    """The message is published and its id is noted."""
    HELD = "held"
    """By hand: what arrives is recorded, nothing is dispatched."""
    ABANDONED = "abandoned"
    """By hand: it is never dispatched."""

    @property
    def is_final(self) -> bool:
        """Whether nothing but a replay by hand starts it (again)."""
        return self in (PhaseState.DISPATCHED, PhaseState.ABANDONED)


@dataclass(frozen=True, kw_only=True)
class GateReading:
    """What a gate was found to be. One that could not be evaluated gives no reading, but a failure."""

    name: str
    value: float
    """What was found, and below what is asked for: percent, tables or whatever the gate counts."""
    limit: float
    counts: Mapping[str, int] = field(default_factory=dict)
    """Rows by table, where it counted any."""
    missing: tuple[str, ...] = ()
    """Tables without enough rows."""

    def to_fields(self) -> dict[str, Any]:
        """As the decision's document has it: every field, and whether it is open."""
        fields = {**vars(self), "counts": dict(self.counts), "missing": list(self.missing)}
        return {**fields, "is_open": isinstance(self, Open)}


@dataclass(frozen=True, kw_only=True)
class Open(GateReading):
    """High enough."""


@dataclass(frozen=True, kw_only=True)
class Closed(GateReading):
    """Not high enough (yet)."""

    reason: str
    """A sentence."""
    next_check: datetime


def gate_from_fields(name: str, fields: Mapping[str, Any]) -> GateReading:
    """A reading from the decision's document; raises KeyError or TypeError for fields that are none."""
    known = {**fields, "name": name, "missing": tuple(fields["missing"])}
    return Open(**known) if known.pop("is_open") else Closed(**known)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What one evaluation saw, and what followed from it: the answer to "why has it not run?"."""

    evaluated_at: datetime
    """By the clock of the instance that decided."""
    state: PhaseState
    mode: Mode
    needed: tuple[str, ...]
    """Processors that the mode expects, with those of them that are present, missing (not present) or
    failed."""
    present: tuple[str, ...]
    missing: tuple[str, ...]
    failed: tuple[str, ...]
    gates: tuple[GateReading, ...]
    reason: str
    next_check: datetime | None
    """When it is looked at again without an event; None: never."""

    def says_the_same_as(self, other: "Decision | None") -> bool:
        """Whether nothing but the time is new."""
        if other is None:
            return False
        return self._without_times() == other._without_times()

    def _without_times(self) -> dict[str, Any]:
        # A next check moves at every look: as news it would fill `decisions` with repetitions.
        gates = {gate.name: {**gate.to_fields(), "next_check": None} for gate in self.gates}
        return {**vars(self), "gates": gates, "evaluated_at": None, "next_check": None}

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Self:
        """Raises KeyError or ValueError for fields that are no decision."""
        return cls(
            evaluated_at=fields["evaluated_at"],
            state=PhaseState(fields["state"]),
            mode=Mode(fields["mode"]),
            needed=tuple(fields["needed"]),
            present=tuple(fields["present"]),
            missing=tuple(fields["missing"]),
            failed=tuple(fields["failed"]),
            # A map of Firestore keeps no order.
            gates=tuple(gate_from_fields(name, found) for name, found in sorted(fields["gates"].items())),
            reason=fields["reason"],
            next_check=fields["next_check"],
        )

    def to_fields(self) -> dict[str, Any]:
        """The field `decision` of the day's document, and a document of `decisions`."""
        gates = {}
        for gate in self.gates:
            found = gate.to_fields()
            gates[found.pop("name")] = found
        return {
            "evaluated_at": self.evaluated_at,
            "state": self.state.value,
            "mode": self.mode.value,
            "needed": list(self.needed),
            "present": list(self.present),
            "missing": list(self.missing),
            "failed": list(self.failed),
            "gates": gates,
            "reason": self.reason,
            "next_check": self.next_check,
        }
