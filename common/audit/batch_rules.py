"""What is wrong with one batch as it stands: the batch in, findings out. No clock, no I/O.

"Now" is the moment at which the batch was read, by the server's clock.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from ..batches.records import Batch, BatchStatus
from ..batches.rules import ARRAY_WARNING_ELEMENTS, MAX_ARRAY_ELEMENTS, ended_so_far, is_overdue
from ..findings import Finding, FindingClass, Repair, Scope, Severity, operator_command
from ..texts import counted
from .stores import BIGQUERY, FIRESTORE, PUBSUB

SWEEP_MISSED: Final = timedelta(minutes=15)
"""What redeliveries and the ten-minute sweep should have resumed by then. Earlier, the system mends itself,
and a finding would only teach people to wait."""
CONSOLIDATION_TAKES: Final = timedelta(minutes=30)
"""Three runs of the consolidation at its time limit."""

TRIGGERS: Final = "triggers"
"""Names of the checks; a finding bears that of its own."""
DEADLINES: Final = "deadlines"
CONSOLIDATIONS: Final = "consolidations"
ARRAYS: Final = "arrays"

_BUS: Final = frozenset({FIRESTORE, PUBSUB})
_ALL: Final = frozenset({FIRESTORE, PUBSUB, BIGQUERY})
_FIRESTORE: Final = frozenset({FIRESTORE})


def scope_of(batch: Batch) -> Scope:
    """Findings of one batch are told together."""
    return Scope.of_batch(batch.batch_id, batch.game_date)


def document_findings(batch: Batch) -> Iterable[Finding]:
    """All that the document of a batch alone tells of what is wrong with it.

    In the words of an audit, so that a list of batches and the audit never say two things of one document.
    Without the arrays: a warning about a limit to come is none about this batch's work.
    """
    for rule in (trigger_findings, deadline_findings, consolidation_findings):
        yield from rule(batch)


def trigger_findings(batch: Batch) -> Iterable[Finding]:
    """Closed without a trigger, or consolidated without its announcement, for longer than a sweep takes.

    A batch may have neither or one of them; the two cannot be true of one generation.
    """
    closed_for = None if batch.closed_at is None else batch.read_time - batch.closed_at
    if batch.owes_trigger and closed_for is not None and closed_for >= SWEEP_MISSED:
        yield Finding(
            finding_class=FindingClass.UNSENT_TRIGGER,
            severity=Severity.CRITICAL,
            check=TRIGGERS,
            scope=scope_of(batch),
            summary=f"{batch.status.value} for {minutes(closed_for)}, its consolidation was not triggered",
            repair=Repair.REPUBLISH_TRIGGER,
            depends_on=_BUS,
        )
    # By generations: an announcement of an earlier one does not tell of this one.
    is_announced = batch.phase_generation >= batch.consolidated_generation
    unchanged_for = batch.read_time - batch.update_time
    # The legacy system announced without noting it, and its batches know no generation.
    if batch.consolidated_generation and not is_announced and unchanged_for >= SWEEP_MISSED:
        yield Finding(
            finding_class=FindingClass.UNSENT_TRIGGER,
            severity=Severity.CRITICAL,
            check=TRIGGERS,
            scope=scope_of(batch),
            subject="announcement",
            summary=f"consolidated for {minutes(unchanged_for)}, and the end of its phase was not announced",
            repair=Repair.REPUBLISH_TRIGGER,
            depends_on=_BUS,
        )


def deadline_findings(batch: Batch) -> Iterable[Finding]:
    """Open past its deadline, or with all its players ended; or failed, which somebody has to decide on.

    A batch is told by one of the two ways of being open too long, never by both; being failed is apart, as
    such a batch is open no more.
    """
    if is_overdue(batch, batch.read_time - SWEEP_MISSED):
        # `is_overdue` is never true without a deadline: this is for the type checker.
        assert batch.deadline is not None
        yield _open_too_long(
            batch,
            f"open {minutes(batch.read_time - batch.deadline)} past its deadline: {ended_so_far(batch)}",
        )
    elif batch.is_due and batch.read_time - batch.update_time >= SWEEP_MISSED:
        yield _open_too_long(batch, "all players have ended, and nobody has closed it")
    # Whatever its age: who comes late may reopen it, but nothing asks anybody to come.
    if batch.status is BatchStatus.FAILED:
        # Timed-out players are missing: the deadline spoke for them, nobody else.
        missing, every_one = batch.expected_players - batch.counts.reported, batch.expected_players
        yield Finding(
            finding_class=FindingClass.FAILED_BATCH,
            severity=Severity.CRITICAL,
            check=DEADLINES,
            scope=scope_of(batch),
            summary=f"failed at its deadline: {missing} of {counted(every_one, 'player')} not heard of",
            repair=Repair.REDRIVE_MISSING,
            look=operator_command("missing", batch.batch_id),
            depends_on=_FIRESTORE,
        )


def _open_too_long(batch: Batch, why: str) -> Finding:
    """One finding for both ways: the same repair closes it, and only one of them can be so."""
    return Finding(
        finding_class=FindingClass.OVERDUE_BATCH,
        severity=Severity.CRITICAL,
        check=DEADLINES,
        scope=scope_of(batch),
        summary=f"{why}: {ended_so_far(batch)}",
        repair=Repair.CLOSE_OVERDUE,
        depends_on=_FIRESTORE,
    )


def consolidation_findings(batch: Batch) -> Iterable[Finding]:
    """Triggered or begun, and not consolidated in the time that several attempts take.

    A batch that still owes its trigger is told by `trigger_findings` alone.
    """
    begun = batch.status is BatchStatus.CONSOLIDATING
    # By the last write. An attempt that finds the batch being consolidated already writes nothing: the half
    # hour runs from the first attempt on, not from the latest.
    triggered = batch.status.wants_trigger and not batch.owes_trigger
    unchanged_for = batch.read_time - batch.update_time
    if (begun or triggered) and unchanged_for >= CONSOLIDATION_TAKES:
        state = "being consolidated" if begun else "triggered"
        yield Finding(
            finding_class=FindingClass.STUCK_CONSOLIDATION,
            severity=Severity.CRITICAL,
            check=CONSOLIDATIONS,
            scope=scope_of(batch),
            summary=f"{state} for {minutes(unchanged_for)} without a receipt",
            repair=Repair.CONSOLIDATE_AGAIN,
            depends_on=_ALL,
        )


def array_findings(batch: Batch) -> Iterable[Finding]:
    """The legacy array is nearly full, at the limit that Firestore's index entries set (see
    MAX_ARRAY_ELEMENTS): the batch is to be migrated while it still takes completions.
    """
    size = len(batch.in_array)
    if batch.schema_mode.writes_array and size >= ARRAY_WARNING_ELEMENTS:
        yield Finding(
            finding_class=FindingClass.ARRAY_NEARLY_FULL,
            severity=Severity.WARNING,
            check=ARRAYS,
            scope=scope_of(batch),
            summary=f"{size} of at most {MAX_ARRAY_ELEMENTS} players are in the array",
            # A command that a person may give, and no repair: moving a batch is a decision.
            look=operator_command("migrate", batch.batch_id, "--to", "subcollection"),
            depends_on=_FIRESTORE,
        )


def minutes(span: timedelta) -> str:
    """`25 min`, `3 h 10 min`: whole minutes."""
    total = int(span.total_seconds() // 60)
    return f"{total} min" if total < 60 else f"{total // 60} h {total % 60} min"
