"""The store of the phases in Firestore: preconditions, never transactions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from google.api_core.exceptions import AlreadyExists, FailedPrecondition, GoogleAPIError, NotFound
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from ..result import ErrorInfo, Result, is_transient
from .documents import Create, Document, Fill, Merge, Write

CALL_TIMEOUT_SECONDS: Final = 10.0
"""Of one attempt; with its repetitions a call takes 20 s at most."""
RETRY: Final = Retry(predicate=is_transient, initial=0.05, maximum=2.0, timeout=20.0)
REFUSED: Final = (AlreadyExists, FailedPrecondition, NotFound)
"""What a commit raises when the store is not as it was read, or by our own earlier write (a lost answer)."""
FAULTS: Final = (GoogleAPIError, GoogleAuthError)

_LIMITS: Final[Mapping[str, Any]] = {"retry": RETRY, "timeout": CALL_TIMEOUT_SECONDS}


class FirestoreStore:
    """Keeps what `documents.Store` promises; safe to share between threads."""

    def __init__(self, db: firestore.Client) -> None:
        self._db = db

    def read(self, paths: Sequence[str]) -> Result[dict[str, Document]]:
        """As `Store.read`."""
        # One request of BatchGetDocuments is one snapshot.
        references = [self._db.document(path) for path in paths]
        try:
            found = [each for each in self._db.get_all(references, **_LIMITS) if each.exists]
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, paths=list(paths)))
        return Result.success({document.path: document for document in map(_document, found)})

    def commit(self, writes: Sequence[Write]) -> Result[bool]:
        """As `Store.commit`.

        The client repeats a commit whose answer was lost, and is then refused by its own write: False, which
        says only that the store is not as it was read. Transactions are not used: under contention they stall
        and end in a plain ValueError.
        """
        commit = self._db.batch()
        for write in writes:
            self._add(commit, write)
        try:
            commit.commit(**_LIMITS)
        except REFUSED:
            return Result.success(False)
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, paths=[_path(write) for write in writes]))
        return Result.success(True)

    def due(
        self, collection: str, now: datetime, *, limit: int, after: Document | None = None
    ) -> Result[list[Document]]:
        """As `Store.due`: pages by time and name, for many dates may have one time."""
        # A document without a next check has null there, which no comparison with a time finds.
        query = (
            self._db.collection(collection)
            .where(filter=FieldFilter("next_check", "<=", now))
            .order_by("next_check")
            .order_by("__name__")
            .limit(limit)
        )
        if after is not None:
            query = query.start_after(
                {"next_check": after.fields["next_check"], "__name__": self._db.document(after.path)}
            )
        return self._queried(query, collection)

    def listed(self, collection: str) -> Result[list[Document]]:
        return self._queried(self._db.collection(collection).order_by("__name__"), collection)

    def _queried(self, query: Any, collection: str) -> Result[list[Document]]:
        try:
            return Result.success([_document(each) for each in query.get(**_LIMITS)])
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, collection=collection))

    def _add(self, commit: firestore.WriteBatch, write: Write) -> None:
        reference, fields = self._db.document(_path(write)), _filled(write.fields)
        if isinstance(write, Create):
            commit.create(reference, fields)
        elif isinstance(write, Merge):
            # By the names of its fields: a map among them takes the place of the one before, as in an update.
            commit.set(reference, fields, merge=list(fields))
        else:
            # Safe only because each commit changes something (the server's time): an update that changes
            # nothing leaves the version, and a rival's precondition would still hold.
            option = self._db.write_option(last_update_time=write.document.version)
            commit.update(reference, fields, option=option)


def _path(write: Write) -> str:
    return write.path if isinstance(write, Create | Merge) else write.document.path


def _document(snapshot: Any) -> Document:
    return Document(
        path=snapshot.reference.path, fields=snapshot.to_dict() or {}, version=snapshot.update_time
    )


def _filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: firestore.SERVER_TIMESTAMP if value is Fill.SERVER_TIME else value
        for name, value in fields.items()
    }
