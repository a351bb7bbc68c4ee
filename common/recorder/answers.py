"""The recorder's answer to one completion."""

from dataclasses import dataclass
from enum import Enum

from ..batches.records import Batch


class RecordOutcome(Enum):
    """What a completion turned out to be."""

    RECORDED = "recorded"
    DUPLICATE = "duplicate"
    UNEXPECTED = "unexpected"
    """Not a player of this batch: kept in `unexpected/`, never counted."""
    LATE = "late"
    """After the deadline had spoken for the player."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """The answer to one completion; the same event gets the same outcome again."""

    outcome: RecordOutcome
    completed_count: int
    """Players with outcome `completed`, right after this completion (a duplicate: when last seen)."""
    ended_count: int
    """Players that have ended in any way."""
    expected_players: int
    completes_batch: bool
    """Whether this event closed the batch; true for exactly one event per generation."""
    owed_trigger: Batch | None = None
    """The closed batch whose trigger the caller is to publish now."""

    @property
    def is_unusual(self) -> bool:
        """Whether a person may want to know."""
        return self.outcome in (RecordOutcome.UNEXPECTED, RecordOutcome.LATE)
