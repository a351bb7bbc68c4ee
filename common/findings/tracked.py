"""What is remembered of a finding from run to run, as frozen records.

`findings/{finding_id}` is the one place where operators, the auditor and the status page meet.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import Enum
from typing import Any, Final

from .records import Finding, FindingClass, Repair, Scope, ScopeKind, Severity

MAX_IDS_STORED: Final = 500
"""So that a finding about a batch of 20,000 players stays a small document; `id_count` tells the rest."""


@dataclass(frozen=True, kw_only=True)
class Silence:
    """Somebody does not want to hear of it for a while; it is recorded, and shown, all the same."""

    who: str
    """An account, as the operator's command knows it."""
    why: str
    until: datetime

    def holds(self, now: datetime) -> bool:
        """Until its end; then findings are told again."""
        return now < self.until


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A repair that was asked of others, and has yet to arrive: asking mends nothing."""

    asked_at: datetime
    due_at: datetime
    """From then on its absence is told."""
    ids: tuple[str, ...] = ()
    """The players who were asked for, all of them; none where the batch itself is waited for."""

    def is_late(self, now: datetime) -> bool:
        """Whether it should have arrived by now."""
        return now >= self.due_at


class Told(Enum):
    """What was told last of the present episode."""

    NOTHING = "nothing"
    """The next telling is that it is there."""
    OPENED = "opened"
    ONGOING = "ongoing"
    """That it is still there, at least once."""
    ESCALATED = "escalated"
    """That its repair was asked for and has not arrived."""
    RESOLVED = "resolved"


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """A finding and its history: `findings/{finding_id}`."""

    finding: Finding
    first_seen: datetime
    """When the present episode began."""
    last_seen: datetime
    """When a run or a caller found it last."""
    judged_at: datetime
    """The last run that counted, as found or as clean. One that began before it cannot count as clean."""
    is_open: bool = True
    clean_runs: int = 0
    """How many runs in a row have looked and not found it; 0 when it was found at the last look."""
    episodes: tuple[datetime, ...] = ()
    """When the recent episodes began, the present one last."""
    told: Told = Told.NOTHING
    told_at: datetime | None = None
    """When `told` was told; the next "ongoing" is counted from it."""
    told_severity: Severity | None = None
    """As it was told last: a finding that gets worse is told again."""
    teller: str | None = None
    """The run that is telling at present: a claim, which ends with `teller_until`."""
    teller_until: datetime | None = None
    silence: Silence | None = None
    pending: Pending | None = None
    """The repair that is waited for: until it has arrived, no clean run counts."""
    version: Any = field(default=None, compare=False)
    """The store's, for the precondition of the next write; None: not stored yet."""

    @property
    def finding_id(self) -> str:
        """That of the finding: one document, however often it comes back."""
        return self.finding.finding_id

    @property
    def state(self) -> str:
        """`open`, `repairing` while a repair is waited for, or `resolved`."""
        if not self.is_open:
            return "resolved"
        return "open" if self.pending is None else "repairing"

    @property
    def is_settled(self) -> bool:
        """Whether no run needs to read it again unless it is found again: over, and nothing owed."""
        return not self.is_open and self.told in (Told.NOTHING, Told.RESOLVED)

    def to_document(self) -> dict[str, Any]:
        """The document `findings/{finding_id}`, without the version: that is the store's own."""
        one = self.finding
        # Every field, also where it says nothing: queries, the page and people go by the names.
        return {
            "finding_id": one.finding_id,
            "class": one.finding_class.value,
            "severity": one.severity.value,
            "check": one.check,
            "scope_kind": one.scope.kind.value,
            "scope": one.scope.name,
            "game_date": one.scope.game_date.isoformat() if one.scope.game_date else None,
            "subject": one.subject,
            "summary": one.summary,
            # Cut: a document of all 20,000 players would be read at every audit.
            "ids": list(one.ids[:MAX_IDS_STORED]),
            "id_count": len(one.ids),
            "repair": one.repair.value if one.repair else None,
            "look": one.look,
            "command": one.command,
            "depends_on": sorted(one.depends_on),
            "state": self.state,
            "is_settled": self.is_settled,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
            "judged_at": self.judged_at,
            "clean_runs": self.clean_runs,
            "episodes": list(self.episodes),
            "told": self.told.value,
            "told_at": self.told_at,
            "told_severity": self.told_severity.value if self.told_severity else None,
            "teller": self.teller,
            "teller_until": self.teller_until,
            "silence": vars(self.silence) if self.silence else None,
            "pending": {**vars(self.pending), "ids": list(self.pending.ids)} if self.pending else None,
        }

    @classmethod
    def from_document(cls, data: Mapping[str, Any], version: Any = None) -> "Tracked":
        """Raises KeyError, ValueError, TypeError or AttributeError for a document that is no finding."""
        # No field is guessed where it is absent: a finding that cannot be read is better found anew.
        told_severity, silence, pending = data["told_severity"], data["silence"], data["pending"]
        moments = [data[name] for name in ("first_seen", "last_seen", "judged_at")]
        maybe = [data[name] for name in ("told_at", "teller_until") if data[name] is not None]
        if not all(isinstance(each, datetime) for each in (*moments, *maybe, *data["episodes"])):
            raise ValueError("a time is none")
        return cls(
            finding=_finding(data),
            first_seen=data["first_seen"],
            last_seen=data["last_seen"],
            judged_at=data["judged_at"],
            is_open=data["state"] != "resolved",
            clean_runs=data["clean_runs"],
            episodes=tuple(data["episodes"]),
            told=Told(data["told"]),
            told_at=data["told_at"],
            told_severity=Severity(told_severity) if told_severity else None,
            teller=data["teller"],
            teller_until=data["teller_until"],
            silence=Silence(**silence) if silence else None,
            pending=Pending(**{**pending, "ids": tuple(pending["ids"])}) if pending else None,
            version=version,
        )

    def stored_as(self, version: Any) -> "Tracked":
        """The same, as the store has it now: the precondition of the next write."""
        return replace(self, version=version)


def _finding(data: Mapping[str, Any]) -> Finding:
    game_date, repair = data["game_date"], data["repair"]
    return Finding(
        finding_class=FindingClass(data["class"]),
        severity=Severity(data["severity"]),
        check=data["check"],
        scope=Scope(
            kind=ScopeKind(data["scope_kind"]),
            name=data["scope"],
            game_date=date.fromisoformat(game_date) if game_date else None,
        ),
        summary=data["summary"],
        subject=data["subject"],
        ids=tuple(data["ids"]),
        repair=Repair(repair) if repair else None,
        look=data["look"],
        depends_on=frozenset(data["depends_on"]),
    )
