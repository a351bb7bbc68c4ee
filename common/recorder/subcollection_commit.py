"""Records a group of completions of one batch in one commit; looks only if the commit is refused.

    group {a, b, c}   commit: refused, a marker of b is there ── reads the markers of a, b, c
                      b: its own event → recorded (the answer was lost); another's → duplicate or outdone
    group {a, c}      commit: one transaction of the store ── counts come back ── each is counted in turn

A refusal names only one document, and its text is no contract: so all of them are read. Each round answers at
least one player, or finds the batch in another mode.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from ..batches import recording
from ..batches.batch_store import batch_in, contended, readable
from ..batches.completion import Completion
from ..batches.records import COMPLETIONS, Batch, Counts, batch_path
from ..documents.port import AsyncDocuments, is_refused
from ..result import ErrorInfo, Result, ResultError
from .answers import CommitAnswer, Recorded, RecordOutcome, answer_for, stale

MAX_LOOKS: Final = 10
"""Refusals in a row after which the group is given up as Contended: every one of them means that somebody
else has recorded a player of it in the meantime."""

Answers = dict[str, Result[CommitAnswer]]


class FirstCompletion:
    """The first completion of a batch, if this instance has recorded it: its closing tells of it."""

    def __init__(self) -> None:
        self.known: Completion | None = None


class SubcollectionCommit:
    """Commits completions of one batch, in the mode that the batch had when it was read: a commit in a mode
    that it has left is refused by the store.
    """

    def __init__(self, documents: AsyncDocuments, batch: Batch, first: FirstCompletion) -> None:
        self._documents = documents
        self._batch = batch
        self._path = batch_path(batch.batch_id)
        self._first = first

    async def record(self, completions: Sequence[Completion]) -> list[Result[CommitAnswer]]:
        """Record the group; one answer per completion, in order. No two of them are of the same player.

        A refused commit has written nothing. Whoever has ended already is answered from what the store holds,
        the others are committed again: nobody fails for a neighbour. A commit whose answer was lost is
        refused when it is repeated, and its completions are known by their event ids. Whom a fault of the
        store leaves unanswered has it as the failure.
        """
        waiting = {one.player_lookup: one for one in completions}
        answers: Answers = {}
        error: ErrorInfo | None = None
        try:
            for _ in range(MAX_LOOKS):
                if not waiting:
                    break
                group = list(waiting.values())
                written = await self._documents.commit(recording.writes(self._batch, group))
                if is_refused(written):
                    answers |= await self._look(waiting)
                else:
                    answers |= await self._answers(group, recording.committed(written.unwrap()))
                waiting = {name: one for name, one in waiting.items() if name not in answers}
        except ResultError as exc:
            error = exc.error
        if waiting:
            unanswered: Result[CommitAnswer] = Result.failure(error or contended(self._batch.batch_id))
            answers |= dict.fromkeys(waiting, unanswered)
        return [answers[one.player_lookup] for one in completions]

    async def look(self, completion: Completion) -> Result[CommitAnswer]:
        """What stands for a player who has ended; Stale if nobody has recorded it any more."""
        try:
            found = await self._look({completion.player_lookup: completion})
        except ResultError as exc:
            return Result.failure(exc.error)
        return found.get(completion.player_lookup, Result.failure(stale(self._batch.batch_id)))

    async def _answers(self, completions: Sequence[Completion], committed: recording.Committed) -> Answers:
        if self._batch.schema_mode.counts_array:
            return await self._count_array(completions)
        return self._each_in_turn(completions, committed)

    def _each_in_turn(self, completions: Sequence[Completion], committed: recording.Committed) -> Answers:
        """As if each completion had been committed alone: one, and only one, reaches the expected number."""
        answers: Answers = {}
        counts = committed.counts
        # The commit returned the counts behind the whole group: taken back to before it, then counted up.
        for outcome, number in Counter(one.outcome for one in completions).items():
            counts = counts.plus(outcome, -number)
        # Nobody had ended before this commit: the first completion of the batch is in it.
        if counts.ended == 0:
            self._first.known = _timed(min(completions, key=_name), committed)
        for one in completions:
            counts = counts.plus(one.outcome)
            recorded = self._recorded(counts, needs_settling=counts.ended >= self._batch.expected_players)
            if recorded.needs_settling:
                recorded = self._with_batch(recorded, completions, committed)
            answers[one.player_lookup] = Result.success(recorded)
        return answers

    def _recorded(self, counts: Counts, *, needs_settling: bool) -> Recorded:
        return Recorded(
            outcome=RecordOutcome.RECORDED,
            counts=counts,
            expected_players=self._batch.expected_players,
            needs_settling=needs_settling,
        )

    def _with_batch(
        self, recorded: Recorded, completions: Sequence[Completion], committed: recording.Committed
    ) -> Recorded:
        """The batch as this commit left it: the fields that it neither wrote nor returned are as of the first
        event, so whoever writes it proves by its update time that nobody has written it since."""
        counts = committed.counts
        batch = self._batch.as_written(
            committed.written_at,
            counts=counts,
            counter=counts.ended,
            total_predictions=committed.total_predictions,
        )
        # Whoever completes the batch was the last to be recorded, in this very commit.
        first, last = self._first.known, _timed(max(completions, key=_name), committed)
        return replace(recorded, batch=batch, ends=None if first is None else (first, last))

    async def _count_array(self, completions: Sequence[Completion]) -> Answers:
        """The commit cannot tell the length of the array: read it; the closing claim decides who closes."""
        found = await self._documents.get([self._path])
        batch = batch_in(found.unwrap(), self._batch.batch_id).unwrap()
        recorded = replace(self._recorded(batch.counts, needs_settling=batch.is_due), batch=batch)
        return {one.player_lookup: Result.success(recorded) for one in completions}

    async def _look(self, waiting: Mapping[str, Completion]) -> Answers:
        """Answers for all who need no further commit; an empty dict means: try again.

        Raises ResultError, also for a batch that is stale.
        """
        paths = {name: f"{self._path}/{COMPLETIONS}/{name}" for name in waiting}
        found = (await self._documents.get([self._path, *paths.values()])).unwrap()
        if self._path not in found:
            raise ResultError(stale(self._batch.batch_id))
        batch = batch_in(found, self._batch.batch_id).unwrap()
        # Migrated since it was read: what is written in its old mode would not be counted.
        if batch.mode_epoch != self._batch.mode_epoch:
            raise ResultError(stale(self._batch.batch_id))
        return {
            # For a document that nobody can read its own player fails, and no neighbour.
            name: readable(found[path], Completion.from_document).map(
                lambda stored, name=name: answer_for(batch, stored, waiting[name])  # type: ignore[misc]
            )
            for name, path in paths.items()
            if path in found
        }


def _name(completion: Completion) -> str:
    """Completions of one commit have one time: their names order them, as they do in the store."""
    return completion.player_lookup


def _timed(completion: Completion, committed: recording.Committed) -> Completion:
    return replace(completion, completed_at=committed.completed_at)
