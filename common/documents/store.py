"""The documents in Firestore: every call of its client stands here and in `async_store`.

Preconditions, never transactions. Repeated by the retry below, a commit may meet its own earlier write, whose
answer was lost: it is then REFUSED, and whoever sent it looks.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from google.api_core.exceptions import AlreadyExists, FailedPrecondition, GoogleAPIError, NotFound
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.cloud import firestore

from ..result import ErrorInfo, Result, is_transient
from .document import Document
from .port import Written, refused
from .query import ALL, Query
from .translation import add, answers, document_of, existing, query_of
from .writes import Write

T = TypeVar("T")

CALL_TIMEOUT_SECONDS: Final = 10.0
"""Of one attempt."""
FIND_TIMEOUT_SECONDS: Final = 60.0
"""20,000 documents take their time."""
RETRY_TIMEOUT_SECONDS: Final = 20.0
"""Of all attempts of one call. The client's own 60 s would outlast an event's acknowledgement deadline."""

PRECONDITION: Final = (AlreadyExists, FailedPrecondition, NotFound)
"""What a commit raises when the store is not as it was read, or by our own earlier write (a lost answer)."""
FAULTS: Final = (GoogleAPIError, GoogleAuthError)
"""What the client raises when a call failed; anything else is a defect, and is raised on."""

# Begins soon: contention on one document passes within tens of milliseconds.
RETRY: Final = Retry(predicate=is_transient, initial=0.05, maximum=2.0, timeout=RETRY_TIMEOUT_SECONDS)


class FirestoreDocuments:
    """Documents by the synchronous client. Safe to share between threads."""

    def __init__(self, client: firestore.Client) -> None:
        self.client = client

    def get(
        self, paths: Sequence[str], *, as_of: datetime | None = None, only: tuple[str, ...] | None = None
    ) -> Result[dict[str, Document]]:
        """As `Documents.get`; one request of BatchGetDocuments is one snapshot."""
        references = [self.client.document(path) for path in paths]

        def read() -> dict[str, Document]:
            # Of each attempt and of all of them: the client's defaults outlast an event.
            limits: dict[str, Any] = {"retry": RETRY, "timeout": CALL_TIMEOUT_SECONDS, **_as_of(as_of)}
            return existing(self.client.get_all(references, field_paths=only, **limits))

        return _caught(paths[0], read)

    def find(self, collection: str, query: Query = ALL) -> Result[list[Document]]:
        """As `Documents.find`; one query."""
        asked = query_of(self.client.collection(collection), query)
        # A page is small; a whole collection may be large.
        seconds = FIND_TIMEOUT_SECONDS if query.limit is None else CALL_TIMEOUT_SECONDS

        def read() -> list[Document]:
            found = asked.get(retry=RETRY, timeout=seconds, **_as_of(query.as_of))
            return [document_of(each) for each in found]

        return _caught(collection, read)

    def count(self, collection: str, query: Query = ALL) -> Result[int]:
        """As `Documents.count`; an aggregation, billed as a read per 1,000 documents."""
        counting = query_of(self.client.collection(collection), query).count(alias="count")
        return _caught(collection, lambda: int(_aggregated(counting, query)["count"]))

    def count_and_sum(self, collection: str, field: str, query: Query = ALL) -> Result[tuple[int, float]]:
        """As `Documents.count_and_sum`; one aggregation."""
        asked = (
            query_of(self.client.collection(collection), query).count(alias="count").sum(field, alias="sum")
        )

        def read() -> tuple[int, float]:
            found = _aggregated(asked, query)
            return int(found["count"]), found["sum"]

        return _caught(collection, read)

    def collections(self, path: str) -> Result[list[str]]:
        """As `Documents.collections`."""
        reference = self.client.document(path)

        def read() -> list[str]:
            found = reference.collections(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
            return sorted(f"{path}/{each.id}" for each in found)

        return _caught(path, read)

    def time(self) -> Result[datetime]:
        """As `Documents.time`; one read of a document that need not exist."""
        # The answer has a read time even where no document is.
        nobody = self.client.document("clock/-")
        return _caught(nobody.path, lambda: nobody.get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS).read_time)

    def commit(self, writes: Sequence[Write]) -> Result[Sequence[Written]]:
        """As `Documents.commit`; by the client's own batch."""
        batch = self.client.batch()
        for each in writes:
            add(self.client, batch, each)
        # A failure names the first write: the document that the others hang below.
        path = writes[0].path
        return _caught(path, lambda: answers(writes, batch.commit(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)))


def _aggregated(asked: Any, query: Query) -> dict[str, Any]:
    """The numbers of an aggregation by their aliases."""
    # One row of one aggregation, whatever it counts.
    [row] = asked.get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS, **_as_of(query.as_of))
    return {each.alias: each.value for each in row}


def _as_of(moment: datetime | None) -> dict[str, datetime]:
    """The argument of a read as of a moment; nothing for now."""
    return {} if moment is None else {"read_time": moment}


def _caught(path: str, call: Callable[[], T]) -> Result[T]:
    """What the call returns; its faults, and refusals, as failures that name the path."""
    try:
        return Result.success(call())
    except (*PRECONDITION, *FAULTS) as exc:
        return Result.failure(failure_of(exc, path))


def failure_of(exc: Exception, path: str) -> ErrorInfo:
    """One place for all faults of the client, and for its ways to say that a precondition does not hold."""
    if isinstance(exc, PRECONDITION):
        return refused(str(exc), path)
    return ErrorInfo.from_exception(exc, document=path)
