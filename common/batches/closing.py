"""Closing a batch, once, and who publishes its trigger.

    all players ended      claims/closed-{generation} is created,     BatchComplete       trigger_message_id
    ──────────────────►    the publishing is claimed, one commit  ──►  is published ──────► is noted
                           (refused if somebody was faster)

Whoever's commit closes the batch holds the claim of publishing, for a grace that the server's clock judges.
So however often the closing event is delivered, and at once: without a crash the trigger goes out once. After
a crash in between, somebody claims it anew when the grace is over (a redelivery, another event, the sweep)
and publishes at most once more: n crashes of publishers make at most n + 1 messages of a generation.
The counter alone never closes a batch.
"""

from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from ..result import ErrorInfo, Result, returns_result
from .batch_store import BatchStore
from .changes import Change
from .completion import Completion
from .records import Batch, BatchStatus
from .rules import is_claimable
from .transitions import claim_trigger, close

SWEEP: Final = "sweep"
"""The event id of whoever closes a batch without an event."""


@dataclass(frozen=True, kw_only=True)
class Due:
    """A batch as the caller's own commit or reading has just left it.

    Whoever writes it must prove by its update time that nobody has written it since: the fields that a commit
    neither wrote nor returned are as of the first event.
    """

    batch: Batch
    ends: tuple[Completion, Completion] | None
    """The first and the last completion; None where another instance has recorded the first."""


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """Where a batch stands once its closing was attempted."""

    batch: Batch
    closed_by_caller: bool
    """Whether the caller's event closed the current generation."""
    owes_trigger: bool
    """Whether the caller is to publish the trigger now: the claim of it is the caller's."""

    @property
    def is_settled(self) -> bool:
        """Nothing is left to do for this generation."""
        return self.batch.status is not BatchStatus.OPEN and not self.batch.owes_trigger

    @property
    def awaits_another(self) -> bool:
        """The caller's event closed the batch, and another delivery of it is publishing the trigger, or has
        crashed at it: the caller must not say that all is done."""
        return self.closed_by_caller and self.batch.owes_trigger and not self.owes_trigger


class Closing:
    """Claims the closing of batches; safe to share between threads."""

    def __init__(self, store: BatchStore) -> None:
        self._store = store

    @returns_result
    def settle(
        self, batch_id: str, event_id: str, *, claimant: str | None = None, due: Due | None = None
    ) -> Settlement:
        """Close the batch if all its players have ended and nobody has closed it yet; claim its trigger if
        nobody is publishing it.

        Asked after every completion that may be the last, by repeats of one, and by the sweep. `claimant`
        tells this attempt from every other; it is made up here unless the caller has claimed under it before.
        `due` is what the caller knows of the batch already. Idempotent. Failures are those of
        `compare_and_set`.
        """
        # Made up where the caller has none: whoever tries a second time is another.
        me = claimant or uuid4().hex
        ends_seen = None if due is None else due.ends

        def decide(batch: Batch) -> Result[Change | None]:
            if batch.is_due:
                ends = self._store.ends(batch).unwrap() if ends_seen is None else ends_seen
                return Result.success(close(batch, event_id=event_id, claimant=me, ends=ends))
            # A claim of one's own is there if the answer to its commit was lost: it stands.
            is_free = batch.owes_trigger and batch.trigger_claim != me and is_claimable(batch)
            return Result.success(claim_trigger(batch, me) if is_free else None)

        # The warm path: the caller's own commit has shown that nothing is due, so no reading is spent.
        if due is not None and decide(due.batch).unwrap() is None:
            return _settlement(due.batch, event_id, me)
        seen = None if due is None else due.batch
        settled = self._store.compare_and_set(batch_id, decide, seen=seen).unwrap()
        return _settlement(settled.batch, event_id, me)


def being_published(batch: Batch) -> ErrorInfo:
    """For who must hear of the trigger before saying that all is done."""
    return ErrorInfo.not_yet(
        f"batch {batch.batch_id!r}: the trigger of generation {batch.generation} is being published",
        batch_id=batch.batch_id,
    )


def _settlement(batch: Batch, event_id: str, claimant: str) -> Settlement:
    return Settlement(
        batch=batch,
        # By the event, not by this attempt: a redelivery of it is told the same.
        closed_by_caller=batch.closed_by_event == event_id,
        owes_trigger=batch.owes_trigger and batch.trigger_claim == claimant,
    )
