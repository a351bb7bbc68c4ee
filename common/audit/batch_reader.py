"""Batches as an audit reads them: one query for all, counts before documents, all as of one moment."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from ..batches import player_manifest
from ..batches.batch_document import read_batch
from ..batches.batch_store import readable
from ..batches.completion import Completion
from ..batches.differences import Totals
from ..batches.records import COLLECTION, COMPLETIONS, RECEIPTS, Batch, BatchStatus, batch_path
from ..chunks import chunks
from ..consolidation.receipt import Receipt
from ..documents.document import Document
from ..documents.port import NONSENSE, Documents
from ..documents.query import Query, at_least, equal, one_of
from ..messages import PlayerOutcome
from ..result import ErrorInfo, Result, ResultError, returns_result
from .batches_seen import Details, Seen, Wanted

UNSETTLED: Final = tuple(
    status.value
    for status in BatchStatus
    if status not in (BatchStatus.CONSOLIDATED, BatchStatus.ABANDONED, BatchStatus.FAILED)
)
"""Statuses of batches that may need something, however old they are."""
MANIFEST: Final = "manifest"
NAMES_AT_ONCE: Final = 300
"""Documents in one request."""


class BatchReader:
    """Reads the documents; safe to share between threads.

    A failure is "could not look", or names the document that makes no sense.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    @returns_result
    def seen(self, wanted: Wanted) -> Seen:
        """The batches that are wanted, all as of one moment of the server's.

        Never fails for a batch document that makes no sense: it is among the unreadable. Three queries, or
        one for a date; named batches are read beside them.
        """
        # All queries of one audit read as of this moment: documents that were read one after the other would
        # differ by what happened in between.
        moment = self._documents.time().unwrap()
        # By id: a batch that several queries find is looked at once.
        found = {each.id: each for each in self._found(wanted, moment)}
        named = ({wanted.batch_id} if wanted.batch_id else set()) | wanted.also
        found |= {each.id: each for each in self._named(named - found.keys(), moment)}
        read = {key: _read(found[key]) for key in sorted(found)}
        return Seen(
            batches=tuple(each.unwrap() for each in read.values() if each.is_success),
            unreadable=tuple((key, each.error) for key, each in read.items() if each.error is not None),
            gone=frozenset(named - found.keys()),
            read_time=moment,
            reads=max(1, len(found)) + 1,
        )

    @returns_result
    def totals(self, batch: Batch) -> Totals:
        """Two counts, whatever the size of the batch (a read per 1,000 completions each)."""
        completions, then = _below(batch, COMPLETIONS), batch.read_time
        with_rows = Query(where=(equal("outcome", PlayerOutcome.COMPLETED.value),), as_of=then)
        number, predictions = self._documents.count_and_sum(
            completions, "predictions_count", Query(as_of=then)
        ).unwrap()
        return Totals(
            documents=number,
            predictions=_whole(predictions),
            completed=self._documents.count(completions, with_rows).unwrap(),
        )

    @returns_result
    def details(self, batch: Batch) -> Details:
        """Every document of the batch: asked only where the counts differ."""
        # As of the batch's own read: a completion that came since is in none of its counters.
        found, parts = (self._all(batch, collection) for collection in (COMPLETIONS, MANIFEST))
        documents = {each.id: readable(each, Completion.from_document).unwrap() for each in found}
        names = [readable(each, _names).unwrap() for each in parts]
        return Details(
            documents=documents, expected=_expected(batch, names), reads=len(documents) + len(parts)
        )

    @returns_result
    def receipt(self, batch: Batch) -> Receipt | None:
        """That of the latest consolidation: one read. None where the legacy system consolidated."""
        # As of the batch's own read: a receipt written since would be of a generation that the batch does not
        # know yet.
        newest = Query(order_by="generation", descending=True, limit=1, as_of=batch.read_time)
        latest = self._documents.find(_below(batch, RECEIPTS), newest).unwrap()
        if latest:
            return readable(latest[0], Receipt.from_document).unwrap()
        if batch.consolidated_generation:
            raise _makes_no_sense(batch, RECEIPTS, "NoReceipt", "consolidated, and there is no receipt")
        return None

    @returns_result
    def times(self, batch: Batch) -> tuple[datetime | None, list[datetime]]:
        """When it was opened, and when each of its players was done, ascending: a read for each."""
        path = batch_path(batch.batch_id)
        opened = self._documents.get([path]).unwrap().get(path)
        # One field of each: the reads are billed all the same, but a completion is many times as long.
        done = self._documents.find(_below(batch, COMPLETIONS), Query(only=("completed_at",))).unwrap()
        times = [readable(each, _time("completed_at")).unwrap() for each in done]
        start = None if opened is None else readable(opened, _time("start_time")).unwrap()
        return start, sorted(each for each in times if each)

    @returns_result
    def ended(self, batch: Batch, players: Collection[str]) -> dict[str, Completion]:
        """How these players ended that have ended, as of the moment at which the batch was read."""
        # In mode `legacy` there are no completion documents: the array is all that is known.
        if not batch.schema_mode.writes_subcollection:
            return {name: batch.in_array[name] for name in players if name in batch.in_array}
        paths = [f"{_below(batch, COMPLETIONS)}/{name}" for name in sorted(players)]
        found = [
            each
            for some in chunks(paths, NAMES_AT_ONCE)
            for each in self._documents.get(some, as_of=batch.read_time).unwrap().values()
        ]
        return {each.id: readable(each, Completion.from_document).unwrap() for each in found}

    def _found(self, wanted: Wanted, moment: datetime) -> list[Document]:
        """What queries find; raises ResultError."""
        if wanted.batch_id is not None:
            return []
        if wanted.game_date is not None:
            queries = [Query(where=(equal("game_date", wanted.game_date.isoformat()),))]
        else:
            since = at_least("game_date", wanted.since.isoformat())
            # The legacy system wrote no status; what it left open is told by `is_complete` alone.
            queries = [
                Query(where=(since,), order_by="game_date"),
                Query(where=(one_of("status", UNSETTLED),)),
                Query(where=(equal("is_complete", False),)),
            ]
        return [
            document
            for each in queries
            for document in self._documents.find(COLLECTION, replace(each, as_of=moment)).unwrap()
        ]

    def _named(self, batch_ids: Collection[str], moment: datetime) -> list[Document]:
        """Documents read by name: of batches whose dates no query covers. () asks nothing."""
        paths = [batch_path(each) for each in sorted(batch_ids)]
        return list(self._documents.get(paths, as_of=moment).unwrap().values()) if paths else []

    def _all(self, batch: Batch, collection: str) -> list[Document]:
        return self._documents.find(_below(batch, collection), Query(as_of=batch.read_time)).unwrap()


def _below(batch: Batch, collection: str) -> str:
    """The path of a collection below a batch."""
    return f"{batch_path(batch.batch_id)}/{collection}"


def _read(document: Document) -> Result[Batch]:
    """One document as a batch; a failure names it."""
    return readable(document, lambda _: read_batch(document))


def _whole(value: Any) -> int:
    """What is no whole number agrees with nothing: then the documents are read, and the one is named."""
    return int(value) if isinstance(value, int | float) and value == value // 1 else -1


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
    # Against the digest on the batch: of a manifest with a chunk missing, the rest would look like all.
    joined = player_manifest.join(names, batch.manifest_digest)
    if joined.error is not None:
        raise _makes_no_sense(batch, MANIFEST, joined.error.exception_class, joined.error.message)
    return joined.unwrap()


def _makes_no_sense(batch: Batch, below: str, what: str, why: str) -> ResultError:
    """PERMANENT, and with the path of what is damaged, so that the finding can name it."""
    path = f"{batch_path(batch.batch_id)}/{below}"
    return ResultError(ErrorInfo.permanent(what, why, **{NONSENSE: path}))
