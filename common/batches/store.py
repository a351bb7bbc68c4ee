"""The batch document in Firestore: read it, decide, and write what was decided under a precondition.

Preconditions, never transactions. Every write below a batch goes out in one commit with an update of the
batch document, so "the batch has not changed since it was read" also holds for its completions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from google.api_core.exceptions import AlreadyExists, FailedPrecondition, GoogleAPIError, NotFound
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.cloud import firestore

from ..result import ErrorInfo, Result, is_transient
from .records import Batch

COLLECTION: Final = "prediction_batches"
CALL_TIMEOUT_SECONDS: Final = 10.0
RETRY_TIMEOUT_SECONDS: Final = 20.0
MAX_ATTEMPTS: Final = 50
"""Bounds how often a decision is made again because somebody else wrote the batch."""

REFUSED: Final = (AlreadyExists, FailedPrecondition, NotFound)
"""What a commit raises when the store is not as it was read, or by our own earlier write (a lost answer)."""
FAULTS: Final = (GoogleAPIError, GoogleAuthError)
UNREADABLE: Final = (KeyError, ValueError)
"""What making sense of a document raises that nobody here has written."""

RETRY: Final = Retry(predicate=is_transient, initial=0.05, maximum=2.0, timeout=RETRY_TIMEOUT_SECONDS)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What to write in one commit: fields of the batch, and documents below it by their path."""

    fields: Mapping[str, Any]
    creates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    then: Callable[[datetime], Batch] | None = None
    """The batch once this is written, given the time of the write; None where only reading it again tells."""


@dataclass(frozen=True, kw_only=True)
class Amended:
    """The batch as it is now, and whether it was this call that changed it."""

    batch: Batch
    changed: bool


Decide = Callable[[Batch], Result[Change | None]]


class BatchStore:
    """Reads and amends batch documents; safe to share between threads."""

    def __init__(self, db: firestore.Client) -> None:
        self.db = db

    def ref(self, batch_id: str) -> firestore.DocumentReference:
        ref: firestore.DocumentReference = self.db.collection(COLLECTION).document(batch_id)
        return ref

    def get(self, batch_id: str) -> Result[Batch]:
        """The batch now; a failure that is "not yet" if it does not exist: it may be being opened."""
        try:
            snapshot = self.ref(batch_id).get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
            if not snapshot.exists:
                return Result.failure(not_there_yet(batch_id))
            return Result.success(Batch.from_snapshot(snapshot))
        except (*FAULTS, *UNREADABLE) as exc:
            return Result.failure(ErrorInfo.from_exception(exc, batch_id=batch_id))

    def amend(self, batch_id: str, decide: Decide, *, seen: Batch | None = None) -> Result[Amended]:
        """Read the batch, let `decide` say what to write (None: nothing), and write it in one commit.

        The commit is refused if the batch has changed since it was read; then it is read and decided anew. So
        `decide` must tell "done already" from the batch alone, which also makes a lost answer harmless.
        `seen`, the batch as the caller knows it, saves the first reading; it counts only if it leads to a
        change, for that alone proves that it is no older than the store.
        """
        if seen is not None:
            change = decide(seen).data
            written = None if change is None else self._write(seen, change)
            if written is not None:
                return written
        for _ in range(MAX_ATTEMPTS):
            found = self.get(batch_id)
            if found.is_failure:
                return found.map(lambda batch: Amended(batch=batch, changed=False))
            batch = found.unwrap()
            decided = decide(batch)
            if decided.is_failure or decided.data is None:
                return decided.map(lambda _, batch=batch: Amended(batch=batch, changed=False))  # type: ignore[misc]
            written = self._write(batch, decided.data)
            if written is not None:
                return written
        return Result.failure(contended(batch_id))

    def _write(self, batch: Batch, change: Change) -> Result[Amended] | None:
        """None if the batch is not as it was read."""
        try:
            written_at = self._commit(batch, change)
        except REFUSED:
            return None
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, batch_id=batch.batch_id))
        now = self.get(batch.batch_id) if change.then is None else Result.success(change.then(written_at))
        return now.map(lambda batch: Amended(batch=batch, changed=True))

    def _commit(self, batch: Batch, change: Change) -> datetime:
        """Returns the new update time of the batch."""
        ref = self.ref(batch.batch_id)
        commit = self.db.batch()
        fields = {**change.fields, "updated_at": firestore.SERVER_TIMESTAMP}
        commit.update(ref, fields, option=self.db.write_option(last_update_time=batch.update_time))
        for path, document in change.creates.items():
            commit.create(below(ref, path), dict(document))
        for path, document in change.sets.items():
            commit.set(below(ref, path), dict(document))
        written_at: datetime = commit.commit(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)[0].update_time
        return written_at


def below(ref: firestore.DocumentReference, path: str) -> firestore.DocumentReference:
    """The document `collection/id` below a batch."""
    collection, _, document_id = path.partition("/")
    document: firestore.DocumentReference = ref.collection(collection).document(document_id)
    return document


def not_there_yet(batch_id: str) -> ErrorInfo:
    return ErrorInfo.not_yet(f"batch_id: {batch_id!r} does not exist (yet)", batch_id=batch_id)


def contended(batch_id: str) -> ErrorInfo:
    return ErrorInfo.transient(
        "Contended", f"batch {batch_id!r} changed at each of {MAX_ATTEMPTS} attempts", batch_id=batch_id
    )
