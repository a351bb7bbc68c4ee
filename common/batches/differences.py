"""Array, completion documents and counters of one batch: what differs, who is concerned, what mends it. Pure.

The documents are what was recorded, one per player; array and counters are derived from them in the same
commit. So whatever differs is a defect, if all was read as of one moment.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ..findings import Finding, FindingClass, Repair, Scope, Severity
from ..messages import PlayerOutcome
from ..texts import counted
from .completion import Completion
from .records import Batch, BatchStatus

CHECK: Final = "batch_counts"
"""Name of the check of the audit that finds these."""
FIRESTORE: Final = frozenset({"firestore"})

_LISTED_AS_COMPLETED: Final = (PlayerOutcome.COMPLETED, PlayerOutcome.SKIPPED)
"""Outcomes that the array has in `completed_players`."""


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What a count of the documents tells, without reading them."""

    documents: int
    predictions: int
    completed: int
    """How many of them have the outcome `completed`."""


def agree(batch: Batch, totals: Totals) -> bool:
    """Whether nothing can differ but in the names: then nobody needs to read the documents."""
    if not batch.schema_mode.writes_subcollection:
        return True
    is_array_alike = not batch.schema_mode.writes_array or len(batch.in_array) == totals.documents
    return (
        is_array_alike
        and batch.counter == totals.documents
        and batch.total_predictions == totals.predictions
        and batch.counts.completed == totals.completed
        and (batch.status is not BatchStatus.OPEN or batch.counter <= batch.expected_players)
    )


def differences(
    batch: Batch, documents: Mapping[str, Completion], expected: Collection[str] | None
) -> tuple[Finding, ...]:
    """What differs, one finding per class; () where all agrees, and for a batch without documents.

    `expected` is the manifest; None where none was ever stored. A counter is judged by the documents that
    there should be: a document that is missing, or should not be there, is said to be so, and is no lost
    increment as well.
    """
    if not batch.schema_mode.writes_subcollection:
        return ()
    missing, ghosts = _missing(batch, documents, expected), _ghosts(batch, documents, expected)
    found = [
        _finding(
            batch,
            FindingClass.MISSING_MARKER,
            f"{counted(len(missing), 'counted player', 'have')} no completion document",
            ids=missing,
            repair=Repair.REDRIVE_MISSING,
        )
        if missing
        else None,
        _finding(
            batch,
            FindingClass.GHOST_MARKER,
            f"{counted(len(ghosts), 'player', 'have')} a completion document, and nothing else knows them",
            ids=ghosts,
            repair=Repair.RECOMPUTE_COUNTERS,
        )
        if ghosts
        else None,
        # Against the players that should be there: a document that is lost is no lost increment.
        _counter(batch, len(documents) + len(missing) - len(ghosts)),
        _contradictions(batch, documents),
        # A document too few or too many makes the sum differ as well: one cause, one finding.
        None if missing or ghosts else _predictions(batch, documents.values()),
    ]
    return tuple(each for each in found if each is not None)


def _missing(
    batch: Batch, documents: Mapping[str, Completion], expected: Collection[str] | None
) -> tuple[str, ...]:
    """In the array without a document; without an array, expected and closed or counted as having ended."""
    if batch.schema_mode.writes_array:
        # The array is written in the commit of the document: a player in it alone has lost the document.
        return tuple(sorted(batch.in_array.keys() - documents.keys()))
    # Of an open batch nobody knows yet who is lost, and who is still to come.
    is_closed = batch.status not in (BatchStatus.OPEN, BatchStatus.ABANDONED)
    if expected is None or not (is_closed or batch.counter == len(expected)):
        return ()
    return tuple(sorted(set(expected) - documents.keys()))


def _ghosts(
    batch: Batch, documents: Mapping[str, Completion], expected: Collection[str] | None
) -> tuple[str, ...]:
    """Not in the array; without an array, not expected."""
    # Where no manifest was stored, nobody can be called a stranger.
    known = set(batch.in_array) if batch.schema_mode.writes_array else set(expected or documents)
    return tuple(sorted(documents.keys() - known))


def _counter(batch: Batch, should_be: int) -> Finding | None:
    """The four counters' sum against the players that have ended."""
    if batch.counter == should_be:
        return None
    is_lost = batch.counter < should_be
    return _finding(
        batch,
        FindingClass.LOST_INCREMENT if is_lost else FindingClass.DOUBLE_INCREMENT,
        f"the counters say {batch.counter}, {counted(should_be, 'player', 'have')} ended",
        repair=Repair.RECOMPUTE_COUNTERS,
    )


def _contradictions(batch: Batch, documents: Mapping[str, Completion]) -> Finding | None:
    """The array has a player as failed whose document says completed, or the counts differ by outcome."""
    unlike = tuple(
        sorted(
            name
            for name in batch.in_array.keys() & documents.keys()
            if batch.schema_mode.writes_array
            and _is_listed_as_completed(batch.in_array[name]) != _is_listed_as_completed(documents[name])
        )
    )
    of_outcome = Counter(one.outcome.value for one in documents.values())
    differ = [
        f"{outcome.value} {getattr(batch.counts, outcome.value)} instead of {of_outcome[outcome.value]}"
        for outcome in PlayerOutcome
        if getattr(batch.counts, outcome.value) != of_outcome[outcome.value]
    ]
    if unlike:
        told = f"array and documents disagree about how {counted(len(unlike), 'player')} ended"
    # As many as there are documents: otherwise an increment is lost or doubled, and told as that.
    elif differ and batch.counts.ended == len(documents):
        told = f"the counters disagree with the documents: {', '.join(differ)}"
    else:
        return None
    return _finding(
        batch,
        FindingClass.CONTRADICTING_OUTCOMES,
        told,
        ids=unlike,
        repair=Repair.RECOMPUTE_COUNTERS,
    )


def _is_listed_as_completed(one: Completion) -> bool:
    return one.outcome in _LISTED_AS_COMPLETED


def _predictions(batch: Batch, documents: Iterable[Completion]) -> Finding | None:
    """The batch's sum of predictions against that of the documents.

    Nothing where they agree, or where some player is known by name only.
    """
    told = list(documents)
    total = sum(one.predictions_count for one in told)
    # Of whom the legacy system has counted only the name is known.
    is_known = all(one.event_id or one.predictions_count for one in told)
    if total == batch.total_predictions or not is_known:
        return None
    is_lost = batch.total_predictions < total
    return _finding(
        batch,
        FindingClass.LOST_INCREMENT if is_lost else FindingClass.DOUBLE_INCREMENT,
        f"the batch says {counted(batch.total_predictions, 'prediction')}, its completions tell of {total}",
        subject="predictions",
        repair=Repair.RECOMPUTE_COUNTERS,
    )


def _finding(
    batch: Batch,
    finding_class: FindingClass,
    summary: str,
    *,
    ids: tuple[str, ...] = (),
    subject: str = "",
    repair: Repair,
) -> Finding:
    return Finding(
        finding_class=finding_class,
        severity=Severity.CRITICAL,
        check=CHECK,
        scope=Scope.of_batch(batch.batch_id, batch.game_date),
        summary=summary,
        subject=subject,
        ids=ids,
        repair=repair,
        depends_on=FIRESTORE,
    )
