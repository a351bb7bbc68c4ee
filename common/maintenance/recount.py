"""Makes counters and arrays of a batch say again what its completion documents say. The repair of an audit.

The documents are what was recorded, one per player. Those of players whom nobody expects go to `unexpected/`;
players whose document or whose rows are lost can be marked as timed out, so that asking for them again
counts, and reopens a batch that is closed.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from ..batches.batches import Batches
from ..batches.changes import Change
from ..batches.completion import ARRAY, COUNTER, RECOUNTED, Completion, array_players
from ..batches.differences import differences
from ..batches.records import COMPLETIONS, UNEXPECTED, Batch, Counts
from ..batches.timeline import entry
from ..documents.writes import SERVER_TIME
from ..messages import PlayerOutcome
from ..result import ErrorInfo, Result, returns_result

REASON: Final = "lost, and asked for again"
"""Of the time-out that stands in for a lost player."""

Documents = Mapping[str, Completion]
"""By player."""


@returns_result
def recount(batches: Batches, batch_id: str, *, lost: Collection[str] = ()) -> Batch:
    """Recompute counters, totals and arrays from the documents, in one commit; the batch after it.

    `lost` are players to be asked for again. Idempotent: what agrees is left alone; decided anew if anything
    was recorded since it was read. PERMANENT (NotRecounted) for a batch that keeps no documents: mode
    `legacy`.
    """

    def decide(batch: Batch) -> Result[Change | None]:
        if not batch.schema_mode.writes_subcollection:
            return Result.failure(ErrorInfo.permanent("NotRecounted", f"{batch_id!r} keeps no documents"))
        found = batches.store.completions(batch_id)
        roster = batches.roster(batch_id)
        for asked in (found, roster):
            if asked.error is not None:
                return Result.failure(asked.error)
        # Read after the batch, and written only if the batch has not changed since: every completion writes
        # the batch, too.
        return Result.success(plan(batch, found.unwrap(), roster.unwrap().players, frozenset(lost)))

    return batches.store.compare_and_set(batch_id, decide).unwrap().batch


def plan(
    batch: Batch, documents: Documents, expected: Collection[str] | None, lost: Collection[str] = ()
) -> Change | None:
    """What to write; None where all agrees. Pure.

    A lost player who has a document is timed out in it, so that the completion that is asked for counts as
    better; one who has none gets one, unless the batch is open: there, a completion that comes finds nobody
    in its way.
    """
    # Kept, under `unexpected`: what nobody expects is not counted, and not deleted unseen either.
    ghosts = [name for name in documents if expected is not None and name not in expected]
    timed_out = {
        name: _timed_out(name, batch)
        for name in sorted(lost)
        if _is_to_be_timed_out(name, documents, batch.status.value == "open")
    }
    ended = {name: one for name, one in documents.items() if name not in ghosts} | timed_out
    if not timed_out and not differences(batch, documents, expected):
        return None
    unexpected = {f"{UNEXPECTED}/{name}": documents[name].to_document(SERVER_TIME) for name in ghosts}
    marked = {f"{COMPLETIONS}/{name}": one.to_document(SERVER_TIME) for name, one in timed_out.items()}
    # Named by the version that was read: each recount has an entry of its own.
    story = entry(
        f"recounted-{batch.update_time:%Y%m%dT%H%M%S%f}",
        "counters and arrays recomputed from the documents",
        before={**vars(batch.counts), "counter": batch.counter, "predictions": batch.total_predictions},
        unexpected=ghosts,
        timed_out=list(timed_out),
    )
    return Change(
        fields=_fields(batch, ended),
        sets={**unexpected, **marked, **story},
        deletes=tuple(f"{COMPLETIONS}/{name}" for name in ghosts),
    )


def _is_to_be_timed_out(name: str, documents: Documents, is_open: bool) -> bool:
    """Whether a lost player's document has to be written: not if it says so already."""
    known = documents.get(name)
    if known is None:
        return not is_open
    return known.outcome is not PlayerOutcome.TIMED_OUT


def _timed_out(name: str, batch: Batch) -> Completion:
    return Completion(
        player_lookup=name,
        outcome=PlayerOutcome.TIMED_OUT,
        predictions_count=0,
        event_id=RECOUNTED,
        reason=REASON,
        generation=batch.generation,
    )


def _fields(batch: Batch, ended: Documents) -> dict[str, Any]:
    """Counters, totals and arrays as these documents have them."""
    counts = Counts()
    for one in ended.values():
        counts = counts.plus(one.outcome)
    fields: dict[str, Any] = {field: getattr(counts, outcome.value) for outcome, field in COUNTER.items()}
    total = sum(one.predictions_count for one in ended.values())
    # Where only a name is known, nobody knows how many predictions there are: the stored total stays.
    if all(one.event_id or one.predictions_count for one in ended.values()):
        fields["total_predictions_subcoll"] = total
    if batch.schema_mode.writes_array:
        arrays = array_players(ended.values())
        fields |= {name: sorted(arrays.get(name, ())) for name in set(ARRAY.values())}
        fields["total_predictions"] = total
    return fields
