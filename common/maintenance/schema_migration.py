"""Moves an open batch between the modes of the migration, forward and back.

Backfill, verify and switch are one commit, refused if the batch has changed since it was read. A recorder
that still believes in the mode before is refused by the tombstone that this commit leaves, and reads again.

What a reader of the legacy system sees depends on the mode (figures in `common/README.md`). Skipped players
are in `completed_players` and have a document, but `completed_count` leaves them out: they are counted in
`skipped_count`. So its comparison of array and counter differs by the skipped players, though nothing is
lost; the counter reaches `expected_players` only where all have completed, the array where none has failed or
was timed out. Whether a batch is over says `is_complete`, in every mode. What a mode does not write is not
emptied by a switch: it stays as it was then.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ..batches.batches import Batches
from ..batches.changes import Change
from ..batches.completion import ARRAY, COUNTER, Completion
from ..batches.records import COMPLETIONS, Batch, BatchStatus, Counts, Roster
from ..batches.rules import MAX_ARRAY_ELEMENTS
from ..batches.timeline import entry
from ..documents.writes import REMOVED
from ..message_fields import check_document_id
from ..messages import PlayerOutcome
from ..result import ErrorInfo, Result, ResultError, returns_result
from ..schema_mode import SchemaMode
from ..texts import counted

ORDER: Final = (
    SchemaMode.LEGACY,
    SchemaMode.DUAL_WRITE,
    SchemaMode.SUBCOLLECTION_READS,
    SchemaMode.SUBCOLLECTION,
)
"""The way from the array to the subcollection; an upgrade may leave out steps, a rollback goes back."""

Ended = Mapping[str, Completion]
"""By player."""


class Migration:
    """Changes the mode of single batches, on request, beside live recorders; called by the operator's
    `migrate`.
    """

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    def upgrade(self, batch_id: str, *, to: SchemaMode) -> Result[Batch]:
        """Move an open batch forward in ORDER; returns the batch as it is then. Again: nothing changes.

        PERMANENT, and nothing is changed, if array and documents contradict each other (Inconsistent), or if
        the batch is not open or `to` lies behind it (NotSwitched).
        """
        return self._switch(batch_id, to, forward=True)

    def rollback(self, batch_id: str, *, to: SchemaMode) -> Result[Batch]:
        """Move an open batch backward in ORDER.

        As `upgrade`; also PERMANENT if its players do not fit into the array.
        """
        return self._switch(batch_id, to, forward=False)

    @returns_result
    def _switch(self, batch_id: str, to: SchemaMode, *, forward: bool) -> Batch:
        def decide(batch: Batch) -> Result[Change | None]:
            if batch.schema_mode is to:
                return Result.success(None)
            problem = _refusal(batch, to, forward)
            if problem is not None:
                raise ResultError(ErrorInfo.permanent("NotSwitched", f"batch {batch_id!r}: {problem}"))
            # The roster for its players alone; the batch is the one that the commit is conditional on.
            roster = replace(self._batches.roster(batch_id).unwrap(), batch=batch)
            return plan(roster, self._batches.documents(batch).unwrap(), to)

        return self._batches.store.compare_and_set(batch_id, decide).unwrap().batch


def plan(roster: Roster, documents: Ended, to: SchemaMode) -> Result[Change | None]:
    """The commit that makes both schemas say the same, as far as `to` keeps them, and switches. Pure.

    recorder    read: epoch 1 ─────────────────────── commits under epoch 1: refused, modes/1 is there
    migration            backfills, epoch 2, creates modes/1 ┘            reads again: new mode, epoch 2
    """
    batch = roster.batch
    ended = _truth(batch, documents)
    problem = _contradiction(roster, documents, ended, to)
    if problem is not None:
        return Result.failure(ErrorInfo.permanent("Inconsistent", f"batch {batch.batch_id!r}: {problem}"))
    epoch = batch.mode_epoch + 1
    story = entry(
        f"mode-{epoch}", f"{batch.schema_mode.value} → {to.value}", backfilled=len(ended) - len(documents)
    )
    fields: dict[str, Any] = {"schema_mode": to.value, "mode_epoch": epoch}
    if to.writes_array:
        fields |= _array_fields(batch, ended, to)
    if to.writes_subcollection:
        fields |= _counter_fields(batch, ended)
        story |= {
            f"{COMPLETIONS}/{name}": one.to_document(one.completed_at or batch.read_time)
            for name, one in ended.items()
            # Only what differs: most of it is there, and a commit takes 10 MiB.
            if documents.get(name) != one
        }
    return Result.success(
        Change(fields=fields, creates={f"modes/{batch.mode_epoch}": {"left": True}}, sets=story)
    )


def _truth(batch: Batch, documents: Ended) -> Ended:
    """How the players ended, from whatever the batch's mode keeps up to date."""
    if batch.schema_mode is SchemaMode.LEGACY:
        return batch.in_array
    if batch.schema_mode is SchemaMode.SUBCOLLECTION:
        return documents
    return {**batch.in_array, **documents}


