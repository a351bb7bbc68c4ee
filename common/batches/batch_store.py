"""The batch document over whatever store there is: read it, decide, and write under a precondition."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeVar

from ..documents.document import Document
from ..documents.port import NONSENSE, UNREADABLE, Documents, is_refused
from ..documents.query import ALL, Query, one_of
from ..result import ErrorInfo, ErrorType, Result, ResultError, returns_result
from . import player_manifest as manifest
from .batch_document import read_batch
from .changes import Change
from .completion import Completion
from .records import COLLECTION, COMPLETIONS, UNEXPECTED, Batch, Roster, batch_path

MAX_ATTEMPTS: Final = 50
"""How often a decision is made again because somebody else wrote the batch. Far more than writers at a
time: running out of them is a fault, and told as TRANSIENT."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Settled:
    """The batch once a decision was made on it, and whether it was this call that changed it."""

    batch: Batch
    changed: bool


Decide = Callable[[Batch], Result[Change | None]]
"""What to write on the batch as it is; None: nothing. Called once per attempt, so it keeps nothing from
one to the next."""


class BatchStore:
    """Reads and changes batch documents; safe to share between threads. Keeps nothing."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents

    @returns_result
    def get(self, batch_id: str) -> Batch:
        """The batch now. NOT_YET if it does not exist, as it may be being opened; PERMANENT if it cannot be
        read.
        """
        path = batch_path(batch_id)
        found = self.documents.get([path]).unwrap()
        return batch_in(found, batch_id).unwrap()

    @returns_result
    def roster(self, batch_id: str) -> Roster:
        """The batch and its frozen players, as of one moment.

        Failures: as `get`, or MANIFEST_DAMAGED (PERMANENT).
        """
        path = batch_path(batch_id)
        # All that there can be: how many there are, only the reading would tell, and it is to be one.
        chunks = [f"{path}/{manifest.chunk_path(number)}" for number in range(manifest.MAX_CHUNKS)]
        found = self.documents.get([path, *chunks]).unwrap()
        batch = batch_in(found, batch_id).unwrap()
        if batch.manifest_digest is None:
            return Roster(batch=batch, players=None)
        parts = [readable(found[each], manifest.read_chunk).unwrap() for each in chunks if each in found]
        return Roster(batch=batch, players=manifest.join(parts, batch.manifest_digest).unwrap())

    @returns_result
    def completions(self, batch_id: str, *, as_of: datetime | None = None) -> dict[str, Completion]:
        """The completion documents by player, whatever the mode; PERMANENT if one cannot be read."""
        found = self.below(batch_id, COMPLETIONS, Query(as_of=as_of)).unwrap()
        return {document.id: readable(document, Completion.from_document).unwrap() for document in found}

    @returns_result
    def completion(self, batch: Batch, player_lookup: str) -> Completion | None:
        """How one player ended, wherever the mode of the batch keeps it; None who has not ended."""
        if not batch.schema_mode.writes_subcollection:
            return batch.in_array.get(player_lookup)
        path = f"{batch_path(batch.batch_id)}/{COMPLETIONS}/{player_lookup}"
        found = self.documents.get([path]).unwrap()
        return readable(found[path], Completion.from_document).unwrap() if path in found else None

    @returns_result
    def ends(self, batch: Batch) -> tuple[Completion, ...]:
        """The first and the last completion; fewer where no times are known."""
        if not batch.schema_mode.writes_subcollection:
            return _ends_of_array(batch)
        # Two readings of a document each, whatever the size of the batch.
        # Ordered by the server's time; equal times by name, as the recorder takes them.
        first = Query(order_by="completed_at", limit=1)
        last = replace(first, descending=True)
        found = [
            document
            for query in (first, last)
            for document in self.below(batch.batch_id, COMPLETIONS, query).unwrap()
        ]
        return tuple(readable(document, Completion.from_document).unwrap() for document in found)

    def unexpected(self, batch_id: str) -> Result[tuple[str, ...]]:
        """Players whom nobody had asked for, by name."""
        found = self.below(batch_id, UNEXPECTED, Query(only=()))
        return found.map(lambda documents: tuple(document.id for document in documents))

    def below(self, batch_id: str, collection: str, query: Query = ALL) -> Result[list[Document]]:
        """The documents of a collection below the batch."""
        return self.documents.find(f"{batch_path(batch_id)}/{collection}", query)

    @returns_result
    def where(self, field: str, values: Sequence[Any]) -> dict[str, Result[Batch]]:
        """The batches whose `field` has one of these values, by id; a failure for each that cannot be read.

        One bad document never hides the others. At most 30 values.
        """
        found = self.documents.find(COLLECTION, Query(where=(one_of(field, values),))).unwrap()
        return {document.id: readable(document, lambda _, it=document: read_batch(it)) for document in found}  # type: ignore[misc]

    @returns_result
    def compare_and_set(self, batch_id: str, decide: Decide, *, seen: Batch | None = None) -> Settled:
        """Read the batch, let `decide` say what to write (None: nothing), and write it in one commit.

        The commit is refused if the batch has changed since it was read; then it is read and decided anew. So
        `decide` must tell "done already" from the batch alone, which also makes a lost answer harmless: the
        second reading shows our own write. A failure that `decide` returns ends it; Contended (TRANSIENT)
        after MAX_ATTEMPTS.

        `seen`, the batch as the caller knows it, saves the first reading; it counts only if it leads to a
        change, for that alone proves that it is no older than the store.
        """
        # A failure on `seen` counts for nothing: it may rest on what is out of date.
        change = None if seen is None else decide(seen).data
        written = None if seen is None or change is None else self._write(seen, change)
        for _ in range(MAX_ATTEMPTS):
            if written is not None:
                return Settled(batch=written, changed=True)
            batch = self.get(batch_id).unwrap()
            change = decide(batch).unwrap()
            if change is None:
                return Settled(batch=batch, changed=False)
            # Refused: None, and the loop decides on what stands then.
            written = self._write(batch, change)
        raise ResultError(contended(batch_id))

    def _write(self, batch: Batch, change: Change) -> Batch | None:
        """The batch after the change; None if the commit was refused. Raises ResultError for a fault."""
        committed = self.documents.commit(change.writes(batch))
        if is_refused(committed):
            return None
        # The batch comes first in the writes.
        written_at = committed.unwrap()[0].update_time
        return self.get(batch.batch_id).unwrap() if change.then is None else change.then(written_at)


def batch_in(found: Mapping[str, Document], batch_id: str) -> Result[Batch]:
    """The batch among documents that were read; "not yet" where it is not."""
    document = found.get(batch_path(batch_id))
    if document is None:
        return Result.failure(not_there_yet(batch_id))
    return readable(document, lambda _: read_batch(document))


def readable(document: Document, read: Callable[[Mapping[str, Any]], T]) -> Result[T]:
    """PERMANENT, with its path, for a document that nobody here has written."""
    try:
        return Result.success(read(document.data))
    except UNREADABLE as exc:
        error = ErrorInfo.from_exception(exc, document=document.path, **{NONSENSE: document.path})
        # Whatever was raised: reading again shows the same document.
        return Result.failure(replace(error, type=ErrorType.PERMANENT))


def not_there_yet(batch_id: str) -> ErrorInfo:
    """Retried: a completion may be faster than the opening of its batch."""
    return ErrorInfo.not_yet(f"batch_id: {batch_id!r} does not exist (yet)", batch_id=batch_id)


def contended(batch_id: str) -> ErrorInfo:
    """TRANSIENT: others were faster each time, and will not be for ever."""
    return ErrorInfo.transient(
        "Contended", f"batch {batch_id!r} changed at each of {MAX_ATTEMPTS} attempts", batch_id=batch_id
    )


def _ends_of_array(batch: Batch) -> tuple[Completion, ...]:
    """As `ends`, from the details in the array; names without a time tell nothing."""
    timed = sorted(
        (one.completed_at, one.player_lookup) for one in batch.in_array.values() if one.completed_at
    )
    return tuple(batch.in_array[name] for _, name in (*timed[:1], *timed[-1:]))
