"""Reads what is known of one batch: its document and players, its story, its receipts, the lock of its day,
the dead letters that name it, and its findings. Reads only; a store that cannot be read is a failure, never
an absence."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from common.batches.batch_document import read_batch
from common.batches.batch_store import readable
from common.batches.batches import Batches
from common.batches.completion import Completion
from common.batches.expected_end import ExpectedEnd
from common.batches.records import RECEIPTS, Batch, batch_path
from common.consolidation.receipt import Receipt
from common.documents.document import Document
from common.documents.query import Query
from common.entrypoint.dead_letter_box import DeadLetter, DeadLetterBox
from common.findings.tracked import Tracked
from common.lock.rules import LockKey
from common.lock.store import LockSnapshot
from common.messages import PlayerOutcome
from common.result import ErrorInfo, ResultError

from ..wording import moment
from . import batch_events, findings_seen, letters_seen, locks_seen
from .batch_facts import BatchFacts, LockHolder, Refusal
from .batch_past import as_told
from .evidence import Event, in_order
from .past import is_not_kept, told_instead

TIMELINE: Final = "timeline"
NO_SUCH_THING: Final = "NoSuchThing"
"""Failure class (PERMANENT): nothing of that name was there at that time."""
LATELY: Final = timedelta(seconds=10)
"""How long `again` takes a lock and dead letters to be as they were read: they change without the batch."""

KeyOf = Callable[[date], LockKey]
"""Game date → the lock of its consolidations."""
EndOf = Callable[[Batch], ExpectedEnd | None]
"""When a batch's last player is expected, where that can be said."""


@dataclass(frozen=True, kw_only=True)
class Explained:
    """All that was read of one batch."""

    facts: BatchFacts
    events: tuple[Event, ...]
    receipts: tuple[Receipt, ...]
    findings: tuple[Tracked, ...] = ()
    note: str | None = None
    """What to know about how it was read; None where there is nothing to know."""


@dataclass(frozen=True, kw_only=True)
class _Read:
    """The documents, all as of one time."""

    batch: Batch
    completions: tuple[Completion, ...]
    story: tuple[Document, ...]
    receipts: tuple[Receipt, ...]
    letters: tuple[DeadLetter, ...]
    findings: tuple[Tracked, ...]
    lock: LockSnapshot | None


