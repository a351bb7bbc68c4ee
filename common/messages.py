"""One frozen model per message. A body that does not fit is refused with the field and the value named.

Fields that decide something have no default; unknown fields are ignored, so that a publisher may be newer
than its reader. Types are strict: the text "5" is no count. Which topic carries which model, and who speaks
and hears, stands in `topics.json`.
"""

from codecs import BOM_UTF8
from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from .message_fields import (
    AwareDatetime,
    Count,
    DocumentId,
    Generation,
    OfOnePlayer,
    Percentage,
    PlayerLookup,
    Told,
)
from .result import ErrorInfo, Result
from .staging.table_names import MAX_NAME_BYTES, belongs_to
from .texts import cut, details_of, first_of

MAX_VALUE_CHARS = 200
"""Characters of a wrong value that an error keeps: a body may hold megabytes of it."""


class PlayerOutcome(Enum):
    """How one expected player ended. Every outcome is terminal, so a batch cannot hang on a player."""

    COMPLETED = "completed"
    """Predictions were made, or there were none to make."""
    SKIPPED = "skipped"
    """The worker decided that nothing is to be predicted."""
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    """Nobody spoke for the player by the deadline; decided by the batch, never reported."""


class MessageStatus(Enum):
    """How a processor's run ended, by the words of the unified completion message."""

    SUCCESS = "success"
    PARTIAL = "partial"
    NO_DATA = "no_data"
    """The run was in order, and there was nothing to do."""
    FAILED = "failed"
    SKIPPED = "skipped"


class Phase(Enum):
    """The six phases by the names that the unified completion message carries."""

    SCRAPERS = "phase_1_scrapers"
    RAW = "phase_2_raw"
    ANALYTICS = "phase_3_analytics"
    PRECOMPUTE = "phase_4_precompute"
    PREDICTIONS = "phase_5_predictions"
    PUBLISHING = "phase_6_publishing"


class Message(BaseModel):
    """What all messages share: frozen, strict, JSON in and out, traceable."""

    # `defer_build`: a validator is built for the first message of its kind, not for all eight at a cold
    # start.
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False, defer_build=True)

    correlation_id: Annotated[str, Field(max_length=256)] | None = None
    """Short enough for an attribute of a Pub/Sub message: 1,024 bytes."""
    timestamp: AwareDatetime | None = None
    """When it was published, by the publisher's clock; of a PredictionRequest also the time that its rows
    bear. An event's age is judged by Pub/Sub's own time instead."""

    @classmethod
    def parse(cls, body: bytes) -> Result[Self]:
        """Read a JSON body, a byte order mark before it or not.

        A PERMANENT failure of class InvalidMessage names every field that is wrong, and its value.
        """
        try:
            return Result.success(cls.model_validate_json(body.removeprefix(BOM_UTF8)))
        except ValidationError as exc:
            return Result.failure(_invalid(cls.__name__, exc))

    def to_json(self) -> bytes:
        """The body, UTF-8; fields that are None are left out."""
        return self.model_dump_json(exclude_none=True).encode()


