"""What a batch document says, as a frozen record, and what is read with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import Enum
from typing import Any, Final

from ..messages import PlayerOutcome
from ..schema_mode import SchemaMode
from .completion import Completion

COLLECTION: Final = "prediction_batches"
COMPLETIONS: Final = "completions"
UNEXPECTED: Final = "unexpected"
CLAIMS: Final = "claims"
RECEIPTS: Final = "receipts"
"""The collections below a batch, beside those that one module alone uses and names."""


def batch_path(batch_id: str) -> str:
    """`prediction_batches/{batch_id}`."""
    return f"{COLLECTION}/{batch_id}"


class BatchStatus(Enum):
    """Where a batch stands. `open` → `complete` | `partial` → `consolidating` → `consolidated`."""

    OPEN = "open"
    """Players are awaited."""
    COMPLETE = "complete"
    """All players have ended, none of them by the deadline; its consolidation is to start."""
    PARTIAL = "partial"
    """Closed at its deadline with enough players reported: consolidated without the others."""
    CONSOLIDATING = "consolidating"
    """Somebody has begun to merge it; if no lock is held for it any more, they have died."""
    CONSOLIDATED = "consolidated"
    """Its rows are in the main table, and there is a receipt. A late completion reopens it."""
    FAILED = "failed"
    """Closed at its deadline with too few players reported: not consolidated."""
    ABANDONED = "abandoned"
    """Given up by a person."""

    @property
    def wants_trigger(self) -> bool:
        """Whether the batch is closed and waits for its consolidation to start."""
        return self in (BatchStatus.COMPLETE, BatchStatus.PARTIAL)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many players of a batch ended in which way."""

    completed: int = 0
    skipped: int = 0
    """Workers had nothing to predict from."""
    failed: int = 0
    timed_out: int = 0
    """The deadline spoke for them."""

    @property
    def ended(self) -> int:
        """Players who are terminal, those included that the deadline ended."""
        return self.reported + self.timed_out

    @property
    def reported(self) -> int:
        """Players that a worker spoke for."""
        return self.completed + self.skipped + self.failed

    def plus(self, outcome: PlayerOutcome, number: int = 1) -> "Counts":
        """The counts after `number` more of this outcome; a negative one takes away."""
        name = outcome.value
        return Counts(**{**vars(self), name: getattr(self, name) + number})


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One batch, as of `read_time`."""

    batch_id: str
    game_date: date
    expected_players: int
    schema_mode: SchemaMode
    mode_epoch: int
    """Raised by every change of mode; a commit made under an older one is refused."""
    status: BatchStatus
    counts: Counts
    """As the mode counts them: by the array, or by the four counters."""
    total_predictions: int
    """As the mode counts them."""
    generation: int
    """Raised by every late completion that reopens a closed batch; starts at 1."""
    min_completion_pct: float
    """Percent of the players that must be heard of, for a batch to be consolidated after its deadline."""
    deadline: datetime | None
    """None for a batch of the legacy system: it is never timed out."""
    correlation_id: str | None
    """Of the run that asked for the predictions; only handed on."""
    dataset_prefix: str
    """Of a test's datasets; "" for the real ones."""
    trigger_claim: str | None
    """Made up by whoever is publishing the trigger; None if nobody is, or if it was given back."""
    trigger_claimed_at: datetime | None
    trigger_message_id: str | None
    trigger_generation: int
    """The generation that `trigger_message_id` is of; 0 before the first. Likewise for the phase message."""
    consolidated_generation: int
    """The last generation that has a receipt; 0 before the first."""
    phase_message_id: str | None
    """Of the announcement that the batch is consolidated."""
    phase_generation: int
    closed_at: datetime | None
    """When the current generation was closed, by the server's clock; None while it is open."""
    closed_by_event: str | None
    """The event that closed the current generation."""
    manifest_digest: str | None
    """Digest of the frozen set of expected players; None where the set was never stored."""
    in_array: Mapping[str, Completion]
    """Who is in the legacy arrays, by lookup key. Details are known for what mode `legacy` of this system
    recorded; `event_id` is empty otherwise."""
    counter: int
    """The sum of the four counters, in whatever mode."""
    redrives: int
    """How often missing players were asked for again."""
    last_redrive: str | None
    """Made up by whoever redrove last: tells its own count, whose answer was lost, from another's."""
    update_time: datetime = field(compare=False)
    """The version of the document, for the precondition of the next write."""
    read_time: datetime = field(compare=False)
    """The server's clock when this was read."""

    @property
    def is_due(self) -> bool:
        """Whether all players have ended and nobody has closed the batch yet."""
        # Not `==`: a count that overshot must not keep it open for ever; an audit names the difference.
        return self.status is BatchStatus.OPEN and self.counts.ended >= self.expected_players

    @property
    def owes_trigger(self) -> bool:
        """Whether its generation is closed and its trigger has no message id yet."""
        return self.status.wants_trigger and self.trigger_generation < self.generation

    def as_written(self, at: datetime, **changes: Any) -> "Batch":
        """The batch once `changes` were written at that time by who found it as it is here."""
        return replace(self, update_time=at, read_time=at, **changes)


@dataclass(frozen=True, kw_only=True)
class Roster:
    """A batch and the players that it expects; `players` is None where no manifest was ever stored."""

    batch: Batch
    players: frozenset[str] | None


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a batch is, with names."""

    batch: Batch
    missing: tuple[str, ...] | None
    """Players that no worker spoke for, timed out or not. None where no manifest was ever stored: how many is
    known, who is not."""
    timed_out: tuple[str, ...]
    unexpected: tuple[str, ...]
    """Players whom nobody had asked for: kept, never counted."""
