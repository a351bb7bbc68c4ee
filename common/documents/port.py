"""Documents by path, with preconditions and the server's clock.

`store` and `async_store` keep them in Firestore, `memory_store` in memory; one contract suite holds them to
the same answers. Whatever they catch comes back as a failure that names the document, or the collection.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from ..result import ErrorInfo, Result
from .document import Document
from .query import ALL, Query
from .writes import Write

REFUSED: Final = "Refused"
"""The class of a failure that says: a precondition does not hold, nothing was written. Also for a commit of
our own whose answer was lost, once it is repeated."""

NONSENSE: Final = "nonsense"
"""The detail of a failure that names, by its path, a document that makes no sense: the store did answer."""

UNREADABLE: Final = (KeyError, ValueError, TypeError, AttributeError)
"""What making sense of a document raises that nobody here has written: whoever reads a record from one
catches these, and names the document."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """What a commit tells of one of its writes."""

    update_time: datetime
    """Of the document, after the commit; as before where the write changed nothing in it."""
    results: Mapping[str, Any]
    """The values of the fields that the server computed: increments and times."""


class Documents(Protocol):
    """Documents of one database. Safe to share between threads.

    Every failure is a fault of the store (TRANSIENT or PERMANENT by `classify`) with the path in its details,
    except a commit's REFUSED. No call is a transaction: under contention Firestore's stall, and end in a
    plain ValueError.
    """

    def get(
        self, paths: Sequence[str], *, as_of: datetime | None = None, only: tuple[str, ...] | None = None
    ) -> Result[dict[str, Document]]:
        """Those that exist, by path, all as of one moment: now, or a time of the server's before.

        At least one path is asked for. `only`: these of their fields, where they are many or long; None: all.
        """
        ...

    def find(self, collection: str, query: Query = ALL) -> Result[list[Document]]:
        """The documents of a collection that the query names, in its order; [] where nothing is."""
        ...

    def count(self, collection: str, query: Query = ALL) -> Result[int]:
        """How many documents the query names, without reading them."""
        ...

    def count_and_sum(self, collection: str, field: str, query: Query = ALL) -> Result[tuple[int, float]]:
        """How many documents with that field the query names, and its sum over them, without reading any."""
        ...

    def collections(self, path: str) -> Result[list[str]]:
        """The paths of the collections right below a document that hold any, whether it exists or not."""
        ...

    def time(self) -> Result[datetime]:
        """The server's clock: a `read_time` that others may be read as of."""
        ...

    def commit(self, writes: Sequence[Write]) -> Result[Sequence[Written]]:
        """All of the writes or none; one answer per write, in order.

        REFUSED (TRANSIENT) if a precondition does not hold. A commit whose answer was lost may be repeated on
        the way, and is then REFUSED by its own write: whoever sent it reads what stands, and knows its own by
        an id in it. So a commit with an `Increment` needs a `Create`, an `Absent` or an `unchanged_since`:
        else the repetition would count twice.
        """
        ...


class AsyncDocuments(Protocol):
    """For the tasks of one event loop."""

    async def get(self, paths: Sequence[str]) -> Result[dict[str, Document]]:
        """As `Documents.get`."""
        ...

    async def commit(self, writes: Sequence[Write]) -> Result[Sequence[Written]]:
        """As `Documents.commit`."""
        ...


def is_refused(result: Result[Any]) -> bool:
    """Whether a precondition did not hold; every other failure is a fault."""
    return result.error is not None and result.error.exception_class == REFUSED


def accepted(result: Result[Sequence[Written]]) -> Result[bool]:
    """Whether a commit took place; False where it was refused, perhaps because an earlier try of this very
    call succeeded unseen. A failure is a fault."""
    return Result.success(False) if is_refused(result) else result.map(lambda _: True)


def refused(why: str, path: str) -> ErrorInfo:
    """TRANSIENT: whoever reads again may be luckier."""
    return ErrorInfo.transient(REFUSED, why, document=path)
