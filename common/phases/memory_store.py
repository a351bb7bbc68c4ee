"""The store of the phases in memory: for tests, and for playing a graph through without a cloud."""

import copy
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from ..result import Result
from .documents import Create, Document, Fill, Update, Write


class MemoryStore:
    """Keeps what `documents.Store` promises, for the threads of one process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._documents: dict[str, Document] = {}
        self._version = 0

    def read(self, paths: Sequence[str]) -> Result[dict[str, Document]]:
        """As `Store.read`; one lock makes it one moment."""
        with self._lock:
            return Result.success({path: self._documents[path] for path in paths if path in self._documents})

    def commit(self, writes: Sequence[Write]) -> Result[bool]:
        """As `Store.commit`: all preconditions are looked at before anything is written."""
        with self._lock:
            if any(self._refuses(write) for write in writes):
                return Result.success(False)
            self._version += 1
            for write in writes:
                self._apply(write)
            return Result.success(True)

    def due(
        self, collection: str, now: datetime, *, limit: int, after: Document | None = None
    ) -> Result[list[Document]]:
        def order(document: Document) -> tuple[datetime, str]:
            return document.fields["next_check"], document.path

        with self._lock:
            found = sorted(
                (
                    each
                    for each in self._documents.values()
                    if _is_in(each, collection) and _is_due(each, now)
                ),
                key=order,
            )
            rest = [each for each in found if after is None or order(each) > order(after)]
            return Result.success(rest[:limit])

    def listed(self, collection: str) -> Result[list[Document]]:
        with self._lock:
            found = [each for each in self._documents.values() if _is_in(each, collection)]
            return Result.success(sorted(found, key=lambda each: each.path))

    def _refuses(self, write: Write) -> bool:
        if isinstance(write, Create):
            return write.path in self._documents
        if isinstance(write, Update):
            found = self._documents.get(write.document.path)
            return found is None or found.version != write.document.version
        return False

    def _apply(self, write: Write) -> None:
        path = write.document.path if isinstance(write, Update) else write.path
        before: Mapping[str, Any] = self._documents[path].fields if path in self._documents else {}
        # Copied, as a store would: a caller that changes its mapping later changes nothing here.
        filled = {
            name: datetime.now(UTC) if value is Fill.SERVER_TIME else copy.deepcopy(value)
            for name, value in write.fields.items()
        }
        self._documents[path] = Document(path=path, fields={**before, **filled}, version=self._version)


def _is_in(document: Document, collection: str) -> bool:
    return document.path.rpartition("/")[0] == collection


def _is_due(document: Document, now: datetime) -> bool:
    next_check = document.fields.get("next_check")
    return next_check is not None and next_check <= now
