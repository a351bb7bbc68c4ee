"""Which documents of a collection are wanted, as a value."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from .document import Document


class Relation(Enum):
    """How a field has to stand to a value; of another kind than the value, it does not."""

    EQUAL = "=="
    IN = "in"
    AT_LEAST = ">="
    AT_MOST = "<="
    BELOW = "<"


@dataclass(frozen=True)
class Condition:
    """Documents without the field do not fulfil it."""

    field: str
    relation: Relation
    value: Any


def equal(field: str, value: Any) -> Condition:
    """Also None, which a document may hold."""
    return Condition(field, Relation.EQUAL, value)


def one_of(field: str, values: Collection[Any]) -> Condition:
    """At most 30 values, which is what Firestore takes."""
    return Condition(field, Relation.IN, tuple(values))


def at_least(field: str, value: Any) -> Condition:
    """Asked for in the order of the field."""
    return Condition(field, Relation.AT_LEAST, value)


def at_most(field: str, value: Any) -> Condition:
    """Asked for in the order of the field."""
    return Condition(field, Relation.AT_MOST, value)


def below(field: str, value: Any) -> Condition:
    """Asked for in the order of the field."""
    return Condition(field, Relation.BELOW, value)


@dataclass(frozen=True, kw_only=True)
class Query:
    """Documents of one collection, and their order: by their names where nothing is said.

    Raises ValueError where a field is compared and another one orders: Firestore has no answer to that.
    """

    where: tuple[Condition, ...] = ()
    """All of them hold."""
    order_by: str | None = None
    """A field, and the name where it is equal; documents without the field are left out."""
    descending: bool = False
    limit: int | None = None
    after: Document | None = None
    """Only those behind this one, which was the last of the page before."""
    after_id: str | None = None
    """As `after`, where nothing but its name is known: in the order of names, without `order_by`."""
    as_of: datetime | None = None
    """As they were at a `read_time` of a moment ago."""
    only: tuple[str, ...] | None = None
    """These of their fields; () for their names alone, None for all."""

    def __post_init__(self) -> None:
        # Refused here, where the query is made, and not by the server at its first use.
        compared = {each.field for each in self.where if each.relation not in (Relation.EQUAL, Relation.IN)}
        if compared - {self.order_by}:
            raise ValueError(f"Firestore orders by what is compared: order_by has to be {sorted(compared)}")
        if self.after_id is not None and (self.order_by or self.after):
            raise ValueError("after_id: in the order of names alone, and without `after`")


ALL: Final = Query()
