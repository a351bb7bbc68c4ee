"""Batches as an audit reads them: one query for all, counts before documents, all as of one moment."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Protocol, TypeVar

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from ..batches import player_manifest
from ..batches.batch_document import read_batch
from ..batches.batch_store import readable
from ..batches.differences import Totals
from ..batches.records import COLLECTION, COMPLETIONS, RECEIPTS, Batch, BatchStatus, Completion, batch_path
from ..chunks import chunks
from ..consolidation.receipt import Receipt
from ..documents.port import NONSENSE
from ..documents.store import CALL_TIMEOUT_SECONDS, FAULTS, RETRY, document_of
from ..messages import PlayerOutcome
from ..result import ErrorInfo, Result, ResultError

T = TypeVar("T")

UNSETTLED: Final = tuple(
    status.value
    for status in BatchStatus
    if status not in (BatchStatus.CONSOLIDATED, BatchStatus.ABANDONED, BatchStatus.FAILED)
)
"""Statuses of batches that may need something, however old they are."""
MANIFEST: Final = "manifest"
NAMES_AT_ONCE: Final = 300
"""Documents in one request."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which batches: this one, those of a date, or whatever may be stuck and all since a date."""

    batch_id: str | None = None
    game_date: date | None = None
    since: date
    """With neither batch nor date: every batch of this game date or a later one, and whatever is
    unsettled."""
    also: frozenset[str] = frozenset()
    """Batches with an open finding: only who looks again can find it over."""

    @property
    def is_limited(self) -> bool:
        """Whether one batch or one date is asked for, and not all."""
        return self.batch_id is not None or self.game_date is not None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The batches as of `read_time`, in the order of their ids."""

    batches: tuple[Batch, ...]
    unreadable: tuple[tuple[str, ErrorInfo], ...]
    """Batch id and why."""
    gone: frozenset[str]
    """Asked for, and not there (any more)."""
    read_time: datetime
    reads: int
    """Documents, as Firestore bills them."""

    @property
    def batch_ids(self) -> frozenset[str]:
        """Every batch that the reading can say something of: found, unreadable or gone."""
        there = {batch.batch_id for batch in self.batches} | {batch_id for batch_id, _ in self.unreadable}
        return frozenset(there | self.gone)


@dataclass(frozen=True, kw_only=True)
class Details:
    """All that a batch's documents tell, as of the moment at which the batch was read."""

    documents: dict[str, Completion]
    """By lookup key."""
    expected: frozenset[str] | None
    """The players of the manifest; None where none was ever stored."""
    reads: int
    """Documents, as Firestore bills them."""


class Batches(Protocol):
    """What the checks of batches ask; a failure is "could not look", or names the document that is none."""

    def seen(self, wanted: Wanted) -> Result[Seen]:
        """Which batches there are, as of one moment."""

    def totals(self, batch: Batch) -> Result[Totals]:
        """Counts of the batch's documents, as of the moment at which it was read."""

    def details(self, batch: Batch) -> Result[Details]:
        """All documents of the batch, as of that moment."""

    def receipt(self, batch: Batch) -> Result[Receipt | None]:
        """The receipt of its latest consolidation; None where the legacy system consolidated."""

    def times(self, batch: Batch) -> Result[tuple[datetime | None, list[datetime]]]:
        """When it was opened, and when each of its players was done, ascending."""

    def ended(self, batch: Batch, players: Collection[str]) -> Result[dict[str, Completion]]:
        """How these players have ended, those that have."""