class PlayerCompletion(Message):
    """A worker is done with one player of a batch. Legacy events without outcome and staging are accepted."""

    batch_id: DocumentId
    player_lookup: PlayerLookup
    game_date: date
    predictions_generated: OfOnePlayer
    """How many predictions were made for this player; summed over the batch."""
    outcome: PlayerOutcome = PlayerOutcome.COMPLETED
    reason: Annotated[Told | None, Field(validate_default=True)] = None
    """Why a player was skipped or has failed; required unless completed. Cut, never refused for its
    length."""
    staging_table: Annotated[str, Field(max_length=MAX_NAME_BYTES)] | None = None
    """Where the player's rows are: a name of this very batch. None where no rows were staged."""
    staged_rows: Annotated[OfOnePlayer | None, Field(validate_default=True)] = None
    """How many rows of this player the table holds; the consolidation refuses to merge another number."""
    worker_instance: Told | None = None
    """Who says so, for people."""

    # Fields are validated in their order, so what a check needs stands before it.

    @field_validator("outcome")
    @classmethod
    def _is_a_workers_to_tell(cls, outcome: PlayerOutcome) -> PlayerOutcome:
        if outcome is PlayerOutcome.TIMED_OUT:
            raise ValueError("timed_out is decided by the batch, never reported by a worker")
        return outcome

    @field_validator("reason")
    @classmethod
    def _explains_what_is_not_completed(cls, reason: str | None, info: ValidationInfo) -> str | None:
        # A field that was refused is not in `data`: it is told by itself, and no other is blamed for it.
        outcome = info.data.get("outcome", PlayerOutcome.COMPLETED)
        if outcome is not PlayerOutcome.COMPLETED and not reason:
            raise ValueError(f"required when outcome is {outcome.value}")
        return reason

    @field_validator("staging_table")
    @classmethod
    def _is_of_this_very_batch(cls, table: str | None, info: ValidationInfo) -> str | None:
        # What a completion names is merged, and dropped afterwards.
        is_batch_valid = "batch_id" in info.data
        if table is not None and is_batch_valid and not belongs_to(table, info.data["batch_id"]):
            raise ValueError("no staging table of this batch")
        return table

    @field_validator("staged_rows")
    @classmethod
    def _comes_with_its_table(cls, staged_rows: int | None, info: ValidationInfo) -> int | None:
        # As above: of a table that was refused already nothing more is said.
        is_table_valid = "staging_table" in info.data
        if is_table_valid and (info.data["staging_table"] is None) != (staged_rows is None):
            raise ValueError("staging_table and staged_rows come together or not at all")
        return staged_rows


class PredictionRequest(Message):
    """Predict one player of a batch: coordinator → workers, and redrives → workers.

    The fields after `game_id` are the workers' own; a redrive leaves out what it cannot read again.
    """

    batch_id: DocumentId
    player_lookup: PlayerLookup
    game_date: date
    game_id: Annotated[str, Field(min_length=1)]
    line_values: tuple[float, ...] = ()
    team_abbr: str | None = None
    opponent_team_abbr: str | None = None
    is_home: bool | None = None
    projected_minutes: float | None = None
    has_prop_line: bool | None = None
    actual_prop_line: float | None = None
    line_source: str | None = None
    estimated_line_value: float | None = None
    estimation_method: str | None = None
    line_source_api: str | None = None
    sportsbook: str | None = None
    was_line_fallback: bool | None = None
    dataset_prefix: str | None = None
    """That of the batch, so that a worker of a test writes where the test looks."""


class BatchComplete(Message):
    """Every expected player of a batch has ended: consolidate it.

    Recorder, sweep and repairs → consolidation trigger.

    Repeats are harmless: a generation is consolidated once, and asking again gets the same receipt.
    """

    batch_id: DocumentId
    game_date: date
    generation: Generation
    """Which closing of the batch; a late completion that reopens it starts the next one."""


class PhaseCompletion(Message):
    """The unified completion message of all phases: a processor has finished its run for a day.

    Names and meanings are the legacy message's.
    """

    processor_name: Annotated[str, Field(min_length=1)]
    phase: Phase
    execution_id: Annotated[str, Field(min_length=1)]
    """Of the run; the same for every repeat of the message."""
    game_date: date
    status: MessageStatus
    output_table: str | None = None
    output_dataset: str | None = None
    record_count: Count | None = None
    """What the run made. On the boundary from phase 5 its reader decides on `metadata`
    (PredictionsSummary)."""
    records_failed: Count | None = None
    parent_processor: str | None = None
    """What the processor itself was started by."""
    trigger_source: str | None = None
    trigger_message_id: str | None = None
    duration_seconds: Annotated[float, Field(ge=0)] | None = None
    error_message: Told | None = None
    error_type: str | None = None
    metadata: Mapping[str, Any] | None = None
    """Of the processor's own; that of phase 5 is a PredictionsSummary."""
    skip_downstream: bool = False
    """The processor's wish that nothing be started because of this run: a backfill."""


