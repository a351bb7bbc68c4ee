"""The checks of batches: what each asks of the store, and the rule that judges it.

    all batches, one query ──▶ their documents alone tell most
                           ──▶ two counts of each ──▶ its documents, where the counts differ
                           ──▶ its times, where its deadline is near

Reads are what an audit costs: whatever is read of every batch is a document or a count, and nothing more.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ..batches import differences
from ..batches.expected_end import misses
from ..batches.records import Batch, BatchStatus, batch_path
from ..findings import Finding, FindingClass, Scope, Severity, operator_command
from ..result import Result, returns_result
from .batch_rules import scope_of
from .batches_seen import Batches, Seen
from .in_turn import Turn, concluded, walk
from .outcomes import NOTHING, Cost, Outcome, Unknown, outcome_of
from .pace import Past, end_of, past_of
from .stores import FIRESTORE
from .unreadable import unreadable_document

DOCUMENTS: Final = "documents"
PACE: Final = "pace"
PACE_FROM: Final = timedelta(hours=1)
"""How long before its deadline a batch's pace is looked at: time to act, and few batches to read."""

Rule = Callable[[Batch], Iterable[Finding]]
"""Pure: a batch as it was read → what is wrong with it."""


def check_each(seen: Result[Seen], rule: Rule, *, cost: Cost = NOTHING) -> Outcome:
    """A rule that needs no more than the batch document; Unknown where the batches could not be read."""
    if seen.error is not None:
        return Unknown(store=FIRESTORE, error=seen.error)
    known = seen.unwrap()
    found = [finding for batch in known.batches for finding in rule(batch)]
    return outcome_of(found, looked_at=known.batch_ids, cost=cost)


def check_documents(seen: Result[Seen]) -> Outcome:
    """Batch documents that nobody can read, each a finding.

    The cost of reading all batches is put down to this check.
    """
    if seen.error is not None:
        return Unknown(store=FIRESTORE, error=seen.error)
    known = seen.unwrap()
    found = [
        unreadable_document(
            DOCUMENTS,
            batch_path(batch_id),
            f"{error.exception_class}: {error.message}",
            of=Scope.of_batch(batch_id, None),
        )
        for batch_id, error in known.unreadable
    ]
    return outcome_of(found, looked_at=known.batch_ids, cost=Cost(reads=known.reads))


@dataclass(frozen=True, kw_only=True)
class _Counted:
    """What was found out about one batch."""

    findings: tuple[Finding, ...] = ()
    reads: int = 0


def check_counts(batches: Batches, seen: Result[Seen], turn: Turn) -> Outcome:
    """Array = documents = counters = total predictions, for each batch as of one moment.

    Cheap first: two counts per batch; only where they differ its documents are read and the players named. A
    batch that could not be read is unknown, and keeps no other from being looked at. Stops when `turn` is
    over; the next run goes on there.
    """
    if seen.error is not None:
        return Unknown(store=FIRESTORE, error=seen.error)
    known = seen.unwrap()
    counted = walk(known.batches, lambda batch: _count(batches, batch), turn)
    return concluded(
        differences.CHECK,
        counted,
        [finding for each in counted.found.values() for finding in each.findings],
        known.batches,
        also=known.gone,
        cost=Cost(reads=sum(each.reads for each in counted.found.values())),
    )


@returns_result
def _count(batches: Batches, batch: Batch) -> _Counted:
    """What the counts of one batch say, and its documents where they differ from its document.

    As of the batch's own read, so that a completion in between is no difference. Its reads are told also
    where all is well: they were billed.
    """
    # Before the move to documents there are none to be counted: the array is all there is.
    if not batch.schema_mode.writes_subcollection:
        return _Counted()
    totals = batches.totals(batch).unwrap()
    # As Firestore bills counts: one read per 1,000 index entries, rounded up, for each of the two.
    reads = 2 * max(1, -(-totals.documents // 1000))
    # The way of nearly every batch: two counts, and nothing else is read.
    if differences.agree(batch, totals):
        return _Counted(reads=reads)
    # Counts say that something differs, only documents who it is.
    details = batches.details(batch).unwrap()
    told = differences.differences(batch, details.documents, details.expected)
    return _Counted(findings=told, reads=reads + details.reads)


def check_pace(batches: Batches, seen: Result[Seen], turn: Turn) -> Outcome:
    """Open batches that will miss their deadline, told before they do: the earliest guess is past it.

    The times of completions are read only of a batch whose deadline is within the hour, and of the last ones
    before it.

    A guess, and so a warning: a batch that makes it after all closes the finding with the next look. Nothing
    is told where too few have come to guess by.
    """
    if seen.error is not None:
        return Unknown(store=FIRESTORE, error=seen.error)
    known = seen.unwrap()
    # Reading every completion of every open batch each hour would be most of the audit's cost.
    near = {batch.batch_id: batch for batch in known.batches if _is_near_its_deadline(batch)}
    read = walk(list(near.values()), batches.times, turn)
    # By day and once for each: the batches of one day share the days that they are compared with.
    past = {day: past_of(batches, day) for day in {near[batch_id].game_date for batch_id in read.found}}
    for each in past.values():
        if each.error is not None:
            return Unknown(store=FIRESTORE, error=each.error)
    found = [
        finding
        for batch_id, (started_at, completed_at) in read.found.items()
        for finding in slow(near[batch_id], started_at, completed_at, past[near[batch_id].game_date])
    ]
    return concluded(
        PACE,
        read,
        found,
        known.batches,
        also=known.batch_ids - near.keys(),
        cost=Cost(
            reads=sum(1 + len(completed_at) for _, completed_at in read.found.values())
            + sum(each.reads for each in past.values())
        ),
    )


def _is_near_its_deadline(batch: Batch) -> bool:
    """Past it, the batch is overdue, which another check tells."""
    if batch.status is not BatchStatus.OPEN or batch.deadline is None:
        return False
    return timedelta(0) < batch.deadline - batch.read_time <= PACE_FROM


def slow(
    batch: Batch,
    started_at: datetime | None,
    completed_at: Sequence[datetime],
    past: Past,
) -> list[Finding]:
    """The finding that it will miss its deadline; none where nobody can say. Pure."""
    end = end_of(batch, started_at, completed_at, now=batch.read_time, past=past)
    if end is None or not misses(end, batch.deadline):
        return []
    finding = Finding(
        finding_class=FindingClass.SLOW_BATCH,
        severity=Severity.WARNING,
        check=PACE,
        scope=scope_of(batch),
        summary=f"ends at {end.earliest:%H:%M} UTC at the earliest, its deadline is {batch.deadline:%H:%M}",
        look=operator_command("watch", batch.batch_id),
        depends_on=frozenset({FIRESTORE}),
    )
    return [finding]
