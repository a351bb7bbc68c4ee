"""The recorder's answer to one completion, from the commit that decided it to the handler that acts on it."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from ..batches.completion import Completion
from ..batches.records import Batch, Counts
from ..batches.rules import outdoes
from ..result import ErrorInfo, Result

STALE: Final = "Stale"


class RecordOutcome(Enum):
    """What a completion turned out to be."""

    RECORDED = "recorded"
    DUPLICATE = "duplicate"
    """The player has ended already by another event that says as much or more."""
    UNEXPECTED = "unexpected"
    """Not a player of this batch: kept in `unexpected/`, never counted."""
    LATE = "late"
    """After the batch was closed, or after the deadline had spoken for the player."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """The answer to one completion; the same event gets the same outcome again, unless a better one of its
    player came in between."""

    outcome: RecordOutcome
    counts: Counts
    """Of the batch right after this completion, or when last seen if it was recorded before."""
    expected_players: int
    """Of the batch."""
    needs_settling: bool = False
    """Whether the batch is to be closed, or its trigger to be published, as far as this answer knows."""
    batch: Batch | None = None
    """The batch as the store has it after this, where that was told: saves reading it. Who writes it must
    prove by its update time that nobody has written it since."""
    ends: tuple[Completion, Completion] | None = None
    """The first and the last completion of the batch, where both are known."""
    contradicted: Completion | None = None
    """What stands for the player, if it is another outcome of another event."""
    is_sampled: bool = False
    """Whether the two schemas of the batch are to be compared, once everything else is done."""
    completes_batch: bool = False
    """Whether this event closed the batch; true for exactly one event per generation, though not of each of
    its deliveries: one that comes when the batch is settled is answered without looking."""
    owed_trigger: Batch | None = None
    """The closed batch whose trigger the caller is to publish now."""

    @property
    def completed_count(self) -> int:
        """Players with outcome `completed`."""
        return self.counts.completed

    @property
    def ended_count(self) -> int:
        """Players that have ended in any way."""
        return self.counts.ended

    @property
    def is_unusual(self) -> bool:
        """Whether a person may want to know."""
        return self.outcome in (RecordOutcome.UNEXPECTED, RecordOutcome.LATE)


@dataclass(frozen=True, kw_only=True)
class Outdone:
    """The store holds a lesser outcome of this player: nothing was written, the better one shall stand."""

    batch: Batch
    found: Completion


CommitAnswer = Recorded | Outdone


def stale(batch_id: str) -> ErrorInfo:
    """TRANSIENT: nothing was written, the batch is gone or has changed its mode since it was read.

    Read it again, and record anew.
    """
    return ErrorInfo.transient(STALE, f"batch {batch_id!r} has changed since it was read", batch_id=batch_id)


def is_stale(answer: Result[CommitAnswer]) -> bool:
    """Whether the batch is to be read again; every other failure is one for whoever asked."""
    return answer.error is not None and answer.error.exception_class == STALE


def answer_for(batch: Batch, found: Completion, one: Completion) -> Recorded | Outdone:
    """The answer to a player who has ended already, from what the store holds. Pure.

    Of another event that says less: Outdone, for the better one shall stand.
    """
    # The same event says the same at each delivery; only another one can be better.
    if found.event_id != one.event_id and outdoes(one, found):
        return Outdone(batch=batch, found=found)
    return as_it_stands(batch, found, one)


def as_it_stands(batch: Batch, found: Completion, one: Completion) -> Recorded:
    """The answer where `found` stands: it is of this very event, or of another that is as good."""
    is_own = found.event_id == one.event_id
    own_outcome = RecordOutcome.LATE if found.late else RecordOutcome.RECORDED
    return Recorded(
        outcome=own_outcome if is_own else RecordOutcome.DUPLICATE,
        counts=batch.counts,
        expected_players=batch.expected_players,
        # Whoever was to close it, or to publish its trigger, may have died: every repeat looks.
        needs_settling=batch.is_due or batch.owes_trigger,
        batch=batch,
        contradicted=None if is_own or found.outcome is one.outcome else found,
    )
