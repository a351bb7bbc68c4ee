"""What a batch document and its completion documents say, as frozen records.

`prediction_batches/{batch_id}` may have been written by the system before this one: fields that it did not
know have the values that make its documents mean what they meant then.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from ..messages import PlayerOutcome
from ..player_names import InvalidName, normalize
from ..schema_mode import SchemaMode

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentSnapshot


COMPLETIONS: Final = "completions"
UNEXPECTED: Final = "unexpected"
CLAIMS: Final = "claims"
RECEIPTS: Final = "receipts"
"""The collections below a batch, beside those that one module alone uses and names."""


class BatchStatus(Enum):
    """Where a batch stands. `open` → `complete` | `partial` → `consolidating` → `consolidated`."""

    OPEN = "open"
    COMPLETE = "complete"
    PARTIAL = "partial"
    """Closed at its deadline with enough players reported: consolidated without the others."""
    CONSOLIDATING = "consolidating"
    CONSOLIDATED = "consolidated"
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
    failed: int = 0
    timed_out: int = 0

    @property
    def ended(self) -> int:
        return self.reported + self.timed_out

    @property
    def reported(self) -> int:
        """Players that a worker spoke for."""
        return self.completed + self.skipped + self.failed

    def plus(self, outcome: PlayerOutcome, number: int = 1) -> "Counts":
        name = outcome.value
        return Counts(**{**vars(self), name: getattr(self, name) + number})


@dataclass(frozen=True, kw_only=True)
class Completion:
    """How one player ended: one document `completions/{player_lookup}`."""

    player_lookup: str
    outcome: PlayerOutcome
    predictions_count: int
    event_id: str
    """The event that wrote it; tells one's own earlier write from a duplicate."""
    reason: str | None = None
    staging_table: str | None = None
    staged_rows: int | None = None
    late: bool = False
    generation: int = 1
    """The closing of the batch that this completion belongs to."""
    completed_at: datetime | None = None
    """Server time; None until written."""

    @classmethod
    def from_document(cls, data: Mapping[str, Any]) -> "Completion":
        return cls(
            player_lookup=data["player_lookup"],
            outcome=PlayerOutcome(data.get("outcome", PlayerOutcome.COMPLETED.value)),
            predictions_count=data.get("predictions_count", 0),
            event_id=data.get("event_id", ""),
            reason=data.get("reason"),
            staging_table=data.get("staging_table"),
            staged_rows=data.get("staged_rows"),
            late=data.get("late", False),
            generation=data.get("generation", 1),
            completed_at=data.get("completed_at"),
        )

    def plain_fields(self) -> dict[str, str | int | bool | None]:
        """The document without its time, which the server gives."""
        return {
            "player_lookup": self.player_lookup,
            "outcome": self.outcome.value,
            "predictions_count": self.predictions_count,
            "reason": self.reason,
            "staging_table": self.staging_table,
            "staged_rows": self.staged_rows,
            "event_id": self.event_id,
            "late": self.late,
            "generation": self.generation,
        }

    def to_document(self, completed_at: Any) -> dict[str, Any]:
        """`completed_at` is a time, or Firestore's SERVER_TIMESTAMP."""
        return {**self.plain_fields(), "completed_at": completed_at}


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
    total_predictions: int
    generation: int
    """Raised by every late completion that reopens a closed batch; starts at 1."""
    min_completion_pct: float
    deadline: datetime | None
    correlation_id: str | None
    dataset_prefix: str
    trigger_message_id: str | None
    trigger_generation: int
    consolidated_generation: int
    phase_message_id: str | None
    phase_generation: int
    closed_at: datetime | None
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
    update_time: datetime = field(compare=False)
    read_time: datetime = field(compare=False)
    """The server's clock when this was read."""

    @property
    def is_due(self) -> bool:
        """Whether all players have ended and nobody has closed the batch yet."""
        return self.status is BatchStatus.OPEN and self.counts.ended >= self.expected_players

    @property
    def owes_trigger(self) -> bool:
        return self.status.wants_trigger and self.trigger_generation < self.generation

    def as_written(self, at: datetime, **changes: Any) -> "Batch":
        """The batch once `changes` were written at that time by who found it as it is here."""
        return replace(self, update_time=at, read_time=at, **changes)

    @classmethod
    def from_snapshot(cls, snapshot: "DocumentSnapshot[Any]") -> "Batch":
        """Read an existing document; raises KeyError or ValueError for one that is no batch."""
        data = snapshot.to_dict() or {}
        mode = SchemaMode(data.get("schema_mode", SchemaMode.LEGACY.value))
        in_array = _in_array(data)
        return cls(
            batch_id=snapshot.id,
            game_date=date.fromisoformat(data["game_date"]),
            expected_players=data["expected_players"],
            schema_mode=mode,
            mode_epoch=data.get("mode_epoch", 0),
            status=_status(data),
            counts=_counts(data, mode, in_array),
            total_predictions=_total_predictions(data, mode),
            generation=data.get("generation", 1),
            min_completion_pct=data.get("min_completion_pct", 100.0),
            deadline=data.get("deadline"),
            correlation_id=data.get("correlation_id"),
            dataset_prefix=data.get("dataset_prefix", ""),
            trigger_message_id=data.get("trigger_message_id"),
            trigger_generation=_trigger_generation(data),
            consolidated_generation=data.get("consolidated_generation", 0),
            phase_message_id=data.get("phase_message_id"),
            phase_generation=data.get("phase_generation", 0),
            closed_at=data.get("closed_at"),
            closed_by_event=data.get("closed_by_event"),
            manifest_digest=data.get("manifest_digest"),
            in_array=in_array,
            counter=_counters(data).ended,
            redrives=data.get("redrives", 0),
            update_time=snapshot.update_time,
            read_time=snapshot.read_time,
        )


