"""A completion that outdoes what stands for its player: the counts are moved, a closed batch is closed anew.

Late, as most are, after the deadline had spoken for the player; or a retry that succeeded where the first
attempt had failed; or the details of a player who was known by name only.

    sweep           p is missing: timed out ── closes: partial, generation 1 ── trigger 1
    recorder             p completed: refused by p's marker ── looks ── moves p, generation 2 ── trigger 2
    consolidation                                  merges generation 1 ── merges 2: only p's rows are new

Whichever of the two commits comes first: the marker of p exists once, and the better outcome stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ..documents.writes import SERVER_TIME, Difference, Increment, Union
from ..messages import PlayerOutcome
from ..result import Result, ResultError, returns_result
from .batch_store import BatchStore, not_there_yet
from .changes import Change
from .completion import ARRAY, COUNTER, Completion
from .records import CLAIMS, COMPLETIONS, Batch, BatchStatus
from .rules import closing_status, outdoes
from .timeline import contradiction, entry
from .transitions import as_closed, claim, claim_id, closed_fields


@dataclass(frozen=True, kw_only=True)
class Replaced:
    """The batch, and what stands for the player in it."""

    batch: Batch
    stands: Completion


class LateCompletions:
    """Lets the better outcome of a player stand; safe to share between threads."""

    def __init__(self, store: BatchStore) -> None:
        self._store = store

    @returns_result
    def record(
        self,
        batch_id: str,
        completion: Completion,
        *,
        claimant: str,
        seen: Batch | None = None,
        found: Completion | None = None,
    ) -> Replaced:
        """Move the player to the better outcome; a closed batch is closed again, in a new generation.

        `claimant` is who goes on to publish that trigger, see `Closing.settle`. Idempotent: a player for whom
        something as good stands is left alone, and `stands` says what that is. `seen` and `found`, the batch
        and the player as the caller read them in one moment, save the first reading of both. "Not yet" for a
        player who has not ended (any more); else the failures of `compare_and_set`.
        """
        stands = completion

        def decide(batch: Batch) -> Result[Change | None]:
            # Each attempt decides anew; the answer of the last one counts.
            nonlocal stands
            # `found` is of the same moment as `seen`: beside any later reading it may be out of date.
            before = (
                found if batch is seen else self._store.completion(batch, completion.player_lookup).unwrap()
            )
            if before is None:
                raise ResultError(not_there_yet(batch_id))
            if before.event_id == completion.event_id or not outdoes(completion, before):
                stands = before
                return Result.success(None)
            stands = moved(batch, before, completion)
            return Result.success(move(batch, before, stands, claimant=claimant))

        settled = self._store.compare_and_set(batch_id, decide, seen=seen).unwrap()
        return Replaced(batch=settled.batch, stands=stands)


def reclosed(batch: Batch, before: PlayerOutcome, after: PlayerOutcome) -> BatchStatus | None:
    """How a batch closes anew when one of its players has `after` instead of `before`, or None.

    One that is still open closes as usual; one given up stays so; one that failed reopens once enough players
    have been heard of. One that was consolidated had enough of them: where some were lost since and are asked
    for again, each that comes brings its rows at once, in a generation that is not merged yet.
    """
    if batch.status in (BatchStatus.OPEN, BatchStatus.ABANDONED):
        return None
    status = closing_status(
        batch.counts.plus(before, -1).plus(after),
        expected=batch.expected_players,
        min_completion_pct=batch.min_completion_pct,
    )
    if status is BatchStatus.FAILED:
        return BatchStatus.PARTIAL if _was_good_enough(batch) else None
    return status


def _was_good_enough(batch: Batch) -> bool:
    """Whether its generation has been merged, or is just being."""
    is_merged = batch.status in (BatchStatus.CONSOLIDATING, BatchStatus.CONSOLIDATED)
    return is_merged or batch.consolidated_generation > 0


def moved(batch: Batch, before: Completion, new: Completion) -> Completion:
    """The completion as it will stand, in the generation that it begins or belongs to."""
    status = reclosed(batch, before.outcome, new.outcome)
    generation = batch.generation if status is None else batch.generation + 1
    # Also in an open batch: the deadline may have spoken before the batch could be closed.
    is_late = batch.status is not BatchStatus.OPEN or before.outcome is PlayerOutcome.TIMED_OUT
    return replace(new, late=is_late, generation=generation)


def move(batch: Batch, before: Completion, after: Completion, *, claimant: str) -> Change:
    """The commit that lets `after`, as `moved` made it, stand for a player in the place of `before`."""
    status = reclosed(batch, before.outcome, after.outcome)
    predictions = after.predictions_count - before.predictions_count
    if before.is_known_by_name_only and not before.predictions_count:
        predictions = 0  # whoever wrote the name has added what it stands for to the total
    fields = {**_counters(batch, before, after, predictions), **_arrays(batch, before, after, predictions)}
    creates: dict[str, Mapping[str, Any]] = {}
    if status is not None:
        fields |= {
            **closed_fields(status, event_id=after.event_id, claimant=claimant),
            "generation": after.generation,
        }
        creates[f"{CLAIMS}/{claim_id(after.generation)}"] = claim(status, event_id=after.event_id)
    # One commit for all of it: counts, marker, claim and status cannot come apart.
    sets = _story(before, after)
    if batch.schema_mode.writes_subcollection:
        sets[f"{COMPLETIONS}/{after.player_lookup}"] = after.to_document(SERVER_TIME)
    return Change(
        fields=fields,
        creates=creates,
        sets=sets,
        then=lambda at: _afterwards(batch, before, after, predictions=predictions, claimant=claimant, at=at),
    )


def _afterwards(
    batch: Batch, before: Completion, after: Completion, *, predictions: int, claimant: str, at: datetime
) -> Batch:
    """The batch once `move` is written at `at`; must say what `_counters` and `_arrays` write."""
    status = reclosed(batch, before.outcome, after.outcome)
    in_array = batch.in_array
    if batch.schema_mode.writes_array:
        in_array = {**in_array, after.player_lookup: after}
    more: dict[str, Any] = {
        "counts": batch.counts.plus(before.outcome, -1).plus(after.outcome),
        "total_predictions": batch.total_predictions + predictions,
        "generation": after.generation,
        "in_array": in_array,
    }
    if status is None:
        return batch.as_written(at, **more)
    return as_closed(batch, at, status, event_id=after.event_id, claimant=claimant, **more)


def _story(before: Completion, after: Completion) -> dict[str, Mapping[str, Any]]:
    """The timeline's entries: the completion that came late, and the one that it contradicts, if any."""
    # A time-out is nobody's word: an event cannot contradict it.
    contradicts = before.outcome not in (PlayerOutcome.TIMED_OUT, after.outcome)
    told = contradiction(before) if contradicts else {}
    return {
        **told,
        **entry(
            f"late-{after.player_lookup}",
            f"{after.outcome.value} after all",
            new_generation=after.generation,
            event_id=after.event_id,
        ),
    }


