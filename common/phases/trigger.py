"""The message that starts the next phase, with every field that its receivers have always read."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ..messages import ExportTrigger, PhaseTrigger
from .decision import Decision, GateReading
from .records import Day, DayKey, Dispatch, Report
from .report_rules import reports_by_arrival
from .shape import Boundary

TRIGGER_SOURCE = "orchestrator"
"""What receivers of the legacy system read in this field."""


def trigger_of(
    boundary: Boundary, day: Day, decision: Decision, *, reason: str, now: datetime
) -> PhaseTrigger | ExportTrigger:
    """The message that starts the next phase. Pure: the same date and decision give the same message.

    It carries the decision that it rests on. `reason` is that of the dispatch, which may be a person's.
    """
    reports = [report for report in reports_by_arrival(day.in_generation) if report.is_present]
    # Each once, in the order of arrival.
    correlation_ids = tuple(
        dict.fromkeys(report.correlation_id for report in reports if report.correlation_id)
    )
    common: dict[str, Any] = {
        "dispatch_id": dispatch_id(day.key, boundary.next_phase, day.generation),
        "trigger_source": TRIGGER_SOURCE,
        "triggered_by": boundary.triggered_by,
        "trigger_reason": reason,
        "mode": decision.mode.value,
        # The latest stands for all: receivers read one, and the whole list says of which runs this start is
        # made.
        "correlation_id": correlation_ids[-1] if correlation_ids else None,
        "correlation_ids": correlation_ids,
        "timestamp": now,
        "decision": _told(decision),
    }
    if boundary.message == ExportTrigger.__name__:
        return ExportTrigger(**common, **_of_export(boundary, day, reports))
    return PhaseTrigger(**common, **_of_phase(boundary, day, decision, reports))


def _of_phase(boundary: Boundary, day: Day, decision: Decision, reports: list[Report]) -> dict[str, Any]:
    """The fields of a PhaseTrigger beside the common ones.

    Some have one meaning now and are sent for receivers that read them: `analysis_date` is the game date,
    `success` is true.
    """
    counts, missing_tables = _tables(decision.gates)
    last = reports[-1] if reports else None
    return {
        "game_date": day.key.game_date,
        "analysis_date": day.key.game_date,
        "success": True,
        "source_table": next(iter(boundary.modes[decision.mode].critical), None),
        "upstream_processors_count": len(decision.present),
        "expected_processors": decision.needed,
        "is_incremental": any(report.metadata.get("is_incremental") is True for report in reports),
        "entities_changed": _entities(boundary, reports),
        "data_freshness_verified": bool(decision.gates) and not missing_tables,
        "missing_tables": missing_tables,
        "table_row_counts": counts,
        "parent_execution_id": last.execution_id if last else None,
        "parent_processor": boundary.parent_processor,
    }


def _of_export(boundary: Boundary, day: Day, reports: list[Report]) -> dict[str, Any]:
    """The fields of an ExportTrigger beside the common ones, from the report of the consolidation."""
    metadata = reports[-1].metadata if reports else {}
    predictions = metadata.get("completed_predictions", reports[-1].record_count if reports else None)
    return {
        "target_date": day.key.game_date,
        "export_types": boundary.export_types,
        "update_latest": True,
        "upstream_batch_id": metadata.get("batch_id"),
        "upstream_predictions": predictions,
    }


def _tables(gates: Iterable[GateReading]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Rows by table, and tables without enough rows, of all gates together."""
    counts: dict[str, int] = {}
    missing: list[str] = []
    for gate in gates:
        counts |= gate.counts
        missing += gate.missing
    return counts, tuple(missing)


def _entities(boundary: Boundary, reports: list[Report]) -> dict[str, tuple[str, ...]]:
    """What changed, of all processors together, by kind; a kind of which nothing changed is empty."""
    # By the processor: its kind is the graph's to say, not the publisher's.
    changed = {report.processor: report.metadata.get("entities_changed") for report in reports}
    return {
        kind: tuple(sorted({str(one) for name in processors for one in _listed(changed.get(name))}))
        for kind, processors in boundary.entities.items()
    }


def _listed(changed: Any) -> Iterable[Any]:
    """A publisher's metadata hold anything; what is no list names no entities."""
    return changed if isinstance(changed, list | tuple) else ()


def _told(decision: Decision) -> dict[str, Any]:
    """The decision in JSON's values. Its next check concerns who dispatches, not who receives."""
    fields = {**decision.to_fields(), "evaluated_at": decision.evaluated_at.isoformat()}
    del fields["next_check"]
    return fields


def dispatch_of(
    boundary: Boundary, day: Day, decision: Decision, *, reason: str, claimant: str, now: datetime
) -> Dispatch:
    """What `claimant` is about to publish. Stored before it is, so that whoever resumes it sends the same."""
    message = trigger_of(boundary, day, decision, reason=reason, now=now)
    return Dispatch(
        dispatch_id=dispatch_id(day.key, boundary.next_phase, day.generation),
        generation=day.generation,
        reason=reason,
        decided_at=now,
        # As the publishers before: a field without a value is left out.
        message=message.model_dump(mode="json", exclude_none=True),
        claimed_by=claimant,
        claimed_at=now,
        present=decision.present,
    )


def dispatch_id(key: DayKey, next_phase: int, generation: int) -> str:
    """The same for every repeat, so that a receiver can drop one; another for each generation."""
    return f"{key.sport}-phase{next_phase}-{key.game_date.isoformat()}-{generation}"
