"""The documents in Firestore: every call of its client stands here and in `async_store`.

Preconditions, never transactions. Repeated by the retry below, a commit may meet its own earlier write, whose
answer was lost: it is then REFUSED, and whoever sent it looks.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from google.api_core.exceptions import AlreadyExists, FailedPrecondition, GoogleAPIError, NotFound
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from ..result import ErrorInfo, Result, is_transient
from .document import Document
from .port import Written, refused
from .query import ALL, Query, Relation
from .writes import (
    REMOVED,
    SERVER_TIME,
    Absent,
    Create,
    Delete,
    Difference,
    Increment,
    Merge,
    Set,
    Union,
    Update,
    Write,
    computed,
)

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentSnapshot
    from google.cloud.firestore_v1.base_batch import BaseBatch
    from google.cloud.firestore_v1.base_client import BaseClient

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

_NAME: Final = "__name__"

# Begins soon: contention on one document passes within tens of milliseconds.
RETRY: Final = Retry(predicate=is_transient, initial=0.05, maximum=2.0, timeout=RETRY_TIMEOUT_SECONDS)


class FirestoreDocuments:
    """Documents by the synchronous client. Safe to share between threads."""

    def __init__(self, client: firestore.Client) -> None:
        self.client = client

    def get(self, paths: Sequence[str], *, as_of: datetime | None = None) -> Result[dict[str, Document]]:
        """As `Documents.get`; one request of BatchGetDocuments is one snapshot."""
        references = [self.client.document(path) for path in paths]

        def read() -> dict[str, Document]:
            limits: dict[str, Any] = {"retry": RETRY, "timeout": CALL_TIMEOUT_SECONDS, **_as_of(as_of)}
            return existing(self.client.get_all(references, **limits))

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


def add(client: "BaseClient", batch: "BaseBatch", write: Write) -> None:
    """Put one write into a batch of the client's own."""
    reference = client.document(write.path)
    match write:
        case Create():
            batch.create(reference, translated(write.fields))
        case Set():
            batch.set(reference, translated(write.fields))
        case Merge():
            # By the names of its fields: a map among them takes the place of the one before, as in an update.
            batch.set(reference, translated(write.fields), merge=list(write.fields))
        case Update(unchanged_since=None):
            batch.update(reference, translated(write.fields))
        case Update():
            option = client.write_option(last_update_time=write.unchanged_since)
            batch.update(reference, translated(write.fields), option=option)
        case Delete(unchanged_since=None):
            batch.delete(reference)
        case Delete():
            option = client.write_option(last_update_time=write.unchanged_since)
            batch.delete(reference, option=option)
        case Absent():
            # A delete that requires absence writes nothing, and fails the commit if the document exists.
            batch.delete(reference, option=client.write_option(exists=False))


def translated(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Our placeholders and transforms as the client's, field by field."""
    return {name: _translated(value) for name, value in fields.items()}


def _translated(value: Any) -> Any:
    """One value of ours as the client's; any other value is left as it is."""
    match value:
        case Increment():
            return firestore.Increment(value.by)
        case Union():
            return firestore.ArrayUnion(value.values)
        case Difference():
            return firestore.ArrayRemove(value.values)
    if value is SERVER_TIME:
        return firestore.SERVER_TIMESTAMP
    # Our placeholders are told by identity: a document may hold any text, theirs included.
    return firestore.DELETE_FIELD if value is REMOVED else value


def answers(writes: Sequence[Write], results: Sequence[Any]) -> list[Written]:
    """What the client's write results say, each by the fields that the store computed: the client sends them
    in the order of their names."""
    return [
        Written(
            update_time=result.update_time,
            results=dict(zip(sorted(computed(write)), map(_value, result.transform_results), strict=True)),
        )
        for write, result in zip(writes, results, strict=True)
    ]


def _value(result: Any) -> Any:
    """A number or a time; of what is done to an array the store tells nothing."""
    if "integer_value" in result:
        return result.integer_value
    return result.timestamp_value if "timestamp_value" in result else None


def query_of(collection: Any, query: Query) -> Any:
    """The client's query for ours."""
    asked = collection
    for each in query.where:
        wanted = list(each.value) if each.relation is Relation.IN else each.value
        asked = asked.where(filter=FieldFilter(each.field, each.relation.value, wanted))
    direction = firestore.Query.DESCENDING if query.descending else firestore.Query.ASCENDING
    if query.order_by is not None:
        asked = asked.order_by(query.order_by, direction=direction)
    # By the document's name as well: several may have one value of the field, and none is to be skipped.
    last_id = query.after_id if query.after is None else query.after.id
    if last_id is not None:
        place = {query.order_by: query.after.data[query.order_by]} if query.after and query.order_by else {}
        reference = collection.document(last_id)
        asked = asked.order_by(_NAME, direction=direction).start_after({**place, _NAME: reference})
    if query.limit is not None:
        asked = asked.limit(query.limit)
    return asked if query.only is None else asked.select(list(query.only))


def _aggregated(asked: Any, query: Query) -> dict[str, Any]:
    """The numbers of an aggregation by their aliases."""
    [row] = asked.get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS, **_as_of(query.as_of))
    return {each.alias: each.value for each in row}


def existing(found: "Any") -> dict[str, Document]:
    """By path, without those that are not there."""
    documents = (document_of(snapshot) for snapshot in found if snapshot.exists)
    return {document.path: document for document in documents}


def document_of(snapshot: "DocumentSnapshot[Any]") -> Document:
    """A snapshot that exists, as the port knows documents."""
    return Document(
        path=snapshot.reference.path,
        data=snapshot.to_dict() or {},
        update_time=snapshot.update_time,
        read_time=snapshot.read_time,
    )


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