class BatchReader:
    """Reads from Firestore; safe to share between threads.

    A failure is "could not look", or names the document that makes no sense.
    """

    def __init__(self, db: firestore.Client) -> None:
        self._db = db

    def seen(self, wanted: Wanted) -> Result[Seen]:
        """The batches that are wanted, all as of one moment of the server's.

        Never fails for a batch document that makes no sense: it is among the unreadable. Three queries, or
        one for a date; named batches are read beside them.
        """
        try:
            # All queries of one audit read as of this moment: documents that were read one after the other
            # would differ by what happened in between.
            moment = self._moment()
            snapshots = {each.id: each for each in self._found(wanted, moment)}
            named = ({wanted.batch_id} if wanted.batch_id else set()) | wanted.also
            extra = self._named(named - snapshots.keys(), moment)
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc))
        # By id: a batch that several queries find is looked at once.
        snapshots |= {each.id: each for each in extra if each.exists}
        read = {key: _read(snapshots[key]) for key in sorted(snapshots)}
        return Result.success(
            Seen(
                batches=tuple(each.unwrap() for each in read.values() if each.is_success),
                unreadable=tuple((key, each.error) for key, each in read.items() if each.error is not None),
                gone=frozenset(named - snapshots.keys()),
                read_time=moment,
                reads=max(1, len(snapshots)) + 1,
            )
        )

    def totals(self, batch: Batch) -> Result[Totals]:
        """Two counts, whatever the size of the batch (a read per 1,000 completions each)."""
        completions = self._below(batch, COMPLETIONS)
        completed = FieldFilter("outcome", "==", PlayerOutcome.COMPLETED.value)

        def count() -> Totals:
            all_of_them = completions.count(alias="documents").sum("predictions_count", alias="predictions")
            found = {each.alias: each.value for each in _aggregated(all_of_them, batch)}
            [with_rows] = _aggregated(completions.where(filter=completed).count(), batch)
            return Totals(
                documents=_whole(found["documents"]),
                predictions=_whole(found["predictions"]),
                completed=_whole(with_rows.value),
            )

        return _attempt(count, batch)

    def details(self, batch: Batch) -> Result[Details]:
        """Every document of the batch: asked only where the counts differ."""

        def read() -> Details:
            # As of the batch's own read: a completion that came since is in none of its counters.
            found = [document_of(each) for each in self._documents(batch, COMPLETIONS)]
            documents = {each.id: readable(each, Completion.from_document).unwrap() for each in found}
            parts = [document_of(each) for each in self._documents(batch, MANIFEST)]
            names = [readable(each, _names).unwrap() for each in parts]
            return Details(
                documents=documents,
                expected=_expected(batch, names),
                reads=len(documents) + len(parts),
            )

        return _attempt(read, batch)

    def receipt(self, batch: Batch) -> Result[Receipt | None]:
        """That of the latest consolidation: one read. None where the legacy system consolidated."""

        def read() -> Receipt | None:
            latest = (
                self._below(batch, RECEIPTS)
                .order_by("generation", direction=firestore.Query.DESCENDING)
                .limit(1)
                .get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS, read_time=batch.read_time)
            )
            # As of the batch's own read: a receipt written since would be of a generation that the batch does
            # not know yet.
            if latest:
                return readable(document_of(latest[0]), Receipt.from_document).unwrap()
            if batch.consolidated_generation:
                raise _makes_no_sense(batch, RECEIPTS, "NoReceipt", "consolidated, and there is no receipt")
            return None

        return _attempt(read, batch)

    def times(self, batch: Batch) -> Result[tuple[datetime | None, list[datetime]]]:
        """When it was opened, and when each of its players was done, ascending: a read for each."""

        def read() -> tuple[datetime | None, list[datetime]]:
            ref = self._db.document(batch_path(batch.batch_id))
            opened = document_of(ref.get(["start_time"], retry=RETRY, timeout=60))
            done = self._below(batch, COMPLETIONS).select(["completed_at"]).get(retry=RETRY, timeout=60)
            times = [readable(document_of(each), _time("completed_at")).unwrap() for each in done]
            return readable(opened, _time("start_time")).unwrap(), sorted(each for each in times if each)

        return _attempt(read, batch)

    def ended(self, batch: Batch, players: Collection[str]) -> Result[dict[str, Completion]]:
        """How these players ended that have ended, as of the moment at which the batch was read."""
        # In mode `legacy` there are no completion documents: the array is all that is known.
        if not batch.schema_mode.writes_subcollection:
            return Result.success({name: batch.in_array[name] for name in players if name in batch.in_array})

        def read() -> dict[str, Completion]:
            found = [
                document_of(each)
                for some in chunks(sorted(players), NAMES_AT_ONCE)
                for each in self._db.get_all(
                    [self._below(batch, COMPLETIONS).document(name) for name in some],
                    retry=RETRY,
                    timeout=60,
                    read_time=batch.read_time,
                )
                if each.exists
            ]
            return {each.id: readable(each, Completion.from_document).unwrap() for each in found}

        return _attempt(read, batch)

    def _moment(self) -> datetime:
        """The server's clock; a document need not exist to tell it."""
        nobody = self._db.collection(COLLECTION).document("-")
        moment: datetime = nobody.get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS).read_time
        return moment

    def _found(self, wanted: Wanted, moment: datetime) -> Iterable[Any]:
        batches = self._db.collection(COLLECTION)
        if wanted.batch_id is not None:
            return
        if wanted.game_date is not None:
            filters = [FieldFilter("game_date", "==", wanted.game_date.isoformat())]
        else:
            since = FieldFilter("game_date", ">=", wanted.since.isoformat())
            # The legacy system wrote no status; what it left open is told by `is_complete` alone.
            filters = [
                since,
                FieldFilter("status", "in", list(UNSETTLED)),
                FieldFilter("is_complete", "==", False),
            ]
        for each in filters:
            yield from batches.where(filter=each).get(retry=RETRY, timeout=60, read_time=moment)

    def _named(self, batch_ids: Collection[str], moment: datetime) -> list[Any]:
        """Documents read by name: of batches whose dates no query covers. () asks nothing."""
        refs = [self._db.collection(COLLECTION).document(each) for each in sorted(batch_ids)]
        if not refs:
            return []
        return list(self._db.get_all(refs, retry=RETRY, timeout=60, read_time=moment))

    def _below(self, batch: Batch, name: str) -> firestore.CollectionReference:
        found: firestore.CollectionReference = (
            self._db.collection(COLLECTION).document(batch.batch_id).collection(name)
        )
        return found

    def _documents(self, batch: Batch, name: str) -> Iterable[Any]:
        below = self._below(batch, name)
        found: Iterable[Any] = below.get(retry=RETRY, timeout=60, read_time=batch.read_time)
        return found


