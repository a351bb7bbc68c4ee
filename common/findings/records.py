"""A finding, as of one look: what is wrong, with what, who is concerned, what mends it. Frozen records."""

import hashlib
import shlex
from dataclasses import dataclass
from datetime import date
from enum import Enum


class FindingClass(Enum):
    """What is wrong."""

    MISSING_MARKER = "missing_marker"
    """Players who are counted, or expected by a closed batch, and have no completion document."""
    GHOST_MARKER = "ghost_marker"
    """Completion documents of players whom neither array nor manifest knows."""
    LOST_INCREMENT = "lost_increment"
    """A counter, or the sum of predictions, says less than the documents."""
    DOUBLE_INCREMENT = "double_increment"
    """A counter, or the sum of predictions, says more than the documents."""
    CONTRADICTING_OUTCOMES = "contradicting_outcomes"
    """The array, or the counters by outcome, say otherwise than the documents how players ended."""
    MISSING_ROW = "missing_row"
    """Players have fewer rows in the main table than they staged."""
    GHOST_ROW = "ghost_row"
    """Rows of players whom no consolidated batch of the day has."""
    DUPLICATE_ROW = "duplicate_row"
    """A business key is in the main table more than once."""
    MODIFIED_ROW = "modified_row"
    """Rows were changed after their consolidation, by something else."""
    BROKEN_ROW_RULE = "broken_row_rule"
    """Rows break a rule that BigQuery cannot enforce (`predictions.table.RULES`)."""
    UNSENT_TRIGGER = "unsent_trigger"
    """A closed batch without its trigger, or a consolidated one without its announcement, for longer than
    a sweep takes."""
    OVERDUE_BATCH = "overdue_batch"
    """Open past its deadline, or though all its players have ended."""
    FAILED_BATCH = "failed_batch"
    """Closed at its deadline with too few players: not consolidated until somebody asks for the others."""
    SLOW_BATCH = "slow_batch"
    """At its pace it misses its deadline."""
    STUCK_CONSOLIDATION = "stuck_consolidation"
    """Triggered or begun, and no receipt in the time that several attempts take."""
    ORPHANED_STAGING = "orphaned_staging"
    """Staging tables older than a day, of batches that are over."""
    EXPIRED_LOCK = "expired_lock"
    """A lease ended and was not given back: its holder has died."""
    LONG_HELD_LOCK = "long_held_lock"
    """A lock is renewed for longer than any work takes: its holder hangs."""
    ARRAY_NEARLY_FULL = "array_nearly_full"
    """A legacy array is close to the number of elements that one document bears."""
    UNREADABLE_DOCUMENT = "unreadable_document"
    """A document from which nobody can tell what it means."""
    STUCK_PHASE = "stuck_phase"
    """A boundary that is blocked for too long, has no tier left to wait for, or has missed its deadline."""
    ABANDONED_PHASE = "abandoned_phase"
    """A date that a person gave up."""
    INCOMPLETE_START = "incomplete_start"
    """A phase that was started after a wait, without some of the processors before it."""
    UNSENT_DISPATCH = "unsent_dispatch"
    """A start that was decided, and whose trigger was not sent."""
    SILENT_PHASE = "silent_phase"
    """A phase past its deadline of which no event was ever seen."""
    UNKNOWN_SCHEDULE = "unknown_schedule"
    """Phases are silent, and nobody can say whether there are games."""
    WAITING_DEAD_LETTERS = "waiting_dead_letters"
    """Messages that nobody could handle and nobody has looked at."""
    MISSING_TOPIC = "missing_topic"
    """A topic of the registry does not exist."""
    MISSING_SUBSCRIPTION = "missing_subscription"
    """A subscription of the registry does not exist: what is published is lost to its reader."""
    WRONG_SUBSCRIPTION = "wrong_subscription"
    """A subscription that is not as the registry has it."""
    ABSENT_RUN = "absent_run"
    """A sweep, or the audit itself, that was due and did not run."""
    STORE_DOWN = "store_down"
    """A store that did not answer. What depends on it is not told meanwhile."""


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
    """Publish the trigger or the announcement again; their receivers endure repeats."""
    REPUBLISH_DISPATCH = "republish_dispatch"
    """Look at the date anew, which sends what was decided."""
    RECOMPUTE_COUNTERS = "recompute_counters"
    """Counters and arrays from the completion documents."""
    CLOSE_OVERDUE = "close_overdue"
    """What the sweep does: time out who is missing, and close."""
    CONSOLIDATE_AGAIN = "consolidate_again"
    """Publish the trigger again."""
    RELEASE_LOCK = "release_lock"
    """Take the lock from its holder; the next fence makes whatever the holder still sends stale."""
    REPLACE_ROWS = "replace_rows"
    """Remove the rows of these players, and ask for them again. For a person alone to decide."""
    REMOVE_ORPHANS = "remove_orphans"
    """Remove the staging tables that may still go."""
    REDRIVE_MISSING = "redrive_missing"
    """Ask again for the players who are missing."""

    @property
    def is_by_hand(self) -> bool:
        """Whether a person has to want it: an audit never does it by itself, for rows that somebody has
        changed may have been changed for a reason."""
        return self is Repair.REPLACE_ROWS


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
