"""A finding, as of one look: what is wrong, with what, who is concerned, what mends it. Frozen records."""

import hashlib
import shlex
from dataclasses import dataclass
from datetime import date
from enum import Enum


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
        """About a date, whatever batches it has."""
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
        # A byte that no name holds: else two pairs of names could join to one text.
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
