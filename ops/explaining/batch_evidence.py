"""Reads what is known of one batch: its document and players, its story, its receipts, the lock of its day,
and the dead letters that name it. Reads only; a store that cannot be read is a failure, never an absence."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from common.batches.batch_document import read_batch
from common.batches.batch_store import readable
from common.batches.batches import Batches
from common.batches.expected_end import ExpectedEnd
from common.batches.records import RECEIPTS, Batch, Completion, batch_path
from common.consolidation.receipt import Receipt
from common.documents.port import Document
from common.documents.query import Query
from common.entrypoint.dead_letter_box import DeadLetter, DeadLetterBox
from common.lock.rules import LockKey
from common.lock.store import LockSnapshot
from common.messages import PlayerOutcome
from common.result import ErrorInfo, Result, ResultError

from ..wording import count, moment
from .batch_facts import BatchFacts, LockHolder, Refusal
from .evidence import Event, in_order

TIMELINE: Final = "timeline"

ReadLock = Callable[[LockKey], Result[LockSnapshot]]
KeyOf = Callable[[date], LockKey]
EndOf = Callable[[Batch], ExpectedEnd | None]


@dataclass(frozen=True, kw_only=True)
class Explained:
    """All that was read of one batch."""

    facts: BatchFacts
    events: tuple[Event, ...]
    receipts: tuple[Receipt, ...]


class BatchEvidence:
    """Gathers it; clients are handed in."""

    def __init__(
        self,
        batches: Batches,
        *,
        lock: ReadLock,
        key_of: KeyOf,
        dead_letters: DeadLetterBox,
        expected_end: EndOf = lambda _: None,
    ) -> None:
        self._batches = batches
        self._lock = lock
        self._key_of = key_of
        self._dead_letters = dead_letters
        self._expected_end = expected_end

    def of(self, batch_id: str, *, as_of: datetime | None = None) -> Explained:
        """The batch now, or as it was; raises ResultError. Firestore keeps an hour of what was, and seven
        days where point-in-time recovery is on."""
        batch = self._batch(batch_id, as_of)
        completions = self._completions(batch, as_of)
        story = self._below(batch_id, TIMELINE, Query(order_by="at", as_of=as_of))
        receipts = [
            Receipt.from_document(each.data) for each in self._below(batch_id, RECEIPTS, Query(as_of=as_of))
        ]
        letters = [each for each in self._dead_letters.newest().unwrap() if each.batch_id == batch_id]
        snapshot = None if as_of else self._lock(self._key_of(batch.game_date)).unwrap()
        facts = self._facts(batch, completions, letters, snapshot)
        events = (
            *_closed(batch),
            *map(_told, story),
            *map(_merged, receipts),
            *_recorded(batch, completions),
            *map(_refused, letters),
            *_locked(snapshot),
        )
        return Explained(facts=facts, events=tuple(in_order(events)), receipts=tuple(receipts))

    def _batch(self, batch_id: str, as_of: datetime | None) -> Batch:
        path = batch_path(batch_id)
        document = self._batches.store.documents.get([path], as_of=as_of).unwrap().get(path)
        if document is None:
            then = f" at {moment(as_of)}" if as_of else ""
            raise ResultError(ErrorInfo.permanent("NoSuchThing", f"batch {batch_id!r}: there is none{then}"))
        return readable(document, lambda _: read_batch(document)).unwrap()

    def _completions(self, batch: Batch, as_of: datetime | None) -> list[Completion]:
        if not batch.schema_mode.writes_subcollection:
            return list(batch.in_array.values())
        return list(self._batches.store.completions(batch.batch_id, as_of=as_of).unwrap().values())

    def _below(self, batch_id: str, collection: str, query: Query) -> list[Document]:
        return self._batches.store.below(batch_id, collection, query).unwrap()

    def _facts(
        self,
        batch: Batch,
        completions: Sequence[Completion],
        letters: Sequence[DeadLetter],
        snapshot: LockSnapshot | None,
    ) -> BatchFacts:
        players = self._batches.roster(batch.batch_id).unwrap().players
        heard = {one.player_lookup for one in completions if one.outcome is not PlayerOutcome.TIMED_OUT}
        times = [one.completed_at for one in completions if one.completed_at is not None]
        return BatchFacts(
            batch=batch,
            now=batch.read_time,
            missing=None if players is None else sorted(players - heard),
            unstaged=sorted(one.player_lookup for one in completions if _is_unstaged(one)),
            last_completion_at=max(times, default=None),
            holder=_holder(self._key_of(batch.game_date), snapshot),
            refusals=[_refusal(each) for each in letters],
            expected_end=self._expected_end(batch),
        )


def _is_unstaged(one: Completion) -> bool:
    return one.outcome is PlayerOutcome.COMPLETED and one.predictions_count > 0 and one.staging_table is None


def _holder(key: LockKey, snapshot: LockSnapshot | None) -> LockHolder | None:
    record = snapshot.record if snapshot else None
    if snapshot is None or record is None or not record.is_held:
        return None
    return LockHolder(
        lock=str(key),
        operation_id=record.operation_id,
        fence=record.fence,
        expires_at=record.expires_at,
        is_alive=record.expires_at > snapshot.server_now,
    )


def _refusal(letter: DeadLetter) -> Refusal:
    return Refusal(
        event_id=letter.event_id,
        function=letter.function,
        error_class=letter.error_class,
        reason=letter.reason,
        details=letter.details,
        at=letter.dead_lettered_at,
    )


def _closed(batch: Batch) -> Iterator[Event]:
    if batch.closed_at is not None:
        what = f"closed by event {batch.closed_by_event}, generation {batch.generation}"
        yield Event(at=batch.closed_at, what=what, source=batch_path(batch.batch_id))


def _told(document: Document) -> Event:
    """The entry's sentence; one that is a name alone says what of."""
    event, message = document.data["event"].replace("-", " "), document.data["message"]
    what = message if " " in message else f"{event}: {message}"
    return Event(at=document.data["at"], what=what, source=document.path)