def _read(snapshot: Any) -> Result[Batch]:
    """One snapshot as a batch; a failure names the document."""
    document = document_of(snapshot)
    return readable(document, lambda _: read_batch(document))


def _aggregated(query: Any, batch: Batch) -> list[Any]:
    [row] = query.get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS, read_time=batch.read_time)
    return list(row)


def _whole(value: Any) -> int:
    """What is no whole number agrees with nothing: then the documents are read, and the one is named."""
    return int(value) if isinstance(value, int | float) and value == value // 1 else -1


def _attempt(read: Callable[[], T], batch: Batch) -> Result[T]:
    """What `read` gives; a fault of the client and a document that makes no sense become failures of this
    batch.
    """
    try:
        return Result.success(read())
    except ResultError as exc:
        return Result.failure(exc.error)
    except FAULTS as exc:
        return Result.failure(ErrorInfo.from_exception(exc, batch_id=batch.batch_id))


def _names(data: Mapping[str, Any]) -> list[str]:
    """The names of one chunk of the manifest; raises ValueError if it holds anything else."""
    found = player_manifest.read_chunk(data)
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise ValueError("players: no list of names")
    return found


def _time(name: str) -> Callable[[Mapping[str, Any]], datetime | None]:
    """Reads one field of a document; raises ValueError if it is no time."""

    def read(data: Mapping[str, Any]) -> datetime | None:
        found = data.get(name)
        if found is not None and not isinstance(found, datetime):
            raise ValueError(f"{name}: {found!r} is no time")
        return found

    return read


def _expected(batch: Batch, names: list[list[str]]) -> frozenset[str] | None:
    """None where no manifest was ever stored; raises ResultError for one that is not as it was frozen."""
    if batch.manifest_digest is None:
        return None
    joined = player_manifest.join(names, batch.manifest_digest)
    if joined.error is not None:
        raise _makes_no_sense(batch, MANIFEST, joined.error.exception_class, joined.error.message)
    return joined.unwrap()


def _makes_no_sense(batch: Batch, below: str, what: str, why: str) -> ResultError:
    path = f"{batch_path(batch.batch_id)}/{below}"
    return ResultError(ErrorInfo.permanent(what, why, **{NONSENSE: path}))
