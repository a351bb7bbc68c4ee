"""What the phases ask of a store: a consistent reading, a commit that may be refused, what has fallen due.

Values to be filled in by the store are sentinels of our own, so that whoever decides needs no client library.
`store.py` keeps the promises on Firestore, `memory_store.py` in memory; one contract suite runs on both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from ..result import Result


class Fill(Enum):
    """What the store puts in the place of a value."""

    SERVER_TIME = "server_time"


@dataclass(frozen=True, kw_only=True)
class Document:
    """One document as it was read."""

    path: str
    fields: Mapping[str, Any]
    version: Any
    """Changes with every write that changes the document (Firestore keeps it where nothing is new: so each
    commit writes the server's time, too); only the store that gave it can compare it."""

    @property
    def id(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True)
class Create:
    """Refused if the document exists."""

    path: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Merge:
    """Sets these fields, each as a whole, and leaves the others; creates the document if need be."""

    path: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Update:
    """As `Merge`; refused unless the document is as it was read."""

    document: Document
    fields: Mapping[str, Any]


Write = Create | Merge | Update


class Store(Protocol):
    """Safe to share between threads. A failure says that the store could not be asked."""

    def read(self, paths: Sequence[str]) -> Result[dict[str, Document]]:
        """All of these as of one moment, by path; those that do not exist are left out."""

    def commit(self, writes: Sequence[Write]) -> Result[bool]:
        """All or nothing. False: one of them is refused, perhaps because an earlier try of this very call
        succeeded unseen; whoever wants to know reads."""

    def due(
        self, collection: str, now: datetime, *, limit: int, after: Document | None = None
    ) -> Result[list[Document]]:
        """Documents whose `next_check` is not later than `now`, earliest first, `limit` at most; `after` is
        the last document of the page before. One without a next check is never due.
        """

    def listed(self, collection: str) -> Result[list[Document]]:
        """All documents of a collection, in the order of their ids."""
