"""Reads a batch document, also one of an earlier release or of the legacy system.

Every field that came later has a meaning when it is absent: the one that makes the document mean what it
meant to whoever wrote it. A field of the wrong type makes the document unreadable, by name.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final, TypeVar

from ..documents.document import Document
from ..messages import PlayerOutcome
from ..schema_mode import SchemaMode
from . import legacy_arrays
from .records import Batch, BatchStatus, Counts

EARLIER_RELEASE: Final = "earlier release"
"""Stands for the claimant in documents of a release that noted none."""

T = TypeVar("T")


def read_batch(document: Document) -> Batch:
    """A batch from its document; raises one of UNREADABLE for a document that is no batch."""
    data = document.data
    # A document without a mode is the legacy system's.
    mode = SchemaMode(data.get("schema_mode", SchemaMode.LEGACY.value))
    in_array, counters = legacy_arrays.in_array(data), _counters(data)
    return Batch(
        batch_id=document.id,
        game_date=date.fromisoformat(_typed(data, "game_date", str, data["game_date"])),
        expected_players=_typed(data, "expected_players", int, data["expected_players"]),
        schema_mode=mode,
        mode_epoch=_number(data, "mode_epoch"),
        status=_status(data),
        counts=legacy_arrays.counted(mode, in_array, counters) if mode.counts_array else counters,
        total_predictions=_number(
            data, "total_predictions" if mode.counts_array else "total_predictions_subcoll"
        ),
        generation=_number(data, "generation", 1),
        # Where nobody has allowed players to be missing, none may be.
        min_completion_pct=float(data.get("min_completion_pct", 100.0)),
        deadline=_time(data, "deadline"),
        correlation_id=_text(data, "correlation_id"),
        dataset_prefix=data.get("dataset_prefix") or "",
        # An earlier release claimed nothing: whoever closed the batch was at it from then on.
        trigger_claim=_text(data, "trigger_claim") if "trigger_claim" in data else EARLIER_RELEASE,
        trigger_claimed_at=_time(data, "trigger_claimed_at") or _time(data, "closed_at"),
        trigger_message_id=_text(data, "trigger_message_id"),
        trigger_generation=_trigger_generation(data),
        consolidated_generation=_number(data, "consolidated_generation"),
        phase_message_id=_text(data, "phase_message_id"),
        phase_generation=_number(data, "phase_generation"),
        closed_at=_time(data, "closed_at"),
        closed_by_event=_text(data, "closed_by_event"),
        manifest_digest=_text(data, "manifest_digest"),
        in_array=in_array,
        counter=counters.ended,
        redrives=_number(data, "redrives"),
        last_redrive=_text(data, "last_redrive"),
        update_time=document.update_time,
        read_time=document.read_time,
    )


def _counters(data: Mapping[str, Any]) -> Counts:
    """The four counters of the document; those of the legacy system are absent and zero."""
    return Counts(**{outcome.value: _number(data, f"{outcome.value}_count") for outcome in PlayerOutcome})


def _status(data: Mapping[str, Any]) -> BatchStatus:
    """Where the batch stands; the legacy system knew complete or not, and consolidated what was complete."""
    if "status" in data:
        return BatchStatus(data["status"])
    # The legacy system's two states, as far as this one goes on with them.
    return BatchStatus.COMPLETE if data.get("is_complete") else BatchStatus.OPEN


def _trigger_generation(data: Mapping[str, Any]) -> int:
    # The legacy system had no outbox: what it completed, it has also consolidated.
    finished_before = "status" not in data and data.get("is_complete")
    return _number(data, "trigger_generation", 1 if finished_before else 0)


def _number(data: Mapping[str, Any], name: str, absent: int = 0) -> int:
    """A whole number; `absent` where the document has no such field. Raises ValueError for anything else."""
    return _typed(data, name, int, data.get(name, absent))


def _time(data: Mapping[str, Any], name: str) -> datetime | None:
    """A time, or None. Raises ValueError for anything else."""
    found = data.get(name)
    return None if found is None else _typed(data, name, datetime, found)


def _text(data: Mapping[str, Any], name: str) -> str | None:
    """A text, or None. Raises ValueError for anything else."""
    found = data.get(name)
    return None if found is None else _typed(data, name, str, found)


def _typed(data: Mapping[str, Any], name: str, kind: type[T], value: Any) -> T:
    """`value`, if it is of that kind; else raises ValueError that names field and value."""
    if not isinstance(value, kind):
        raise ValueError(f"{name}: {data.get(name)!r} is no {kind.__name__}")
    return value
