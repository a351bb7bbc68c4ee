"""What is to be written, as values: no client, no clock. The stores translate them.

A commit is a list of writes that take place together or not at all; each path stands in it once. Firestore
takes 10 MiB a request, 1 MiB a document and 500 transforms a document. A transform (an increment, a union, a
difference, the server's time) stands at the top level of a document only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final


class Placeholder(Enum):
    """What the store puts in the place of a field."""

    SERVER_TIME = "server_time"
    """The time of the commit, by the server's clock."""
    REMOVED = "removed"
    """Nothing: the field is taken out of the document. In a `Merge` or an `Update` only."""


SERVER_TIME: Final = Placeholder.SERVER_TIME
REMOVED: Final = Placeholder.REMOVED


@dataclass(frozen=True)
class Increment:
    """Adds to a number; the number after it comes back with the commit.

    Not idempotent: its commit needs a precondition, see `Documents.commit`.
    """

    by: int


@dataclass(frozen=True)
class Union:
    """Appends what is not in the array yet, in this order."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Difference:
    """Takes all that equals one of these out of the array."""

    values: tuple[Any, ...]


TRANSFORMS: Final = frozenset({Placeholder, Increment, Union, Difference})
"""The types of what only the store can tell, or takes out. At the top level of a document only."""


@dataclass(frozen=True, kw_only=True)
class Create:
    """A new document; the commit is refused if it exists."""

    path: str
    """`collection/id`, or deeper. An id with a slash would address another document."""
    fields: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Set:
    """The whole document, whether it exists or not."""

    path: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Merge:
    """These fields, each as a whole, beside those that are there; creates the document if need be."""

    path: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Update:
    """These fields of an existing document; the commit is refused if it does not exist."""

    path: str
    fields: Mapping[str, Any]
    unchanged_since: datetime | None = None
    """The update time that was read: the commit is refused if the document was written since."""


@dataclass(frozen=True, kw_only=True)
class Delete:
    """No such document any more; a success if there was none."""

    path: str
    unchanged_since: datetime | None = None
    """The update time that was read: the commit is refused if the document is gone or was written since."""


@dataclass(frozen=True, kw_only=True)
class Absent:
    """Writes nothing; the commit is refused if the document exists."""

    path: str


Write = Create | Set | Merge | Update | Delete | Absent


_COMPUTED: Final = (Increment, Union, Difference)


def computed(write: Write) -> dict[str, Any]:
    """The fields whose value after the write the store tells, in their order."""
    if isinstance(write, Delete | Absent):
        return {}
    return {
        name: value
        for name, value in write.fields.items()
        if value is SERVER_TIME or isinstance(value, _COMPUTED)
    }
