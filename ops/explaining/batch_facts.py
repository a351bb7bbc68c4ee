"""What is known of one batch when a verdict is given. Read by `batch_evidence.py`; here without any I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from common.batches.expected_end import ExpectedEnd
from common.batches.records import Batch
from common.entrypoint.dead_letter_box import DeadLetter
from common.lock.rules import LockKey
from common.lock.store import LockSnapshot


@dataclass(frozen=True, kw_only=True)
class LockHolder:
    """Who holds the lock of the batch's day, as of the server's clock."""

    lock: str
    """`consolidation_locks/consolidation_2026-01-17`."""
    operation_id: str
    """The batch that it was taken for."""
    fence: int
    """Rises with every holder of the lock."""
    expires_at: datetime
    is_alive: bool
    """Whether its lease has not run out."""

    @classmethod
    def of(cls, key: LockKey, snapshot: LockSnapshot | None) -> "LockHolder | None":
        """None where nobody holds it, and where it was not read."""
        record = snapshot.record if snapshot else None
        # One that ran out counts as held still: its holder has died, which is what the verdict has to say.
        if snapshot is None or record is None or not record.is_held:
            return None
        return cls(
            lock=str(key),
            operation_id=record.operation_id,
            fence=record.fence,
            expires_at=record.expires_at,
            is_alive=not snapshot.has_expired(),
        )


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A dead letter that concerns the batch."""

    event_id: str
    function: str
    error_class: str
    """Such as `StagedRowsDiffer`; some have a verdict of their own."""
    reason: str
    details: Mapping[str, object]
    at: datetime

    @classmethod
    def of(cls, letter: DeadLetter) -> "Refusal":
        """From the dead letter's document."""
        return cls(
            event_id=letter.event_id,
            function=letter.function,
            error_class=letter.error_class,
            reason=letter.reason,
            details=letter.details,
            at=letter.dead_lettered_at,
        )


@dataclass(frozen=True, kw_only=True)
class BatchFacts:
    """One batch and what surrounds it, all as of `now`."""

    batch: Batch
    now: datetime
    """The server's clock."""
    missing: Sequence[str] | None
    """Players that no worker spoke for; None where nobody knows who is expected."""
    failed: Sequence[str]
    """Players whose worker gave up, sorted."""
    unstaged: Sequence[str]
    """Players whose predictions are in no staging table that anybody named."""
    last_completion_at: datetime | None
    """None before the first, and where only names are known."""
    asked_again_at: datetime | None
    """When a person or a repair last asked for players again."""
    holder: LockHolder | None
    refusals: Sequence[Refusal]
    """Those that nobody has replayed or discarded, newest first."""
    expected_end: ExpectedEnd | None
    """None unless the batch is open and its pace can be told."""
