"""Closing a batch, once, and who owes its trigger.

    all players ended      claims/closed-{generation} is created      BatchComplete       trigger_message_id
    ──────────────────►    with the batch's new status, one commit ─►  is published ──────► is noted
                           (refused if it exists)

A crash anywhere is resumed by the redelivery of the event that closed the batch (at once) or by any other
event and the sweep (after a grace). The counter alone never closes a batch.
"""

from dataclasses import dataclass
from typing import Final

from ..result import Result, returns_result
from .batch_store import BatchStore
from .changes import Change
from .records import Batch, BatchStatus, Completion
from .rules import must_publish
from .transitions import close

SWEEP: Final = "sweep"
"""The event id of whoever closes a batch without an event."""


@dataclass(frozen=True, kw_only=True)
class Due:
    """A batch whose last player has just ended, as the commit left it that recorded so.

    Whoever writes it must prove by its update time that nobody has written it since: the fields that the
    commit neither wrote nor returned are as of the first event.
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
    """Whether the caller is to publish the trigger now."""

    @property
    def is_settled(self) -> bool:
        """Nothing is left to do for this generation."""
        return self.batch.status is not BatchStatus.OPEN and not self.batch.owes_trigger


class Closing:
    """Claims the closing of batches; safe to share between threads."""

    def __init__(self, store: BatchStore) -> None:
        self._store = store

    @returns_result
    def settle(self, batch_id: str, event_id: str, *, due: Due | None = None) -> Settlement:
        """Close the batch if all its players have ended and nobody has closed it yet.

        `due` is what the caller knows of the batch already. Idempotent: the same event gets the same answer
        until the trigger is noted.
        """
        seen, ends_seen = (None, None) if due is None else (due.batch, due.ends)

        def decide(batch: Batch) -> Result[Change | None]:
            if not batch.is_due:
                return Result.success(None)
            ends = self._store.ends(batch).unwrap() if ends_seen is None else ends_seen
            return Result.success(close(batch, event_id=event_id, ends=ends))

        settled = self._store.compare_and_set(batch_id, decide, seen=seen).unwrap()
        return _settlement(settled.batch, event_id)


def _settlement(batch: Batch, event_id: str) -> Settlement:
    closed_by, closed_at = batch.closed_by_event, batch.closed_at
    if closed_by is None or closed_at is None:
        return Settlement(batch=batch, closed_by_caller=False, owes_trigger=False)
    is_mine = must_publish(
        closed_by=closed_by, event_id=event_id, closed_at=closed_at, server_now=batch.read_time
    )
    return Settlement(
        batch=batch,
        closed_by_caller=closed_by == event_id,
        owes_trigger=batch.owes_trigger and is_mine,
    )
