"""A batch as it was, put together from what was written down with its time. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from common.batches.completion import Completion
from common.batches.records import Batch, BatchStatus, Counts
from common.batches.rules import closing_status
from common.documents.document import Document

Entry = Mapping[str, Any]
"""One document of the batch's story, with `event` and `at`."""


@dataclass(frozen=True, kw_only=True)
class Past:
    """What was there at a moment."""

    batch: Batch
    completions: tuple[Completion, ...]
    """Who had ended by then."""
    story: tuple[Document, ...]
    """What was written down by then, in the order of time."""


def as_told(
    batch: Batch, completions: Sequence[Completion], story: Sequence[Document], at: datetime
) -> Past | None:
    """The batch at that moment; None if it was not opened by then.

    A completion that took the place of an earlier one later is not there yet, and nor is the earlier one:
    its document tells of the later alone.

    The schema mode stays that of now, as no entry of the story takes it back. A time that is
    equal to `at` counts as before it.
    """
    so_far = sorted((each for each in story if each.data["at"] <= at), key=lambda each: each.data["at"])
    if not any(each.data["event"] == "opened" for each in so_far):
        return None
    ended = tuple(one for one in completions if one.completed_at is not None and one.completed_at <= at)
    # Counted anew from the completions: the counters on the batch are those of now.
    counts = Counts()
    for one in ended:
        counts = counts.plus(one.outcome)
    # Everything that a batch may come to is taken back to how it was opened; the story is played from there.
    then = replace(
        batch,
        status=BatchStatus.OPEN,
        counts=counts,
        total_predictions=sum(one.predictions_count for one in ended),
        generation=1,
        trigger_message_id=None,
        trigger_generation=0,
        consolidated_generation=0,
        phase_message_id=None,
        phase_generation=0,
        closed_at=None,
        closed_by_event=None,
        update_time=at,
        read_time=at,
    )
    for each in so_far:
        then = _STEPS.get(_name(each.data), _nothing)(then, each.data)
    return Past(batch=then, completions=ended, story=tuple(so_far))


def _name(entry: Entry) -> str:
    """`late` of `late-lukadoncic`."""
    return str(entry["event"]).partition("-")[0]


def _nothing(batch: Batch, entry: Entry) -> Batch:
    """Entries that tell of the batch and change none of its fields; also those of a later release."""
    return batch


def _closed(batch: Batch, entry: Entry) -> Batch:
    """The fields that a closing writes."""
    return replace(
        batch,
        status=BatchStatus(entry["status"]),
        generation=entry["generation"],
        closed_at=entry["at"],
        closed_by_event=entry["closed_by_event"],
        update_time=entry["at"],
    )


def _came_late(batch: Batch, entry: Entry) -> Batch:
    """A late completion that reopened the batch; one that was only recorded changes nothing here."""
    if entry["new_generation"] <= batch.generation:
        return batch
    # The entry tells the generation and no status; it follows by the rule that the recorder itself went by.
    status = closing_status(
        batch.counts, expected=batch.expected_players, min_completion_pct=batch.min_completion_pct
    )
    return replace(
        batch,
        status=status,
        generation=entry["new_generation"],
        closed_at=entry["at"],
        closed_by_event=entry["event_id"],
        update_time=entry["at"],
    )


def _triggered(batch: Batch, entry: Entry) -> Batch:
    """The trigger, once it was noted."""
    return replace(
        batch,
        trigger_generation=entry["generation"],
        trigger_message_id=entry["message_id"],
        update_time=entry["at"],
    )


def _consolidating(batch: Batch, entry: Entry) -> Batch:
    """Begun; the story does not tell for which generation."""
    return replace(batch, status=BatchStatus.CONSOLIDATING, update_time=entry["at"])


def _consolidated(batch: Batch, entry: Entry) -> Batch:
    """Merged; the status of a newer generation that waits stays."""
    is_latest = entry["generation"] == batch.generation
    return replace(
        batch,
        status=BatchStatus.CONSOLIDATED if is_latest else batch.status,
        consolidated_generation=entry["generation"],
        update_time=entry["at"],
    )


def _announced(batch: Batch, entry: Entry) -> Batch:
    """The end of the phase was told."""
    return replace(batch, phase_generation=entry["generation"], phase_message_id=entry["message_id"])


def _abandoned(batch: Batch, entry: Entry) -> Batch:
    """Given up by a person."""
    return replace(batch, status=BatchStatus.ABANDONED, update_time=entry["at"])


_STEPS: Final[Mapping[str, Callable[[Batch, Entry], Batch]]] = {
    "closed": _closed,
    "late": _came_late,
    "trigger": _triggered,
    "consolidating": _consolidating,
    "consolidated": _consolidated,
    "announced": _announced,
    "abandoned": _abandoned,
}
