"""A completion after the deadline had spoken for its player: the counts are moved, a closed batch reopens."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from google.cloud import firestore

from ..messages import PlayerOutcome
from ..recorder.commit_request import ARRAY, COUNTER
from ..result import ErrorInfo, Result
from .records import CLAIMS, COMPLETIONS, Batch, BatchStatus, Completion
from .rules import closing_status
from .store import CALL_TIMEOUT_SECONDS, FAULTS, RETRY, UNREADABLE, BatchStore, Change
from .timeline import entry
from .transitions import claim, claim_id, closed_fields


@dataclass(frozen=True, kw_only=True)
class Moved:
    """The batch after a late completion, and whether it was the caller's event that was taken."""

    batch: Batch
    by_caller: bool


class LateCompletions:
    """Replaces `timed_out` by what a worker says after all; safe to share between threads."""

    def __init__(self, store: BatchStore) -> None:
        self._store = store

    def record(self, batch_id: str, completion: Completion) -> Result[Moved]:
        """Move the player to the real outcome; a closed batch is closed again, in a new generation.

        Safe to repeat: a player who is no longer `timed_out` is left alone.
        """
        moved_by = completion.event_id

        def decide(batch: Batch) -> Result[Change | None]:
            nonlocal moved_by
            found = self._found(batch, completion.player_lookup)
            if found.error is not None:
                return Result.failure(found.error)
            is_waiting = found.unwrap().outcome is PlayerOutcome.TIMED_OUT
            moved_by = completion.event_id if is_waiting else found.unwrap().event_id
            return Result.success(move(batch, completion) if is_waiting else None)

        return self._store.amend(batch_id, decide).map(
            lambda amended: Moved(batch=amended.batch, by_caller=moved_by == completion.event_id)
        )

    def _found(self, batch: Batch, player_lookup: str) -> Result[Completion]:
        """How the player ended: by now there is a completion, if only by the deadline."""
        if not batch.schema_mode.writes_subcollection:
            return Result.success(batch.in_array[player_lookup])
        ref = self._store.ref(batch.batch_id).collection(COMPLETIONS).document(player_lookup)
        try:
            data = ref.get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS).to_dict()
            return Result.success(Completion.from_document(data or {}))
        except (*FAULTS, *UNREADABLE) as exc:
            return Result.failure(ErrorInfo.from_exception(exc, batch_id=batch.batch_id))


def reclosed(batch: Batch, outcome: PlayerOutcome) -> BatchStatus | None:
    """How a batch closes anew when one of its timed-out players has `outcome` after all, or None.

    One that is still open closes as usual; one given up stays so; one that failed reopens once enough players
    have been heard of.
    """
    if batch.status in (BatchStatus.OPEN, BatchStatus.ABANDONED):
        return None
    status = closing_status(
        batch.counts.plus(PlayerOutcome.TIMED_OUT, -1).plus(outcome),
        expected=batch.expected_players,
        min_completion_pct=batch.min_completion_pct,
    )
    return None if status is BatchStatus.FAILED else status


def move(batch: Batch, completion: Completion) -> Change:
    """The commit that moves one player from `timed_out` to what was reported."""
    status = reclosed(batch, completion.outcome)
    generation = batch.generation if status is None else batch.generation + 1
    late = replace(completion, late=True, generation=generation)
    story = entry(
        f"late-{late.player_lookup}",
        f"{late.outcome.value} after all",
        new_generation=generation,
        event_id=late.event_id,
    )
    fields = {**_counters(batch, late), **_arrays(batch, late)}
    creates: dict[str, Mapping[str, Any]] = {}
    if status is not None:
        fields |= {**closed_fields(status, event_id=late.event_id), "generation": generation}
        creates[f"{CLAIMS}/{claim_id(generation)}"] = claim(status, event_id=late.event_id)
    if batch.schema_mode.writes_subcollection:
        story[f"{COMPLETIONS}/{late.player_lookup}"] = late.to_document(firestore.SERVER_TIMESTAMP)
    return Change(fields=fields, creates=creates, sets=story)


def _counters(batch: Batch, late: Completion) -> dict[str, Any]:
    if not batch.schema_mode.writes_subcollection:
        return {}
    return {
        COUNTER[PlayerOutcome.TIMED_OUT]: firestore.Increment(-1),
        COUNTER[late.outcome]: firestore.Increment(1),
        "total_predictions_subcoll": firestore.Increment(late.predictions_count),
    }


def _arrays(batch: Batch, late: Completion) -> dict[str, Any]:
    if not batch.schema_mode.writes_array:
        return {}
    fields: dict[str, Any] = {"total_predictions": firestore.Increment(late.predictions_count)}
    before, after = ARRAY[PlayerOutcome.TIMED_OUT], ARRAY[late.outcome]
    if before != after:
        fields[before] = firestore.ArrayRemove([late.player_lookup])
        fields[after] = firestore.ArrayUnion([late.player_lookup])
    if not batch.schema_mode.writes_subcollection:
        fields["array_entries"] = [
            one.to_document(one.completed_at or batch.read_time)
            for one in {**batch.in_array, late.player_lookup: late}.values()
        ]
    return fields