def _merged(receipt: Receipt) -> Event:
    what = (
        f"generation {receipt.generation} merged under fence {receipt.fence}: "
        f"{count(receipt.rows_staged, 'row')} staged, {receipt.keys_in_main:,} of {receipt.keys_staged:,} "
        f"keys in the main table, {receipt.rows_inserted:,} inserted, {receipt.rows_updated:,} updated"
    )
    source = f"{batch_path(receipt.batch_id)}/{RECEIPTS}/{receipt.fence}"
    return Event(at=receipt.consolidated_at, what=what, source=source)


def _recorded(batch: Batch, completions: Sequence[Completion]) -> Iterator[Event]:
    """The first and the last; and each that failed, with its reason."""
    timed = sorted(
        ((one.completed_at, one) for one in completions if one.completed_at is not None),
        key=lambda pair: (pair[0], pair[1].player_lookup),
    )
    ends = {one.player_lookup for _, one in (*timed[:1], *timed[-1:])}
    for at, one in timed:
        if one.player_lookup in ends or one.outcome is PlayerOutcome.FAILED:
            reason = f": {one.reason}" if one.reason else ""
            what = f"{one.player_lookup} {one.outcome.value}{reason}"
            yield Event(
                at=at, what=what, source=f"{batch_path(batch.batch_id)}/completions/{one.player_lookup}"
            )


def _refused(letter: DeadLetter) -> Event:
    what = f"{letter.function} refused {letter.topic}: {letter.error_class}: {letter.reason}"
    return Event(at=letter.dead_lettered_at, what=what, source=f"dead_letters/{letter.event_id}")


def _locked(snapshot: LockSnapshot | None) -> Iterator[Event]:
    record = snapshot.record if snapshot else None
    if record is not None:
        what = f"{record.operation_id} took the lock of the day, fence {record.fence} ({record.state})"
        yield Event(at=record.acquired_at, what=what, source=f"{record.lock_type}_locks/{record.lock_key}")
