"""The steps in the life of a batch: each looks at the batch and says what to write. No clock, no I/O.

Each is done at most once, however often it is asked for: None means that nothing is left to write.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..documents.writes import SERVER_TIME
from ..result import ErrorInfo, Result
from ..texts import counted
from .changes import Change
from .completion import Completion
from .records import CLAIMS, RECEIPTS, Batch, BatchStatus
from .rules import closing_status
from .timeline import entry


def claim_id(generation: int) -> str:
    """Id of the document that only one can create: who does has closed this generation."""
    return f"closed-{generation}"


def close(batch: Batch, *, event_id: str, claimant: str, ends: tuple[Completion, ...] = ()) -> Change:
    """The commit that closes an open batch whose players have all ended: status, claim and story together.

    To be applied only to the batch that it was made for: `Change.writes` makes the commit conditional on it.
    """
    counts = batch.counts
    status = closing_status(
        counts, expected=batch.expected_players, min_completion_pct=batch.min_completion_pct
    )
    story = entry(
        "closed",
        f"{status.value}: {counts.reported} of {counted(batch.expected_players, 'player')} reported",
        generation=batch.generation,
        status=status.value,
        closed_by_event=event_id,
        counts={**vars(counts)},
    )
    for event, end in zip(("first-completion", "last-completion"), ends, strict=False):
        story |= entry(event, end.player_lookup, generation=batch.generation, completed_at=end.completed_at)

    return Change(
        fields=closed_fields(status, event_id=event_id, claimant=claimant),
        # Only one can create it: the generation is closed once, whatever became of the batch document since.
        creates={f"{CLAIMS}/{claim_id(batch.generation)}": claim(status, event_id=event_id)},
        sets=story,
        then=lambda at: as_closed(batch, at, status, event_id=event_id, claimant=claimant),
    )


def closed_fields(status: BatchStatus, *, event_id: str, claimant: str | None) -> dict[str, Any]:
    """The fields that every closing writes: `event_id` is whose closing it is.

    `claimant`, who goes on to publish the trigger: the closing claims that, too, and costs no commit more.
    """
    return {
        "status": status.value,
        "is_complete": True,
        "completion_time": SERVER_TIME,
        "closed_at": SERVER_TIME,
        "closed_by_event": event_id,
        "trigger_claim": claimant,
        "trigger_claimed_at": SERVER_TIME,
    }


def as_closed(
    batch: Batch, at: datetime, status: BatchStatus, *, event_id: str, claimant: str, **more: Any
) -> Batch:
    """The batch once `closed_fields` were written."""
    return batch.as_written(
        at,
        status=status,
        closed_at=at,
        closed_by_event=event_id,
        trigger_claim=claimant,
        trigger_claimed_at=at,
        **more,
    )


def claim_trigger(batch: Batch, claimant: str) -> Change:
    """Claim the publishing of a trigger that is free to claim. Of many who try one is not refused."""
    return Change(
        fields={"trigger_claim": claimant, "trigger_claimed_at": SERVER_TIME},
        then=lambda at: batch.as_written(at, trigger_claim=claimant, trigger_claimed_at=at),
    )


def give_back_trigger(batch: Batch, claimant: str) -> Result[Change | None]:
    """It could not be published: let the next one try at once, if nobody else has claimed it since."""
    # Another has claimed it since: giving that back would let a third one publish beside him.
    if batch.trigger_claim != claimant:
        return Result.success(None)
    return Result.success(
        Change(fields={"trigger_claim": None}, then=lambda at: batch.as_written(at, trigger_claim=None))
    )


def claim(status: BatchStatus, *, event_id: str) -> dict[str, Any]:
    """Its fields; `event_id` tells one's own earlier claim from another's."""
    return {"event_id": event_id, "status": status.value, "closed_at": SERVER_TIME}


def note_trigger(batch: Batch, generation: int, message_id: str) -> Result[Change | None]:
    """Note the message id, unless this or a later generation has one: the first publisher's stands."""
    if batch.trigger_generation >= generation:
        return Result.success(None)
    fields = {"trigger_message_id": message_id, "trigger_generation": generation}
    story = entry("trigger", f"message {message_id}", generation=generation, message_id=message_id)
    return Result.success(Change(fields=fields, sets=story, then=lambda at: batch.as_written(at, **fields)))


