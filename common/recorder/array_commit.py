"""Records completions of a batch in mode `legacy`: the arrays of the batch document, and nothing else.

Read, append, write under a precondition: exact under redelivery, at the price of one try per rival write.
"""

from collections.abc import Sequence

from google.cloud import firestore

from ..batches.records import Batch, Completion
from ..batches.rules import MAX_ARRAY_ELEMENTS
from ..batches.store import BatchStore, Change
from ..result import ErrorInfo, Result
from .commit_request import array_players
from .marking import STALE, Marked, Verdict, judge

Answers = dict[str, Result[Marked]]


class ArrayCommit:
    """Commits completions of one batch that was in mode `legacy` when it was read."""

    def __init__(self, store: BatchStore, batch: Batch) -> None:
        self._store = store
        self._batch = batch

    def record(self, completions: Sequence[Completion]) -> list[Result[Marked]]:
        """One answer per completion, in order; no two of them are of the same player.

        A player who no longer fits into the array gets a PERMANENT failure, the others are recorded.
        """
        answers: Answers = {}

        def decide(batch: Batch) -> Result[Change | None]:
            answers.clear()
            new = self._answer(batch, completions, answers)
            return Result.success(append(batch, new) if new else None)

        amended = self._store.amend(self._batch.batch_id, decide)
        if amended.error is not None:
            return [Result.failure(amended.error) for _ in completions]
        return [answers[one.player_lookup] for one in completions]

    def _answer(self, batch: Batch, completions: Sequence[Completion], answers: Answers) -> list[Completion]:
        """Fill `answers` as if the commit had succeeded; returns what there is to commit."""
        if batch.mode_epoch != self._batch.mode_epoch:
            answers.update((one.player_lookup, Result.success(STALE)) for one in completions)
            return []
        new: list[Completion] = []
        counts, room = batch.counts, MAX_ARRAY_ELEMENTS - len(batch.in_array)
        for one in completions:
            known = batch.in_array.get(one.player_lookup)
            if known is not None:
                answers[one.player_lookup] = Result.success(judge(batch, known, one.event_id))
            elif len(new) == room:
                answers[one.player_lookup] = Result.failure(array_is_full(batch.batch_id, one))
            else:
                new.append(one)
                counts = counts.plus(one.outcome)
                is_last = counts.ended == batch.expected_players
                marked = Marked(verdict=Verdict.RECORDED, counts=counts, needs_settling=is_last)
                answers[one.player_lookup] = Result.success(marked)
        return new


def append(batch: Batch, new: Sequence[Completion]) -> Change:
    entries = [one.to_document(batch.read_time) for one in new]
    return Change(
        fields={
            **{name: firestore.ArrayUnion(players) for name, players in array_players(new).items()},
            "array_entries": firestore.ArrayUnion(entries),
            "total_predictions": firestore.Increment(sum(one.predictions_count for one in new)),
        }
    )


def array_is_full(batch_id: str, completion: Completion) -> ErrorInfo:
    return ErrorInfo.permanent(
        "ArrayFull",
        f"player_lookup: {completion.player_lookup!r} does not fit into the array of batch {batch_id!r}, "
        f"which holds {MAX_ARRAY_ELEMENTS}; upgrade the batch to mode 'subcollection' and replay the event",
        batch_id=batch_id,
        player_lookup=completion.player_lookup,
    )
