"""The batches that an instance is recording: read once, kept while in use, forgotten when others come."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from ..batches.batches import Batches, Roster
from ..batches.records import Completion
from ..result import ErrorInfo, Result
from .group_commit import MAX_IN_FLIGHT, GroupCommit
from .marking import Marked, Verdict

MAX_BATCHES: Final = 16
"""A batch of 20,000 players takes a few MiB."""

Commit = Callable[[Sequence[Completion]], Awaitable[Sequence[Result[Marked]]]]


class OpenBatch:
    """What this instance knows of one batch, and the commits that it has under way.

    `batch` is as of the first event: only what never changes is read from it.
    """

    def __init__(self, roster: Roster, commit: Commit, *, max_in_flight: int = MAX_IN_FLIGHT) -> None:
        self.batch = roster.batch
        self.counts = roster.batch.counts
        """The highest that was seen."""
        self.is_settled = False
        """Known to be closed, with its trigger noted."""
        self.has_warned = False
        """That the array is nearly full."""
        self._players = roster.players
        self._commit = commit
        self._group = GroupCommit(self._commit_group, max_in_flight=max_in_flight)
        self._ended: dict[str, str] = {}
        """Players known to have ended, and an event that said so."""
        self._pending: dict[str, list[asyncio.Future[Result[Marked]]]] = {}
        """Players on their way, and who else waits for each."""

    def expects(self, player_lookup: str) -> bool:
        """Whether the player is in the manifest; everybody is, where none was ever stored."""
        return self._players is None or player_lookup in self._players

    async def mark(self, completion: Completion) -> Result[Marked]:
        """The store's word on a completion, or ours where we know it: a repeat never enters a commit.

        A repeat of what is on its way waits for it, and fails with it.
        """
        name = completion.player_lookup
        while name in self._pending:
            first = await self._follow(name)
            if first.is_failure:
                return first
        if name in self._ended:
            return Result.success(self._known(completion))
        self._pending[name] = []
        return await self._group.submit(completion)

    async def _follow(self, name: str) -> Result[Marked]:
        future: asyncio.Future[Result[Marked]] = asyncio.get_running_loop().create_future()
        self._pending[name].append(future)
        return await future

    def _known(self, completion: Completion) -> Marked:
        is_own = self._ended[completion.player_lookup] == completion.event_id
        all_ended = self.counts.ended >= self.batch.expected_players
        return Marked(
            verdict=Verdict.OWN if is_own else Verdict.DUPLICATE,
            counts=self.counts,
            needs_settling=all_ended and not self.is_settled,
        )

    async def _commit_group(self, completions: Sequence[Completion]) -> Sequence[Result[Marked]]:
        answers = await self._answers(completions)
        for completion, answer in zip(completions, answers, strict=True):
            if answer.is_success:
                self._learn(completion, answer.unwrap())
            for follower in self._pending.pop(completion.player_lookup):
                if not follower.cancelled():
                    follower.set_result(answer)
        return answers

    async def _answers(self, completions: Sequence[Completion]) -> Sequence[Result[Marked]]:
        try:
            return await self._commit(completions)
        except Exception as exc:  # handed to every caller, not swallowed
            error = ErrorInfo.from_exception(exc, batch_id=self.batch.batch_id)
            return [Result.failure(error)] * len(completions)

    def _learn(self, completion: Completion, marked: Marked) -> None:
        if marked.counts.ended > self.counts.ended:
            self.counts = marked.counts
        if marked.verdict in (Verdict.RECORDED, Verdict.OWN):
            self._ended[completion.player_lookup] = completion.event_id
        elif marked.verdict is Verdict.DUPLICATE:
            self._ended.setdefault(completion.player_lookup, "")


class OpenBatches:
    """A cache for the tasks of one event loop; at most `max_batches` are kept."""

    def __init__(
        self, batches: Batches, open_batch: Callable[[Roster], OpenBatch], *, max_batches: int = MAX_BATCHES
    ) -> None:
        self._batches = batches
        self._open_batch = open_batch
        self._max_batches = max_batches
        self._open: OrderedDict[str, OpenBatch] = OrderedDict()
        self._loading: dict[str, asyncio.Task[Result[OpenBatch]]] = {}

    async def get(self, batch_id: str) -> Result[OpenBatch]:
        """The batch, read once for all tasks that ask at the same time. Failures are not kept."""
        known = self._open.get(batch_id)
        if known is not None:
            self._open.move_to_end(batch_id)
            return Result.success(known)
        if batch_id not in self._loading:
            task = asyncio.get_running_loop().create_task(self._load(batch_id))
            self._loading[batch_id] = task
            task.add_done_callback(lambda _: self._loading.pop(batch_id))
        return await asyncio.shield(self._loading[batch_id])

    def forget(self, open_batch: OpenBatch) -> None:
        """Read the batch anew at its next event. Commits in flight are not disturbed."""
        if self._open.get(open_batch.batch.batch_id) is open_batch:
            del self._open[open_batch.batch.batch_id]

    async def _load(self, batch_id: str) -> Result[OpenBatch]:
        loaded = await asyncio.to_thread(self._batches.roster, batch_id)
        return loaded.map(self._keep)

    def _keep(self, roster: Roster) -> OpenBatch:
        opened = self._open_batch(roster)
        self._open[roster.batch.batch_id] = opened
        if len(self._open) > self._max_batches:
            self._open.popitem(last=False)
        return opened
