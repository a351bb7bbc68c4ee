"""Records completions of a batch in mode `legacy`: the arrays of the batch document, and nothing else.

Read, append, write under a precondition: exact under redelivery, at the price of one try per rival write.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ..batches.batch_store import BatchStore
from ..batches.changes import Change
from ..batches.completion import Completion, array_players
from ..batches.records import Batch
from ..batches.rules import MAX_ARRAY_ELEMENTS
from ..documents.writes import Increment, Union
from ..result import ErrorInfo, Result
from ..texts import cut_bytes
from .answers import CommitAnswer, Recorded, RecordOutcome, answer_for, stale

MAX_REASON_BYTES: Final = 300
"""Of a reason in the array: a thousand of them share one document."""
MAX_ARRAY_BYTES: Final = 950_000
"""Of 1,048,576 that Firestore takes for a document; the rest is for the fields beside the array."""
ENTRY_BYTES: Final = 260
"""Of an entry without its texts: the names of its fields, numbers, times."""

Answers = dict[str, Result[CommitAnswer]]


class ArrayCommit:
    """Commits completions of one batch that was in mode `legacy` when it was read.

    Goes with the last such batch.
    """

    def __init__(self, store: BatchStore, batch: Batch) -> None:
        self._store = store
        self._batch = batch

    async def record(self, completions: Sequence[Completion]) -> list[Result[CommitAnswer]]:
        """`record_blocking` in a thread."""
        return await asyncio.to_thread(self.record_blocking, completions)

    async def look(self, completion: Completion) -> Result[CommitAnswer]:
        """What stands for a player who has ended: recording it again finds that out, and writes nothing."""
        [answer] = await self.record([completion])
        return answer

    def record_blocking(self, completions: Sequence[Completion]) -> list[Result[CommitAnswer]]:
        """Record these completions, of different players, in one commit; one answer per completion, in order.

        A player who no longer fits into the array gets a PERMANENT failure (ArrayFull), the others are
        recorded. A fault of the store is everybody's. Again: the answers of before, and nothing is written.
        """
        answers: Answers = {}

        def decide(batch: Batch) -> Result[Change | None]:
            # Each attempt of the compare-and-set judges the batch anew.
            answers.clear()
            new = self._answer(batch, completions, answers)
            return Result.success(append(batch, new) if new else None)

        settled = self._store.compare_and_set(self._batch.batch_id, decide)
        if settled.error is not None:
            return [Result.failure(settled.error) for _ in completions]
        return [answers[one.player_lookup] for one in completions]

    def _answer(self, batch: Batch, completions: Sequence[Completion], answers: Answers) -> list[Completion]:
        """Fill `answers` as if the commit had succeeded; returns what there is to commit."""
        # The batch has left its mode since it was read: an array that nobody counts must not grow.
        if batch.mode_epoch != self._batch.mode_epoch:
            nothing: Result[CommitAnswer] = Result.failure(stale(batch.batch_id))
            answers.update((one.player_lookup, nothing) for one in completions)
            return []
        new: list[Completion] = []
        # Counted within the commit, too: two players may share it, and only the first may still fit.
        counts, room = batch.counts, MAX_ARRAY_ELEMENTS - len(batch.in_array)
        bytes_left = MAX_ARRAY_BYTES - sum(map(array_bytes, batch.in_array.values()))
        for one in map(cut, completions):
            known = batch.in_array.get(one.player_lookup)
            if known is not None:
                answers[one.player_lookup] = Result.success(answer_for(batch, known, one))
            # Refused by ourselves, and by name: a document that is too large would be refused by Firestore
            # with all players in it.
            elif len(new) == room or array_bytes(one) > bytes_left:
                answers[one.player_lookup] = Result.failure(array_is_full(batch.batch_id, one))
            else:
                new.append(one)
                bytes_left -= array_bytes(one)
                counts = counts.plus(one.outcome)
                recorded = Recorded(
                    outcome=RecordOutcome.RECORDED,
                    counts=counts,
                    expected_players=batch.expected_players,
                    needs_settling=counts.ended >= batch.expected_players,
                )
                answers[one.player_lookup] = Result.success(recorded)
        return new


def cut(completion: Completion) -> Completion:
    """As the array keeps it: a document per player has room for a reason, the one document of all has not."""
    reason = completion.reason
    if reason is None or len(reason.encode()) <= MAX_REASON_BYTES:
        return completion
    return replace(completion, reason=f"{cut_bytes(reason, MAX_REASON_BYTES)} (cut)")


def array_bytes(completion: Completion) -> int:
    """What a player takes of the batch document: rather a little too much."""
    texts = (completion.event_id, completion.reason, completion.staging_table)
    return (
        ENTRY_BYTES
        + 2 * len(completion.player_lookup.encode())
        + sum(len(text.encode()) for text in texts if text)
    )


def append(batch: Batch, new: Sequence[Completion]) -> Change:
    """The commit that adds players to the arrays; `new` are not in them yet."""
    entries = [one.to_document(batch.read_time) for one in new]
    return Change(
        fields={
            **{name: Union(tuple(players)) for name, players in array_players(new).items()},
            "array_entries": Union(tuple(entries)),
            "total_predictions": Increment(sum(one.predictions_count for one in new)),
        },
        # Nobody asks for the batch after it: the answers are known, and who closes it reads it.
        then=lambda at: batch.as_written(at),
    )


def array_is_full(batch_id: str, completion: Completion) -> ErrorInfo:
    """PERMANENT, with the way out: the event becomes a dead letter, which can be replayed."""
    return ErrorInfo.permanent(
        "ArrayFull",
        f"player_lookup: {completion.player_lookup!r} does not fit into the array of batch {batch_id!r}, "
        f"which holds {MAX_ARRAY_ELEMENTS} players and {MAX_ARRAY_BYTES} bytes; upgrade the batch to mode "
        "'subcollection' and replay the event",
        batch_id=batch_id,
        player_lookup=completion.player_lookup,
    )
