"""Our writes and queries as the client's, and what the client answers as ours. Nothing is called here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from .document import Document
from .port import Written
from .query import Query, Relation
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

_NAME: Final = "__name__"


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


def existing(found: Iterable["DocumentSnapshot[Any]"]) -> dict[str, Document]:
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
