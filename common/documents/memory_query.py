"""What Firestore finds for a query, worked out over documents in memory. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from operator import ge, gt, le, lt
from typing import Any, Final

from .document import Document
from .query import Condition, Query, Relation

_COMPARED: Final = {Relation.AT_LEAST: ge, Relation.AT_MOST: le, Relation.BELOW: lt}
_KINDS: Final = (type(None), bool, int | float, datetime, str, object)
"""As Firestore orders them."""


def answered(documents: Iterable[Document], query: Query) -> list[Document]:
    """Those of the collection's documents that are found, in the order that is asked for."""
    found = [document for document in documents if _fulfils(document.data, query)]
    found.sort(key=lambda document: _place(document, query), reverse=query.descending)
    if query.after is not None:
        last, is_behind = _place(query.after, query), lt if query.descending else gt
        found = [document for document in found if is_behind(_place(document, query), last)]
    if query.after_id is not None:
        is_behind, name = (lt if query.descending else gt), query.after_id.encode()
        found = [document for document in found if is_behind(document.id.encode(), name)]
    asked = found[: query.limit]
    return [masked(each, query.only) for each in asked]


def masked(document: Document, only: Collection[str] | None) -> Document:
    """The document with these of its fields; None: as it is."""
    if only is None:
        return document
    return replace(document, data={name: value for name, value in document.data.items() if name in only})


def _fulfils(data: Mapping[str, Any], query: Query) -> bool:
    """Whether a document is found. As in Firestore, one without the field that orders is not."""
    if query.order_by is not None and query.order_by not in data:
        return False
    return all(each.field in data and _holds(each, data[each.field]) for each in query.where)


def _holds(condition: Condition, found: Any) -> bool:
    """Whether one condition holds; values of different kinds are in no order."""
    wanted = condition.value
    match condition.relation:
        case Relation.EQUAL:
            return bool(found == wanted)
        case Relation.IN:
            return found in wanted
    # A comparison finds only values of the same kind.
    if _kind(found) != _kind(wanted):
        return False
    return bool(_COMPARED[condition.relation](found, wanted))


def _kind(value: Any) -> int:
    """The rank of a value's kind.

    Values of one kind are ordered among themselves; kinds are as Firestore orders them.
    """
    return next(rank for rank, kind in enumerate(_KINDS) if isinstance(value, kind))


def _place(document: Document, query: Query) -> tuple[Any, ...]:
    """What a document is ordered by: value and name, as Firestore breaks ties."""
    # As bytes: Firestore orders names so, and Python texts by characters.
    name = document.id.encode()
    if query.order_by is None:
        return (name,)
    value = document.data[query.order_by]
    return _kind(value), value, name