def _counters(batch: Batch, before: Completion, after: Completion, predictions: int) -> dict[str, Any]:
    """The total moves, and two counters where the outcome changes; their sum stays, so the batch is not
    closed twice.
    """
    if not batch.schema_mode.writes_subcollection:
        return {}
    fields: dict[str, Any] = {"total_predictions_subcoll": Increment(predictions)}
    if before.outcome is not after.outcome:
        fields |= {COUNTER[before.outcome]: Increment(-1), COUNTER[after.outcome]: Increment(1)}
    return fields


def _arrays(batch: Batch, before: Completion, after: Completion, predictions: int) -> dict[str, Any]:
    """The arrays and their total, in modes that keep them; who changes sides leaves one for the other."""
    if not batch.schema_mode.writes_array:
        return {}
    fields: dict[str, Any] = {"total_predictions": Increment(predictions)}
    left, entered = ARRAY[before.outcome], ARRAY[after.outcome]
    if left != entered:
        # Two transforms of one commit: at no moment is the player in both arrays, or in none.
        fields[left] = Difference((after.player_lookup,))
        fields[entered] = Union((after.player_lookup,))
    if not batch.schema_mode.writes_subcollection:
        # As a whole: its elements are maps, which a union would add to and never replace.
        fields["array_entries"] = [
            one.to_document(one.completed_at or batch.read_time)
            for one in {**batch.in_array, after.player_lookup: after}.values()
        ]
    return fields
