"""The batches that an instance is recording: read once, kept while in use, forgotten when others come."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from ..batches.batches import Batches
from ..batches.completion import Completion
from ..batches.records import Batch, Counts, Roster
from ..batches.rules import ARRAY_WARNING_ELEMENTS
from ..messages import PlayerOutcome
from ..result import Result
from .answers import CommitAnswer, Recorded, RecordOutcome
from .fallback import commit_all
from .group_commit import MAX_IN_FLIGHT, GroupCommit

MAX_BATCHES: Final = 16
"""A batch of 20,000 players takes a few MiB."""
TRUSTED_SECONDS: Final = 5.0
"""How long a batch, and how a player has ended, is taken to be as it was last seen. After that a repeat asks
the store, but for that of our own event on a settled batch: others may have closed it or corrected it."""


class Commit(Protocol):
    """Writes completions of one batch, as `SubcollectionCommit` and `ArrayCommit` do."""

    async def record(self, completions: Sequence[Completion]) -> Sequence[Result[CommitAnswer]]:
        """One answer per completion, in order."""

    async def look(self, completion: Completion) -> Result[CommitAnswer]:
        """What stands for a player who has ended."""


class _Known(NamedTuple):
    """How a player has ended, as this instance learnt it."""

    event_id: str | None
    """None where it is another event than those that came here."""
    player_outcome: PlayerOutcome
    outcome: RecordOutcome
    seen_at: float
    """By the monotonic clock."""


class CachedBatch:
    """What this instance knows of one batch, and the commits that it has under way.

    `batch` is as of the first event: only what never changes is read from it.
    """

    def __init__(
        self,
        roster: Roster,
        commit: Commit,
        *,
        max_in_flight: int = MAX_IN_FLIGHT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.batch: Batch = roster.batch
        self.counts = roster.batch.counts
        """The highest that was seen."""
        self.is_settled = False
        """Known to be closed, with the trigger of its last known generation noted."""
        self._generation = roster.batch.generation
        self._monotonic = monotonic
        self._players = roster.players
        self._commit = commit
        self._group = GroupCommit(
            self._commit_group, max_in_flight=max_in_flight, size_of=Completion.stored_bytes
        )
        self._ended: dict[str, _Known] = {}
        self._pending: dict[str, list[asyncio.Future[Result[CommitAnswer]]]] = {}
        """Players on their way, and who else waits for each."""
        self._seen_at = 0.0
        self._nears_array_limit = False

    def expects(self, player_lookup: str) -> bool:
        """Whether the player is in the manifest; everybody is, where none was ever stored."""
        return self._players is None or player_lookup in self._players

    async def record(self, completion: Completion) -> Result[CommitAnswer]:
        """The store's answer to a completion, or ours where we know it: a repeat never enters a commit.

        A repeat of what is on its way waits for it, and fails with it.

            event 1 of p    ── enters a group ────────────── committed ── answered
            event 2 of p       waits: p is on its way ───────────────┘── known: answered without the store

        Without that two events of p in one group would make a commit that Firestore refuses for good.
        """
        name = completion.player_lookup
        # Again after each: of several who waited, another may have set out before us.
        while name in self._pending:
            first = await self._follow(name)
            if first.is_failure:
                return first
        known = self._ended.get(name)
        if known is None:
            # Set before anything is awaited: no other task can come in between.
            self._pending[name] = []
            return await self._group.submit(completion)
        if self._is_trusted(known, completion) and _is_repeated_by(known, completion):
            return Result.success(self._repeated(known, completion))
        answer = await self._commit.look(completion)
        if answer.is_success:
            self._learn(completion, answer.unwrap())
        return answer

    def settle(self, batch: Batch, *, is_settled: bool) -> None:
        """Learn whether anything is left to do for the batch's generation.

        News of an earlier one than is known comes too late: its trigger may be noted while that of a late
        completion is still owed.
        """
        if batch.generation >= self._generation:
            self._generation, self.is_settled = batch.generation, is_settled

    def is_first_to_near_array_limit(self, counts: Counts) -> bool:
        """Whether a person is to be warned now: once per instance and batch."""
        is_near = self.batch.schema_mode.writes_array and counts.ended >= ARRAY_WARNING_ELEMENTS
        is_first = is_near and not self._nears_array_limit
        self._nears_array_limit |= is_near
        return is_first

    def _is_trusted(self, known: _Known, completion: Completion) -> bool:
        """Whether what is known of the player answers this event, without the store.

        Another event than ours is a repeat while the batch is open and the player was just seen. Once all
        have ended it may as well answer a request that was made again, for what we recorded was lost since:

            event 1 of p    recorded, the batch closes
            repair               p's rows are lost: p is timed out and asked for again
            event 2 of p                            seconds later: no repeat of what is known here
        """
        now = self._monotonic()
        if known.event_id != completion.event_id:
            return not self._all_have_ended and now - known.seen_at < TRUSTED_SECONDS
        return self.is_settled or now - self._seen_at < TRUSTED_SECONDS

    async def _follow(self, name: str) -> Result[CommitAnswer]:
        future: asyncio.Future[Result[CommitAnswer]] = asyncio.get_running_loop().create_future()
        self._pending[name].append(future)
        return await future

    def _repeated(self, known: _Known, completion: Completion) -> Recorded:
        is_own = known.event_id == completion.event_id
        return Recorded(
            outcome=known.outcome if is_own else RecordOutcome.DUPLICATE,
            counts=self.counts,
            expected_players=self.batch.expected_players,
            needs_settling=self._all_have_ended and not self.is_settled,
        )

    @property
    def _all_have_ended(self) -> bool:
        return self.counts.ended >= self.batch.expected_players

    async def _commit_group(self, completions: Sequence[Completion]) -> Sequence[Result[CommitAnswer]]:
        answers = await commit_all(self._commit.record, completions, batch_id=self.batch.batch_id)
        for completion, answer in zip(completions, answers, strict=True):
            if answer.is_success:
                self._learn(completion, answer.unwrap())
            for follower in self._pending.pop(completion.player_lookup):
                if not follower.cancelled():
                    follower.set_result(answer)
        return answers

    def _learn(self, completion: Completion, answer: CommitAnswer) -> None:
        if not isinstance(answer, Recorded):
            return
        now = self._seen_at = self._monotonic()
        # Answers of commits in flight may come in any order.
        if answer.counts.ended > self.counts.ended:
            self.counts = answer.counts
        name, stands = completion.player_lookup, answer.contradicted
        if answer.outcome is not RecordOutcome.DUPLICATE:
            self._ended[name] = _Known(completion.event_id, completion.outcome, answer.outcome, now)
        elif stands is not None:
            self._ended[name] = _Known(None, stands.outcome, RecordOutcome.DUPLICATE, now)
        else:
            as_told = _Known(None, completion.outcome, RecordOutcome.DUPLICATE, now)
            self._ended[name] = self._ended.get(name, as_told)._replace(seen_at=now)


def _is_repeated_by(known: _Known, completion: Completion) -> bool:
    """A table that comes with another event than ours may be what the store still lacks."""
    may_fill_in = known.event_id is None and completion.staging_table is not None
    return known.player_outcome is completion.outcome and not may_fill_in


class BatchCache:
    """The batches of one instance, for the tasks of one event loop; at most `max_batches` are kept, those
    that were used last. One that is dropped while its commits are in flight is finished by those who hold it.
    """

    def __init__(
        self, batches: Batches, cached: Callable[[Roster], CachedBatch], *, max_batches: int = MAX_BATCHES
    ) -> None:
        self._batches = batches
        self._cached = cached
        self._max_batches = max_batches
        self._kept: OrderedDict[str, CachedBatch] = OrderedDict()
        self._loading: dict[str, asyncio.Task[Result[CachedBatch]]] = {}

    async def get(self, batch_id: str) -> Result[CachedBatch]:
        """The batch, read once for all tasks that ask at the same time. Failures are not kept."""
        known = self._kept.get(batch_id)
        if known is not None:
            self._kept.move_to_end(batch_id)
            return Result.success(known)
        if batch_id not in self._loading:
            task = asyncio.get_running_loop().create_task(self._load(batch_id))
            self._loading[batch_id] = task
            # Kept only while it runs: a failure is asked anew by the next event.
            task.add_done_callback(lambda _: self._loading.pop(batch_id))
        # A caller that is cancelled does not take the reading from the others.
        return await asyncio.shield(self._loading[batch_id])

    def settle(self, batch: Batch) -> None:
        """Nothing is left to do for this generation of the batch; of no interest unless the batch is kept."""
        cached = self._kept.get(batch.batch_id)
        if cached is not None:
            cached.settle(batch, is_settled=True)

    def forget(self, cached: CachedBatch) -> None:
        """Read the batch anew at its next event. Commits in flight are not disturbed."""
        if self._kept.get(cached.batch.batch_id) is cached:
            del self._kept[cached.batch.batch_id]

    async def _load(self, batch_id: str) -> Result[CachedBatch]:
        loaded = await asyncio.to_thread(self._batches.roster, batch_id)
        return loaded.map(self._keep)

    def _keep(self, roster: Roster) -> CachedBatch:
        cached = self._cached(roster)
        self._kept[roster.batch.batch_id] = cached
        if len(self._kept) > self._max_batches:
            self._kept.popitem(last=False)
        return cached
