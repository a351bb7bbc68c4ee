"""A finding, and what is remembered of it from run to run, as frozen records.

`findings/{finding_id}` is the one place where operators, the auditor and the status page meet.
"""

import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import Enum
from typing import Any, Final

MAX_IDS_STORED: Final = 500
"""So that a finding about a batch of 20,000 players stays a small document; `id_count` tells the rest."""


class FindingClass(Enum):
    """What is wrong."""

    MISSING_MARKER = "missing_marker"
    GHOST_MARKER = "ghost_marker"
    LOST_INCREMENT = "lost_increment"
    DOUBLE_INCREMENT = "double_increment"
    CONTRADICTING_OUTCOMES = "contradicting_outcomes"
    MISSING_ROW = "missing_row"
    GHOST_ROW = "ghost_row"
    DUPLICATE_ROW = "duplicate_row"
    MODIFIED_ROW = "modified_row"
    BROKEN_ROW_RULE = "broken_row_rule"
    MISSING_DATA = "missing_data"
    UNSENT_TRIGGER = "unsent_trigger"
    OVERDUE_BATCH = "overdue_batch"
    FAILED_BATCH = "failed_batch"
    SLOW_BATCH = "slow_batch"
    STUCK_CONSOLIDATION = "stuck_consolidation"
    ORPHANED_STAGING = "orphaned_staging"
    EXPIRED_LOCK = "expired_lock"
    LONG_HELD_LOCK = "long_held_lock"
    ARRAY_NEARLY_FULL = "array_nearly_full"
    UNREADABLE_DOCUMENT = "unreadable_document"
    STUCK_PHASE = "stuck_phase"
    ABANDONED_PHASE = "abandoned_phase"
    INCOMPLETE_START = "incomplete_start"
    UNSENT_DISPATCH = "unsent_dispatch"
    SILENT_PHASE = "silent_phase"
    UNKNOWN_SCHEDULE = "unknown_schedule"
    WAITING_DEAD_LETTERS = "waiting_dead_letters"
    MISSING_TOPIC = "missing_topic"
    MISSING_SUBSCRIPTION = "missing_subscription"
    WRONG_SUBSCRIPTION = "wrong_subscription"
    ABSENT_RUN = "absent_run"
    STORE_DOWN = "store_down"


class Severity(Enum):
    """How much it hurts; `rank` orders them."""

    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Greater is worse."""
        return list(Severity).index(self)


class Repair(Enum):
    """What the auditor can do about it, safely and more than once."""

    REPUBLISH_TRIGGER = "republish_trigger"
    REPUBLISH_DISPATCH = "republish_dispatch"
    RECOMPUTE_COUNTERS = "recompute_counters"
    CLOSE_OVERDUE = "close_overdue"
    CONSOLIDATE_AGAIN = "consolidate_again"
    RELEASE_LOCK = "release_lock"
    REMOVE_ORPHANS = "remove_orphans"
    REDRIVE_MISSING = "redrive_missing"


class ScopeKind(Enum):
    """What a finding is about; findings of one scope are told together."""

    BATCH = "batch"
    DATE = "date"
    SYSTEM = "system"


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What a finding is about: findings of one scope are told together."""

    kind: ScopeKind
    name: str
    """Batch id, ISO date, or the name of a part of the system."""
    game_date: date | None = None
    """The date of the games, where there is one."""

    @classmethod
    def of_batch(cls, batch_id: str, game_date: date | None) -> "Scope":
        """About one batch; the date of its games, where it could be read."""
        return cls(kind=ScopeKind.BATCH, name=batch_id, game_date=game_date)

    @classmethod
    def of_date(cls, game_date: date) -> "Scope":
        return cls(kind=ScopeKind.DATE, name=game_date.isoformat(), game_date=game_date)

    @classmethod
    def of_system(cls, name: str) -> "Scope":
        """`name` is the part concerned: a store, a function, a topic."""
        return cls(kind=ScopeKind.SYSTEM, name=name)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong, as of one look."""

    finding_class: FindingClass
    severity: Severity
    check: str
    """Name of the check that found it: only where this check looks again can it be found to be over."""
    scope: Scope
    summary: str
    """One sentence for a person, with figures."""
    subject: str = ""
    """Tells findings of one class and scope apart: a table, a phase, a subscription."""
    ids: tuple[str, ...] = ()
    """Who is concerned: players, tables, messages. May change from look to look."""
    repair: Repair | None = None
    look: str = ""
    """The operator's command that looks closer, ready to paste; with a repair, that one is proposed."""
    depends_on: frozenset[str] = frozenset()
    """The stores without which this would not have come about: told only where none of them is down. What
    is down is the finding to tell then."""

    @property
    def finding_id(self) -> str:
        """The same for the same defect in every run, and a valid document id: `lost_increment-0f3a…`."""
        what = "\x00".join((self.check, self.scope.kind.value, self.scope.name, self.subject))
        return f"{self.finding_class.value}-{hashlib.sha256(what.encode()).hexdigest()[:12]}"

    @property
    def command(self) -> str:
        """What to paste into a terminal: the repair, where there is one, else what looks closer."""
        if self.repair is not None:
            return operator_command("repair", self.finding_id)
        return self.look or operator_command("explain", self.scope.name)


def operator_command(*words: str) -> str:
    """`./ops/run explain batch1`, quoted for a shell whatever the names hold."""
    return " ".join(["./ops/run", *map(shlex.quote, words)])


@dataclass(frozen=True, kw_only=True)
class Silence:
    """Somebody does not want to hear of it for a while; it is recorded, and shown, all the same."""

    who: str
    why: str
    until: datetime

    def holds(self, now: datetime) -> bool:
        """Until its end; then findings are told again."""
        return now < self.until


class Told(Enum):
    """What was told last of the present episode."""

    NOTHING = "nothing"
    OPENED = "opened"
    ONGOING = "ongoing"
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
    version: Any = field(default=None, compare=False)
    """The store's, for the precondition of the next write; None: not stored yet."""

    @property
    def finding_id(self) -> str:
        return self.finding.finding_id

    @property
    def is_settled(self) -> bool:
        """Whether no run needs to read it again unless it is found again: over, and nothing owed."""
        return not self.is_open and self.told in (Told.NOTHING, Told.RESOLVED)

    def to_document(self) -> dict[str, Any]:
        """The document `findings/{finding_id}`, without the version: that is the store's own."""
        one = self.finding
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
            "ids": list(one.ids[:MAX_IDS_STORED]),
            "id_count": len(one.ids),
            "repair": one.repair.value if one.repair else None,
            "look": one.look,
            "command": one.command,
            "depends_on": sorted(one.depends_on),
            "state": "open" if self.is_open else "resolved",
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
        }

    @classmethod
    def from_document(cls, data: Mapping[str, Any], version: Any = None) -> "Tracked":
        """Raises KeyError or ValueError for a document that is no finding."""
        told_severity, silence = data["told_severity"], data["silence"]
        return cls(
            finding=_finding(data),
            first_seen=data["first_seen"],
            last_seen=data["last_seen"],
            judged_at=data["judged_at"],
            is_open=data["state"] == "open",
            clean_runs=data["clean_runs"],
            episodes=tuple(data["episodes"]),
            told=Told(data["told"]),
            told_at=data["told_at"],
            told_severity=Severity(told_severity) if told_severity else None,
            teller=data["teller"],
            teller_until=data["teller_until"],
            silence=Silence(**silence) if silence else None,
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
