"""What happened to a batch, one line per fact: its documents, receipts, dead letters and the lock."""

from collections.abc import Iterable, Iterator, Sequence

from common.batches.completion import Completion
from common.batches.records import COMPLETIONS, RECEIPTS, Batch, batch_path
from common.consolidation.receipt import Receipt
from common.documents.document import Document
from common.entrypoint.dead_letter_box import DeadLetter
from common.lock.store import LockSnapshot
from common.messages import PlayerOutcome
from common.texts import counted

from .evidence import Event


def closed(batch: Batch) -> Iterator[Event]:
    """That the batch was closed, and by which event; nothing while it is open.

    Of several closings only the last is on the batch, the others are in its story.
    """
    if batch.closed_at is not None:
        what = f"closed by event {batch.closed_by_event}, generation {batch.generation}"
        yield Event(at=batch.closed_at, what=what, source=batch_path(batch.batch_id))


def told(story: Iterable[Document]) -> Iterator[Event]:
    """Each entry's sentence; one that is a name alone says what of."""
    for each in story:
        event, message = each.data["event"].replace("-", " "), each.data["message"]
        what = message if " " in message else f"{event}: {message}"
        yield Event(at=each.data["at"], what=what, source=each.path)


def merged(receipts: Iterable[Receipt]) -> Iterator[Event]:
    """One line per consolidation, with the figures of its receipt."""
    for each in receipts:
        what = (
            f"generation {each.generation} merged under fence {each.fence}: "
            f"{counted(each.rows_staged, 'row')} staged, {each.keys_in_main:,} of {each.keys_staged:,} "
            f"keys in the main table, {each.rows_inserted:,} inserted, {each.rows_updated:,} updated"
        )
        source = f"{batch_path(each.batch_id)}/{RECEIPTS}/{each.fence}"
        yield Event(at=each.consolidated_at, what=what, source=source)


def recorded(batch: Batch, completions: Sequence[Completion]) -> Iterator[Event]:
    """The first and the last; and each that failed, with its reason.

    A completion without a time has no place in the order and is left out; the counts have it.
    """
    timed = sorted(
        ((one.completed_at, one) for one in completions if one.completed_at is not None),
        # Equal times happen; with the name, the same batch is told in the same order twice.
        key=lambda pair: (pair[0], pair[1].player_lookup),
    )
    # A batch of hundreds tells its story by its two ends; whoever failed is wanted by name.
    ends = {one.player_lookup for _, one in (*timed[:1], *timed[-1:])}
    for at, one in timed:
        if one.player_lookup in ends or one.outcome is PlayerOutcome.FAILED:
            reason = f": {one.reason}" if one.reason else ""
            source = f"{batch_path(batch.batch_id)}/{COMPLETIONS}/{one.player_lookup}"
            yield Event(at=at, what=f"{one.player_lookup} {one.outcome.value}{reason}", source=source)


def refused(letters: Iterable[DeadLetter]) -> Iterator[Event]:
    """One line per dead letter."""
    for each in letters:
        what = f"{each.function} refused {each.topic}: {each.error_class}: {each.reason}"
        yield Event(at=each.dead_lettered_at, what=what, source=f"dead_letters/{each.event_id}")


def locked(snapshot: LockSnapshot | None) -> Iterator[Event]:
    """Who took the lock of the day last.

    Of one moment alone: the document keeps one holder, and who merged under it before is told by a receipt.
    """
    record = snapshot.record if snapshot else None
    if record is not None:
        what = f"{record.operation_id} took the lock of the day, fence {record.fence} ({record.state})"
        yield Event(at=record.acquired_at, what=what, source=f"{record.lock_type}_locks/{record.lock_key}")
