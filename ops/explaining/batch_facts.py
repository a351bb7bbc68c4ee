"""What is known of one batch when a verdict is given. Read by `batch_evidence.py`; here without any I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from common.batches.expected_end import ExpectedEnd
from common.batches.records import Batch


@dataclass(frozen=True, kw_only=True)
class LockHolder:
    """Who holds the lock of the batch's day, as of the server's clock."""

    lock: str
    """`consolidation_locks/consolidation_2026-01-17`."""
    operation_id: str
    """The batch that it was taken for."""
    fence: int
    expires_at: datetime
    is_alive: bool
    """Whether its lease has not run out."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A dead letter that concerns the batch."""

    event_id: str
    function: str
    error_class: str
    reason: str
    details: Mapping[str, object]
    at: datetime


@dataclass(frozen=True, kw_only=True)
class BatchFacts:
    """One batch and what surrounds it, all as of `now`."""

    batch: Batch
    now: datetime
    """The server's clock."""
    missing: Sequence[str] | None
    """Players that no worker spoke for; None where nobody knows who is expected."""
    unstaged: Sequence[str]
    """Players whose predictions are in no staging table that anybody named."""
    last_completion_at: datetime | None
    holder: LockHolder | None
    refusals: Sequence[Refusal]
    """Newest first."""
    expected_end: ExpectedEnd | None
