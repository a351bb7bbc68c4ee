"""What is written when a batch is opened, and what may be opened. No clock, no I/O."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ..documents.writes import SERVER_TIME, Create, Write
from ..message_fields import check_document_id
from ..result import ErrorInfo, Result
from ..schema_mode import SchemaMode
from ..texts import counted
from . import player_manifest as manifest
from .records import CLAIMS, Batch, BatchStatus, batch_path
from .rules import MAX_ARRAY_ELEMENTS
from .timeline import entry
from .transitions import claim, claim_id, closed_fields


@dataclass(frozen=True, kw_only=True)
class Opening:
    """A batch that is about to be opened, with its players frozen. Checked: see `prepare`."""

    batch_id: str
    game_date: date
    players: tuple[str, ...]
    """Normalised keys, sorted, each once."""
    mode: SchemaMode
    deadline: datetime
    """When the sweep times out whoever was not heard of."""
    min_completion_pct: float
    correlation_id: str | None
    dataset_prefix: str
    """Of a test's datasets; "" for the real ones."""

    @property
    def event_id(self) -> str:
        """Closes an empty batch."""
        return f"open:{self.batch_id}"

    def writes(self) -> list[Write]:
        """The commit that opens it, batch and manifest together; refused if the batch exists."""
        path = batch_path(self.batch_id)
        # Created, not set: an opening that is repeated is refused as a whole.
        below = (Create(path=f"{path}/{each}", fields=fields) for each, fields in self.below().items())
        return [Create(path=path, fields=self.document()), *below]

    def document(self) -> dict[str, Any]:
        """The batch document; all its counters at zero, so that every reader finds them."""
        document = {
            "batch_id": self.batch_id,
            "game_date": self.game_date.isoformat(),
            "expected_players": len(self.players),
            "manifest_digest": manifest.digest(self.players),
            "schema_mode": self.mode.value,
            "mode_epoch": 0,
            "status": BatchStatus.OPEN.value,
            "is_complete": False,
            "generation": 1,
            "deadline": self.deadline,
            "min_completion_pct": self.min_completion_pct,
            "correlation_id": self.correlation_id,
            "dataset_prefix": self.dataset_prefix,
            # In every mode: readers of the legacy system take the length of both.
            "completed_players": [],
            "failed_players": [],
            "total_predictions": 0,
            "completed_count": 0,
            "skipped_count": 0,
            "failed_count": 0,
            "timed_out_count": 0,
            "total_predictions_subcoll": 0,
            "trigger_message_id": None,
            "trigger_generation": 0,
            "consolidated_generation": 0,
            "phase_message_id": None,
            "phase_generation": 0,
            "start_time": SERVER_TIME,
            "created_at": SERVER_TIME,
            "updated_at": SERVER_TIME,
        }
        if self.players:
            return document
        # Nobody claims the trigger: whoever looks first, the caller or the sweep, publishes it.
        return document | closed_fields(BatchStatus.COMPLETE, event_id=self.event_id, claimant=None)

    def below(self) -> dict[str, Mapping[str, Any]]:
        """The documents below it, by path."""
        documents: dict[str, Mapping[str, Any]] = {
            **manifest.chunks(self.players),
            **entry("opened", f"{counted(len(self.players), 'player')} expected", mode=self.mode.value),
        }
        if not self.players:
            # As any closing has it: nobody can close this generation again.
            documents[f"{CLAIMS}/{claim_id(1)}"] = claim(BatchStatus.COMPLETE, event_id=self.event_id)
        return documents

    def check(self, found: Batch) -> Result[Batch]:
        """The batch that is there, if it was opened for the same date and players.

        For a caller whose opening was refused: opening again is a success, whatever the batch has come to
        since. PERMANENT (InvalidBatch) for another date or other players; mode and deadline may differ, and
        stay.
        """
        name = found.batch_id
        if found.game_date != self.game_date:
            return _refused(f"game_date: {name!r} was opened for {found.game_date}, not for {self.game_date}")
        # By digest: the batch has it, and its chunks need not be read.
        if found.manifest_digest != manifest.digest(self.players):
            return _refused(f"expected_players: {name!r} was opened with another set of players")
        return Result.success(found)


def prepare(
    *,
    batch_id: str,
    game_date: date,
    expected_players: Collection[str],
    mode: SchemaMode,
    deadline: datetime,
    min_completion_pct: float,
    correlation_id: str | None,
    dataset_prefix: str,
) -> Result[Opening]:
    """Check and freeze. Pure. A PERMANENT failure (InvalidBatch) names the field that is wrong, and its
    value.
    """
    frozen = manifest.freeze(expected_players)
    if frozen.error is not None:
        return Result.failure(frozen.error)
    opening = Opening(
        batch_id=batch_id,
        game_date=game_date,
        players=frozen.unwrap(),
        mode=mode,
        deadline=deadline,
        min_completion_pct=min_completion_pct,
        correlation_id=correlation_id,
        dataset_prefix=dataset_prefix,
    )
    problem = _problem(opening)
    return Result.success(opening) if problem is None else _refused(problem)


def _problem(opening: Opening) -> str | None:
    """What is wrong, with field and value; None if it can be opened."""
    try:
        check_document_id(opening.batch_id)
    except ValueError as exc:
        return f"batch_id: {opening.batch_id!r} {exc}"
    if opening.deadline.tzinfo is None:
        return f"deadline: {opening.deadline} has no time zone"
    # NaN is refused here as well: it is within nothing.
    if not 0 <= opening.min_completion_pct <= 100:
        return f"min_completion_pct: {opening.min_completion_pct} is not within 0 and 100"
    if opening.mode.writes_array and len(opening.players) > MAX_ARRAY_ELEMENTS:
        return (
            f"expected_players: {len(opening.players)} do not fit into the array of mode "
            f"{opening.mode.value!r} ({MAX_ARRAY_ELEMENTS}); mode 'subcollection' has no such limit"
        )
    return None


def _refused(why: str) -> Result[Any]:
    return Result.failure(ErrorInfo.permanent("InvalidBatch", why))
