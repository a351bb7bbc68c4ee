"""What is to be written, as values: no client, no clock. The store of the family translates them.

A commit is a list of writes that take place together or not at all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Final

from .records import Batch, batch_path


class Placeholder(Enum):
    """What the store puts in the place of a field."""

    SERVER_TIME = "server_time"
    """The time of the commit, by the server's clock."""
    REMOVED = "removed"
    """Nothing: the field is taken out of the document. In an `Update` only."""


SERVER_TIME: Final = Placeholder.SERVER_TIME
REMOVED: Final = Placeholder.REMOVED


@dataclass(frozen=True)
class Increment:
    """Adds to a number; the number after it comes back with the commit."""

    by: int


@dataclass(frozen=True)
class Union:
    """Appends what is not in the array yet, in this order."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Difference:
    """Takes all that equals one of these out of the array."""

    values: tuple[Any, ...]


Transform = Placeholder | Increment | Union | Difference
"""A field whose new value only the store can tell. At the top level of a document only."""


@dataclass(frozen=True, kw_only=True)
class Create:
    """A new document; the commit is refused if it exists."""

    path: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Set:
    """The whole document, whether it exists or not."""

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


@dataclass(frozen=True, kw_only=True)
class Absent:
    """Writes nothing; the commit is refused if the document exists."""

    path: str


Write = Create | Set | Update | Delete | Absent


@dataclass(frozen=True, kw_only=True)
class Change:
    """What to write in one commit: fields of a batch, and documents below it by their path (`claims/x`)."""

    fields: Mapping[str, Any]
    creates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    deletes: tuple[str, ...] = ()
    then: Callable[[datetime], Batch] | None = None
    """The batch once this is written, given the time of the write; None where only reading it again tells."""

    def writes(self, batch: Batch) -> list[Write]:
        """The commit, refused if the batch has been written since it was read; the batch comes first.

        Every write below a batch goes out with an update of the batch document, so that "the batch has not
        changed" also holds for its completions.
        """
        path = batch_path(batch.batch_id)
        fields = {**self.fields, "updated_at": SERVER_TIME}
        return [
            Update(path=path, fields=fields, unchanged_since=batch.update_time),
            *(Create(path=f"{path}/{below}", fields=document) for below, document in self.creates.items()),
            *(Set(path=f"{path}/{below}", fields=document) for below, document in self.sets.items()),
            *(Delete(path=f"{path}/{below}") for below in self.deletes),
        ]