class BatchEvidence:
    """Gathers it; clients are handed in. Every method raises ResultError where a store cannot be read."""

    def __init__(
        self,
        batches: Batches,
        *,
        key_of: KeyOf,
        dead_letters: DeadLetterBox,
        expected_end: EndOf = lambda _: None,
    ) -> None:
        self._batches = batches
        self._documents = batches.store.documents
        self._key_of = key_of
        self._dead_letters = dead_letters
        self._expected_end = expected_end

    def of(self, batch_id: str, *, as_of: datetime | None = None) -> Explained:
        """The batch now, or as it was.

        What Firestore keeps no more is told from what was written down with its time, and said to be so in
        `note`; see `past`. Raises ResultError: NO_SUCH_THING for a batch that was not there by then, an
        unreadable document, or a fault of a store.
        """
        try:
            return self._explained(self._read(batch_id, as_of))
        except ResultError as exc:
            if as_of is None or not is_not_kept(exc.error):
                raise
        return self._told(batch_id, as_of)

    def if_there(self, batch_id: str, *, as_of: datetime | None) -> Explained | None:
        """As `of`; None for a batch that was not there by then."""
        try:
            return self.of(batch_id, as_of=as_of)
        except ResultError as exc:
            if exc.error.exception_class == NO_SUCH_THING:
                return None
            raise

    def again(self, found: Explained) -> Explained:
        """Read anew, for whoever watches: its document alone, one read, while that has not changed and what
        stands beside it (a lock, a dead letter) was read lately.
        """
        facts = found.facts
        batch = self._batch(facts.batch.batch_id, None)
        # Each completion is counted on the batch, so its time tells whether one came.
        is_as_it_was = batch.update_time == facts.batch.update_time
        if is_as_it_was and batch.read_time - facts.batch.read_time < LATELY:
            return replace(found, facts=replace(facts, now=batch.read_time))
        return self.of(batch.batch_id)

    def _explained(self, read: _Read, note: str | None = None) -> Explained:
        """Every fact that was read, in the order of time, and what a verdict needs."""
        events = (
            *batch_events.closed(read.batch),
            *batch_events.told(read.story),
            *batch_events.merged(read.receipts),
            *batch_events.recorded(read.batch, read.completions),
            *batch_events.refused(read.letters),
            *batch_events.locked(read.lock),
            *findings_seen.told(read.findings),
        )
        return Explained(
            facts=self._facts(read),
            events=tuple(in_order(events)),
            receipts=read.receipts,
            findings=read.findings,
            note=note,
        )

    def _told(self, batch_id: str, at: datetime) -> Explained:
        """From the documents of now, by their times."""
        now = self._read(batch_id, None)
        past = as_told(now.batch, now.completions, now.story, at)
        if past is None:
            raise _nothing_there(batch_id, at)
        read = replace(
            now,
            **vars(past),
            receipts=tuple(each for each in now.receipts if each.consolidated_at <= at),
            letters=letters_seen.until(now.letters, at),
            findings=findings_seen.until(now.findings, at),
            # The lock document keeps one holder: who held it then is not written down.
            lock=None,
        )
        return self._explained(read, told_instead(at))

    def _read(self, batch_id: str, as_of: datetime | None) -> _Read:
        """All documents of one batch; raises ResultError.

        As of one moment where `as_of` says which, else one after the other: a batch that moves meanwhile may
        be told with a completion more than its document counts. Dead letters are read as they are now: they
        are never removed, and each has its own times.
        """
        batch = self._batch(batch_id, as_of)
        key = self._key_of(batch.game_date)
        letters = [each for each in self._dead_letters.newest().unwrap() if each.batch_id == batch_id]
        # Findings about the lock of its day concern it, too.
        scopes = (batch_id, key.document_id)
        return _Read(
            batch=batch,
            # Behind the batch: one that comes in between is told too early, and never missed.
            completions=tuple(self._completions(batch, as_of)),
            story=tuple(self._below(batch_id, TIMELINE, Query(order_by="at", as_of=as_of))),
            receipts=tuple(
                readable(each, Receipt.from_document).unwrap()
                for each in self._below(batch_id, RECEIPTS, Query(as_of=as_of))
            ),
            letters=tuple(letters) if as_of is None else letters_seen.until(letters, as_of),
            findings=tuple(findings_seen.findings_of(self._documents, scopes, as_of=as_of)),
            lock=locks_seen.snapshots(self._documents, [key], as_of=as_of).get(key),
        )

    def _batch(self, batch_id: str, as_of: datetime | None) -> Batch:
        """Now or as it was; raises ResultError (NO_SUCH_THING)."""
        path = batch_path(batch_id)
        document = self._documents.get([path], as_of=as_of).unwrap().get(path)
        if document is None:
            raise _nothing_there(batch_id, as_of)
        return readable(document, lambda _: read_batch(document)).unwrap()

    def _completions(self, batch: Batch, as_of: datetime | None) -> list[Completion]:
        """How players had ended by then, wherever the mode of the batch keeps that.

        Raises ResultError. In mode `legacy` the array on the batch is all there is, of the batch's own
        reading.
        """
        if not batch.schema_mode.writes_subcollection:
            return list(batch.in_array.values())
        return list(self._batches.store.completions(batch.batch_id, as_of=as_of).unwrap().values())

    def _below(self, batch_id: str, collection: str, query: Query) -> list[Document]:
        """Documents below the batch; raises ResultError."""
        return self._batches.store.below(batch_id, collection, query).unwrap()

    def _facts(self, read: _Read) -> BatchFacts:
        """What a verdict needs of it. Raises ResultError where the manifest cannot be read.

        `now` is the server's clock at the reading of the batch, by which every age in a verdict is reckoned:
        the clock of the person's machine plays no part.
        """
        batch, completions = read.batch, read.completions
        # Frozen at its opening, so what is read now was so then.
        players = self._batches.roster(batch.batch_id).unwrap().players
        heard = {one.player_lookup for one in completions if one.outcome is not PlayerOutcome.TIMED_OUT}
        times = [one.completed_at for one in completions if one.completed_at is not None]
        return BatchFacts(
            batch=batch,
            now=batch.read_time,
            missing=None if players is None else sorted(players - heard),
            failed=_names(one for one in completions if one.outcome is PlayerOutcome.FAILED),
            unstaged=_names(one for one in completions if _is_unstaged(one)),
            last_completion_at=max(times, default=None),
            asked_again_at=max(_asked_again(read.story), default=None),
            holder=LockHolder.of(self._key_of(batch.game_date), read.lock),
            refusals=[Refusal.of(each) for each in read.letters if each.waits],
            expected_end=self._expected_end(batch),
        )


def _nothing_there(batch_id: str, as_of: datetime | None) -> ResultError:
    """NO_SUCH_THING, now or at that time."""
    then = f" at {moment(as_of)} UTC" if as_of else ""
    return ResultError(ErrorInfo.permanent(NO_SUCH_THING, f"batch {batch_id!r}: there is none{then}"))


def _asked_again(story: Iterable[Document]) -> list[datetime]:
    """When players were asked for again, by the story of the batch."""
    return [each.data["at"] for each in story if each.data["event"].startswith("redriven-")]


def _names(completions: Iterable[Completion]) -> list[str]:
    """Players, sorted."""
    return sorted(one.player_lookup for one in completions)


def _is_unstaged(one: Completion) -> bool:
    """Whether predictions are counted and nobody said where their rows are."""
    return one.outcome is PlayerOutcome.COMPLETED and one.predictions_count > 0 and one.staging_table is None