def start_consolidation(batch: Batch, generation: int) -> Result[Change | None]:
    """A closed batch is being consolidated; one whose newer generation waits keeps its status.

    None where nothing changes. PERMANENT: WrongGeneration, WrongBatchStatus.
    """
    if batch.consolidated_generation >= generation:
        return Result.success(None)
    # A trigger may be forged, or outlive the person who gave the batch up: neither may merge anything.
    if generation > batch.generation:
        return Result.failure(_wrong_generation(batch, generation))
    is_under_way = batch.status is BatchStatus.CONSOLIDATING
    if not (is_under_way or batch.status.wants_trigger):
        return Result.failure(_wrong_status(batch, "consolidated"))
    # A late completion has reopened it: `complete` of the newer generation must not be lost, its trigger
    # rests on it.
    waits_for_newer = batch.generation > generation
    if is_under_way or waits_for_newer:
        return Result.success(None)
    status = BatchStatus.CONSOLIDATING
    return Result.success(
        Change(
            fields={"status": status.value},
            sets=entry("consolidating", "consolidation started", generation=generation),
            then=lambda at: batch.as_written(at, status=status),
        )
    )


def finish_consolidation(
    batch: Batch,
    *,
    generation: int,
    fence: int,
    receipt: Mapping[str, Any],
    known_as: Mapping[str, Any] | None = None,
) -> Result[Change | None]:
    """The receipt is stored with the new status; a newer generation that waits keeps its own status.

    None where this generation has its receipt.
    """
    if batch.consolidated_generation >= generation:
        return Result.success(None)
    is_latest = batch.generation == generation
    status = BatchStatus.CONSOLIDATED if is_latest else batch.status
    fields: dict[str, Any] = {"consolidated_generation": generation, **(known_as or {})}
    # Else the status is that of the newer generation, whose trigger rests on it.
    if is_latest:
        fields["status"] = status.value
    story = entry("consolidated", f"under fence {fence}", generation=generation, fence=fence)
    stored = {f"{RECEIPTS}/{fence}": {**receipt, "fence": fence, "generation": generation}}
    return Result.success(
        Change(
            fields=fields,
            # In the commit of the status: a batch that is consolidated and has no receipt is a finding.
            sets={**story, **stored},
            then=lambda at: batch.as_written(at, status=status, consolidated_generation=generation),
        )
    )


def announce(batch: Batch, generation: int, message_id: str) -> Result[Change | None]:
    """Note the message that told the end of the phase, unless this or a later generation has one."""
    # Two consolidations may announce at once: the first to note stands.
    if batch.phase_generation >= generation:
        return Result.success(None)
    fields = {"phase_message_id": message_id, "phase_generation": generation}
    story = entry("announced", f"message {message_id}", generation=generation, message_id=message_id)
    return Result.success(Change(fields=fields, sets=story, then=lambda at: batch.as_written(at, **fields)))


def abandon(batch: Batch, who: str, why: str) -> Result[Change | None]:
    """Give the batch up; claims the closing of an open one, so that nobody else closes it.

    None where it is given up already. A closed one keeps when and by what event it was closed. PERMANENT
    (WrongBatchStatus) once it is being consolidated: its rows may be in the main table.
    """
    if batch.status is BatchStatus.ABANDONED:
        return Result.success(None)
    if batch.status in (BatchStatus.CONSOLIDATING, BatchStatus.CONSOLIDATED):
        return Result.failure(_wrong_status(batch, "abandoned"))
    status, event_id = BatchStatus.ABANDONED, f"abandon:{who}"
    fields: dict[str, Any] = {"status": status.value}
    creates: dict[str, Mapping[str, Any]] = {}
    if batch.status is BatchStatus.OPEN:
        # No claimant: there is no trigger to publish.
        fields = closed_fields(status, event_id=event_id, claimant=None)
        creates = {f"{CLAIMS}/{claim_id(batch.generation)}": claim(status, event_id=event_id)}
    change = Change(
        fields=fields,
        creates=creates,
        sets=entry("abandoned", f"by {who}: {why}", generation=batch.generation, who=who, why=why),
    )
    return Result.success(change)


def _wrong_status(batch: Batch, wanted: str) -> ErrorInfo:
    return ErrorInfo.permanent(
        "WrongBatchStatus", f"status: {batch.batch_id!r} is {batch.status.value}, it cannot be {wanted}"
    )


def _wrong_generation(batch: Batch, generation: int) -> ErrorInfo:
    return ErrorInfo.permanent(
        "WrongGeneration",
        f"generation: {batch.batch_id!r} is at {batch.generation}, {generation} cannot be consolidated",
        batch_id=batch.batch_id,
    )