class PredictionsSummary(BaseModel):
    """The metadata of the phase-5 completion, by the names that its reader decides on."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False, defer_build=True)

    batch_id: DocumentId
    generation: Generation
    expected_players: Count
    completed_players: Count
    skipped_players: Count
    failed_players: Count
    timed_out_players: Count
    completed_predictions: Count
    completion_pct: Percentage
    """Players who were completed or skipped, of those expected; the export's gate decides on it."""


class PhaseTrigger(Message):
    """Start a phase: phase transitions → the processors of the next phase, or the coordinator.

    `dispatch_id` is made of sport, phase, date and generation, the same for every repeat, so that a receiver
    can drop one.
    """

    game_date: date
    dispatch_id: Annotated[str, Field(min_length=1)]
    trigger_source: str
    triggered_by: str
    trigger_reason: str
    """Why now: all processors done, or a waiting time over."""
    mode: str | None = None
    """How the day is run (overnight, same day, …): decides which processors were awaited."""
    correlation_ids: tuple[str, ...] = ()
    """Of all processors that led here; `correlation_id` is that of the last."""
    analysis_date: date | None = None
    """The game date, by the name under which phase 4 reads it."""
    success: bool | None = None
    source_table: str | None = None
    upstream_processors_count: Count
    """How many were done, not how many were expected."""
    expected_processors: tuple[str, ...] = ()
    is_incremental: bool = False
    entities_changed: Mapping[str, tuple[str, ...]] | None = None
    data_freshness_verified: bool | None = None
    missing_tables: tuple[str, ...] = ()
    table_row_counts: Mapping[str, int] | None = None
    parent_execution_id: str | None = None
    parent_processor: str | None = None
    decision: Mapping[str, Any] | None = None
    """What was needed, what was there and what the gates said when this was decided."""


class ExportTrigger(Message):
    """Start the export of a day's predictions: phase transitions → export.

    `dispatch_id` as in PhaseTrigger.
    """

    target_date: date
    export_types: Annotated[tuple[str, ...], Field(min_length=1)]
    dispatch_id: Annotated[str, Field(min_length=1)]
    update_latest: bool = True
    """Whether the files without a date are replaced, too."""
    trigger_source: str
    triggered_by: str
    trigger_reason: str | None = None
    mode: str | None = None
    correlation_ids: tuple[str, ...] = ()
    upstream_batch_id: str | None = None
    upstream_predictions: Count | None = None
    decision: Mapping[str, Any] | None = None


class Sweep(Message):
    """The scheduler's tick, every 10 minutes: resume whatever fell due by the clock.

    Each function that hears it has a subscription of its own.
    """


class AuditRequest(Message):
    """Look for whatever is stuck, inconsistent or absent; hourly, and by hand."""

    repair: bool = False
    """Whether safe repairs are made; a dry run else."""
    batch_id: DocumentId | None = None
    """Only this batch, and below only this day; None: everything."""
    game_date: date | None = None


M = TypeVar("M", bound=Message)

MESSAGES: Mapping[str, type[Message]] = {
    model.__name__: model
    for model in (
        PlayerCompletion,
        PredictionRequest,
        BatchComplete,
        PhaseCompletion,
        PhaseTrigger,
        ExportTrigger,
        Sweep,
        AuditRequest,
    )
}


def _invalid(model: str, exc: ValidationError) -> ErrorInfo:
    """One PERMANENT failure for a body: the first twenty problems in words, all counted."""
    problems = [
        {
            "field": ".".join(map(str, error["loc"])) or "body",
            "value": cut(repr(error["input"]), MAX_VALUE_CHARS),
            "why": error["msg"],
        }
        # The context holds the exceptions of our own validators, which no JSON takes.
        for error in exc.errors(include_url=False, include_context=False)
    ]
    sentence = first_of([f"{p['field']}: {p['why']} (got {p['value']})" for p in problems])
    return ErrorInfo.permanent("InvalidMessage", f"{model}: {sentence}", **details_of(problems))
