"""Records a group of completions of one batch in one commit; looks only if the commit is refused."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from google.api_core.retry import AsyncRetry
from google.cloud import firestore

from ..batches.records import COMPLETIONS, Batch, Completion
from ..batches.store import (
    CALL_TIMEOUT_SECONDS,
    COLLECTION,
    FAULTS,
    REFUSED,
    RETRY_TIMEOUT_SECONDS,
    UNREADABLE,
    contended,
)
from ..result import ErrorInfo, Result, is_transient
from .commit_request import Commits, Committed, build
from .marking import STALE, Due, Marked, Verdict, judge

ASYNC_RETRY: Final = AsyncRetry(
    predicate=is_transient, initial=0.05, maximum=2.0, timeout=RETRY_TIMEOUT_SECONDS
)
MAX_LOOKS: Final = 10

Answers = dict[str, Result[Marked]]


class MarkerCommit:
    """Commits completions of one batch, in the mode that the batch had when it was read."""

    def __init__(self, db: firestore.AsyncClient, batch: Batch) -> None:
        self._db = db
        self._batch = batch
        self._ref = db.collection(COLLECTION).document(batch.batch_id)
        self._commits = Commits(db, retry=ASYNC_RETRY)
        self._first: Completion | None = None
        """The first completion of the batch, if it was recorded here."""

    async def record(self, completions: Sequence[Completion]) -> list[Result[Marked]]:
        """One answer per completion, in order; no two of them are of the same player.

        A refused commit has written nothing. Whoever has ended already is answered from what the store holds,
        the others are committed again: nobody fails for a neighbour. A commit whose answer was lost is
        refused when it is repeated, and its completions are known by their event ids.
        """
        waiting = {one.player_lookup: one for one in completions}
        answers: Answers = {}
        try:
            for _ in range(MAX_LOOKS):
                if not waiting:
                    break
                found = await self._commit_or_look(waiting)
                answers |= found
                waiting = {name: one for name, one in waiting.items() if name not in found}
            error = contended(self._batch.batch_id)
        except (*FAULTS, *UNREADABLE) as exc:
            error = ErrorInfo.from_exception(exc, batch_id=self._batch.batch_id)
        failure: Result[Marked] = Result.failure(error)
        return [answers.get(one.player_lookup, failure) for one in completions]

    async def _commit_or_look(self, waiting: Mapping[str, Completion]) -> Answers:
        try:
            return await self._commit(list(waiting.values()))
        except REFUSED:
            return await self._look(waiting)

    async def _commit(self, completions: Sequence[Completion]) -> Answers:
        answer = await self._commits.send(build(self._db, self._batch, completions))
        if self._batch.schema_mode.counts_array:
            return await self._count_array(completions)
        return self._each_in_turn(completions, answer)

    def _each_in_turn(self, completions: Sequence[Completion], answer: Committed) -> Answers:
        """As if each completion had been committed alone: one, and only one, reaches the expected number."""
        answers: Answers = {}
        counts = answer.counts
        for one in completions:
            counts = counts.plus(one.outcome, -1)
        if counts.ended == 0:
            self._first = _timed(min(completions, key=_name), answer)
        for one in completions:
            counts = counts.plus(one.outcome)
            reaches_expected = counts.ended == self._batch.expected_players
            answers[one.player_lookup] = Result.success(
                Marked(
                    verdict=Verdict.RECORDED,
                    counts=counts,
                    needs_settling=reaches_expected,
                    due=self._due(completions, answer) if reaches_expected else None,
                )
            )
        return answers

    def _due(self, completions: Sequence[Completion], answer: Committed) -> Due:
        counts, predictions = answer.counts, answer.total_predictions
        batch = self._batch.as_written(
            answer.written_at, counts=counts, counter=counts.ended, total_predictions=predictions
        )
        last = _timed(max(completions, key=_name), answer)
        return Due(batch=batch, ends=None if self._first is None else (self._first, last))

    async def _count_array(self, completions: Sequence[Completion]) -> Answers:
        """The commit cannot tell the length of the array: read it; the closing claim decides who closes."""
        snapshot = await self._ref.get(retry=ASYNC_RETRY, timeout=CALL_TIMEOUT_SECONDS)
        batch = Batch.from_snapshot(snapshot)
        marked = Marked(verdict=Verdict.RECORDED, counts=batch.counts, needs_settling=batch.is_due)
        return {one.player_lookup: Result.success(marked) for one in completions}

    async def _look(self, waiting: Mapping[str, Completion]) -> Answers:
        """Answers for all who need no further commit; an empty dict means: try again."""
        markers = [self._ref.collection(COMPLETIONS).document(name) for name in waiting]
        stream = self._db.get_all([self._ref, *markers], retry=ASYNC_RETRY, timeout=CALL_TIMEOUT_SECONDS)
        seen = {snapshot.reference.path: snapshot async for snapshot in stream}
        snapshot = seen.pop(self._ref.path)
        batch = Batch.from_snapshot(snapshot) if snapshot.exists else None
        if batch is None or batch.mode_epoch != self._batch.mode_epoch:
            return {name: Result.success(STALE) for name in waiting}
        markers_found = [each for each in seen.values() if each.exists]
        return {each.id: self._judge(batch, each, waiting[each.id].event_id) for each in markers_found}

    def _judge(self, batch: Batch, marker: Any, event_id: str) -> Result[Marked]:
        """For a marker that nobody can read its own player fails, and no neighbour."""
        try:
            found = Completion.from_document(marker.to_dict())
        except UNREADABLE as exc:
            return Result.failure(ErrorInfo.from_exception(exc, completion=marker.reference.path))
        return Result.success(judge(batch, found, event_id))


def _name(completion: Completion) -> str:
    """Completions of one commit have one time: their names order them, as they do in the store."""
    return completion.player_lookup


def _timed(completion: Completion, answer: Committed) -> Completion:
    return replace(completion, completed_at=answer.completed_at)
