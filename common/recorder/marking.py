"""What became of one completion that was handed to the store."""

from dataclasses import dataclass
from enum import Enum

from ..batches.records import Batch, Completion, Counts
from ..messages import PlayerOutcome


class Verdict(Enum):
    """The store's word on one completion."""

    RECORDED = "recorded"
    OWN = "own"
    """Recorded earlier by the same event: its answer was lost, or it is delivered again."""
    DUPLICATE = "duplicate"
    TIMED_OUT = "timed_out"
    """The deadline spoke for this player first: the completion is late."""
    STALE = "stale"
    """Nothing was written: the batch is gone or has changed its mode since it was read."""


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
class Marked:
    """The answer to one completion."""

    verdict: Verdict
    counts: Counts
    """The counts of the batch right after this completion, or now if it was recorded before."""
    is_late: bool = False
    """Whether the player's completion came after the deadline had spoken for it."""
    needs_settling: bool
    """Whether the batch is to be closed, or its trigger to be published, as far as this answer knows."""
    due: Due | None = None
    """Saves reading the batch that is to be closed, where the answer to the commit has told enough of it."""


STALE = Marked(verdict=Verdict.STALE, counts=Counts(), needs_settling=False)


def judge(batch: Batch, found: Completion, event_id: str) -> Marked:
    """The answer for a player who has ended already."""
    if found.outcome is PlayerOutcome.TIMED_OUT:
        verdict = Verdict.TIMED_OUT
    else:
        verdict = Verdict.OWN if found.event_id == event_id else Verdict.DUPLICATE
    return Marked(
        verdict=verdict,
        counts=batch.counts,
        is_late=found.late,
        needs_settling=batch.is_due or batch.owes_trigger,
    )