def _in_array(data: Mapping[str, Any]) -> dict[str, Completion]:
    """`completed_players` has completed and skipped players, `failed_players` failed and timed-out ones; who
    is in both has completed. The system before did not pin the form of its names: "john-doe" is johndoe."""
    predictions = data.get("predictions_by_player") or {}
    found: dict[str, Completion] = {}
    for field_name, outcome in (
        ("failed_players", PlayerOutcome.FAILED),
        ("completed_players", PlayerOutcome.COMPLETED),
    ):
        for name in data.get(field_name) or ():
            key = _key(name)
            found[key] = Completion(
                player_lookup=key,
                outcome=outcome,
                predictions_count=predictions.get(name, 0),
                event_id="",
            )
    details = map(Completion.from_document, data.get("array_entries") or ())
    return found | {entry.player_lookup: entry for entry in details}


def _key(name: str) -> str:
    try:
        return normalize(name)
    except InvalidName:
        return name


def _counts(data: Mapping[str, Any], mode: SchemaMode, in_array: Mapping[str, Completion]) -> Counts:
    counters = _counters(data)
    if not mode.counts_array:
        return counters
    counted = Counts(**Counter(one.outcome.value for one in in_array.values()))
    if mode is SchemaMode.LEGACY:
        return counted
    # The arrays tell how many ended; which of them skipped or timed out, only the counters know.
    skipped, timed_out = counters.skipped, counters.timed_out
    return Counts(
        completed=counted.completed - skipped,
        skipped=skipped,
        failed=counted.failed - timed_out,
        timed_out=timed_out,
    )


def _counters(data: Mapping[str, Any]) -> Counts:
    return Counts(**{outcome.value: data.get(f"{outcome.value}_count", 0) for outcome in PlayerOutcome})


def _status(data: Mapping[str, Any]) -> BatchStatus:
    if "status" in data:
        return BatchStatus(data["status"])
    return BatchStatus.COMPLETE if data.get("is_complete") else BatchStatus.OPEN


def _trigger_generation(data: Mapping[str, Any]) -> int:
    # The system before had no outbox: what it completed, it has also consolidated.
    finished_before = "status" not in data and data.get("is_complete")
    generation: int = data.get("trigger_generation", 1 if finished_before else 0)
    return generation


def _total_predictions(data: Mapping[str, Any], mode: SchemaMode) -> int:
    name = "total_predictions" if mode.counts_array else "total_predictions_subcoll"
    total: int = data.get(name, 0)
    return total
