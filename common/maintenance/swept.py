"""The answer of a sweep of the batches, as records that load no client and no log."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..batches.records import BatchStatus


@dataclass(frozen=True, kw_only=True)
class Resumed:
    """What was done for one batch."""

    batch_id: str
    timed_out: tuple[str, ...]
    closed_as: BatchStatus | None
    """None if it was closed before, or is still open."""
    trigger_message_id: str | None
    """None if no trigger was owed, or not yet by us."""


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What one sweep did."""

    looked: int
    """Batches that were looked at, those without anything to do included."""
    resumed: tuple[Resumed, ...]
    triggered_again: tuple[str, ...]
    """Batches whose consolidation hung."""
    failed: Mapping[str, str]
    """Batch → why it could not be helped; the next sweep tries again."""
    left: int
    """Batches that it did not look at: its time was over."""