def _refusal(batch: Batch, to: SchemaMode, forward: bool) -> str | None:
    is_forward = ORDER.index(to) > ORDER.index(batch.schema_mode)
    if batch.status is not BatchStatus.OPEN:
        return f"status: {batch.status.value}; only an open batch changes its mode"
    if is_forward is not forward:
        return f"{batch.schema_mode.value} → {to.value} is {'an upgrade' if is_forward else 'a rollback'}"
    return None


def _contradiction(roster: Roster, documents: Ended, ended: Ended, to: SchemaMode) -> str | None:
    """Why a switch would lose or invent something, with names; None if it would not."""
    batch = roster.batch
    keeps_both = batch.schema_mode.writes_array and batch.schema_mode.writes_subcollection
    # Only where both are kept up to date: else one of them is old, and rightly so.
    unlike = sorted(
        name
        for name in batch.in_array.keys() & documents.keys()
        if keeps_both and ARRAY[batch.in_array[name].outcome] != ARRAY[documents[name].outcome]
    )
    if unlike:
        return f"array and documents disagree about {unlike}"
    strangers = sorted(ended.keys() - roster.players) if roster.players is not None else []
    if strangers:
        return f"not in the manifest: {strangers}"
    if to.writes_array and max(len(ended), batch.expected_players) > MAX_ARRAY_ELEMENTS:
        return (
            f"{counted(batch.expected_players, 'player', 'do')} not fit into the array ({MAX_ARRAY_ELEMENTS})"
        )
    return next((f"{name!r} cannot be a document" for name in ended if not _is_document_id(name)), None)


def _array_fields(batch: Batch, ended: Ended, to: SchemaMode) -> dict[str, Any]:
    """The arrays and their total.

    Mode `legacy` keeps the details of each player, too: it has no documents.
    """
    arrays: dict[str, list[str]] = {name: [] for name in ARRAY.values()}
    for name in sorted(ended):
        arrays[ARRAY[ended[name].outcome]].append(name)
    entries = [
        one.to_document(one.completed_at or batch.read_time)
        for one in ended.values()
        if to is SchemaMode.LEGACY
    ]
    return {**arrays, "array_entries": entries, "total_predictions": _total(batch, ended)}


def _counter_fields(batch: Batch, ended: Ended) -> dict[str, Any]:
    """Counters and total as the documents have them; what only the array's modes keep is removed."""
    counts = Counts()
    for one in ended.values():
        counts = counts.plus(one.outcome)
    counters = {COUNTER[outcome]: getattr(counts, outcome.value) for outcome in PlayerOutcome}
    return {
        **counters,
        "total_predictions_subcoll": _total(batch, ended),
        "array_entries": REMOVED,
    }


def _total(batch: Batch, ended: Ended) -> int:
    """What is known of each player, summed; the batch's own total where only names are known."""
    is_known = all(one.event_id or one.predictions_count for one in ended.values())
    return sum(one.predictions_count for one in ended.values()) if is_known else batch.total_predictions


def _is_document_id(name: str) -> bool:
    try:
        check_document_id(name)
    except ValueError:
        return False
    return True
