"""Documents in memory, with the answers that Firestore gives.

For tests, simulations and whoever has no store. The server's clock is a parameter; its times grow with every
commit, as the server's do, however still the clock stands.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import RLock
from typing import Any, Final

from ..result import Result, ResultError, returns_result
from .document import Document
from .memory_query import answered, masked
from .port import Written, refused
from .query import ALL, Query
from .writes import (
    REMOVED,
    SERVER_TIME,
    Absent,
    Create,
    Delete,
    Difference,
    Increment,
    Merge,
    Union,
    Update,
    Write,
)

# The resolution of a version, as of Python's clock.
_TICK: Final = timedelta(microseconds=1)
_PLAIN: Final = (str, bool, int, float, datetime, type(None))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stored:
    data: dict[str, Any]
    update_time: datetime
    before: "_Stored | None" = None
    """As it was until then; one step back, for who reads as of a moment ago."""


class MemoryDocuments:
    """The documents of one database in memory. Safe to share between threads.

    `now` is the server's clock and tells aware times.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._last: datetime | None = None
        self._collections: dict[str, dict[str, _Stored]] = {}
        self._lock = RLock()

    def get(
        self, paths: Sequence[str], *, as_of: datetime | None = None, only: tuple[str, ...] | None = None
    ) -> Result[dict[str, Document]]:
        """As `Documents.get`; one lock makes it one moment."""
        with self._lock:
            at = self._time()
            found = {path: _version(self._stored(path), as_of) for path in paths}
            return Result.success(
                {
                    path: masked(_document(path, stored, at), only)
                    for path, stored in found.items()
                    if stored is not None
                }
            )

    def find(self, collection: str, query: Query = ALL) -> Result[list[Document]]:
        """As `Documents.find`; `as_of` reaches one write back."""
        with self._lock:
            at = self._time()
            documents = [
                _document(f"{collection}/{name}", stored, at)
                for name, stored in self._as_of(collection, query)
            ]
        return Result.success(answered(documents, query))

    def count(self, collection: str, query: Query = ALL) -> Result[int]:
        """As `Documents.count`."""
        return self.find(collection, query).map(len)

    def count_and_sum(self, collection: str, field: str, query: Query = ALL) -> Result[tuple[int, float]]:
        """As `Documents.count_and_sum`; what is no number adds nothing."""
        found = self.find(collection, query).unwrap()
        values = [document.data[field] for document in found if field in document.data]
        return Result.success((len(values), sum(each for each in values if isinstance(each, int | float))))

    def collections(self, path: str) -> Result[list[str]]:
        """As `Documents.collections`."""
        with self._lock:
            # An empty collection does not exist, as in Firestore.
            there = (name for name, documents in self._collections.items() if documents)
            return Result.success(sorted(name for name in there if name.rpartition("/")[0] == path))

    def time(self) -> Result[datetime]:
        """As `Documents.time`."""
        with self._lock:
            return Result.success(self._time())

    @returns_result
    def commit(self, writes: Sequence[Write]) -> Sequence[Written]:
        """As `Documents.commit`: every precondition is looked at before anything is written."""
        with self._lock:
            for write in writes:
                # All are asked first: a commit takes place as a whole or not at all.
                if (why := self._refusal(write)) is not None:
                    raise ResultError(refused(f"{write.path} {why}", writes[0].path))
            # Later than any commit before: an update time is a version, and two versions must differ.
            at = self._last = self._time(_TICK)
            return [self._write(write, at) for write in writes]

    def forget(self, path: str) -> None:
        """Take out a document and all below it at once: the memory of a long simulation stays flat."""
        collection, _, name = path.rpartition("/")
        with self._lock:
            self._collections.get(collection, {}).pop(name, None)
            for below in [each for each in self._collections if each.startswith(path + "/")]:
                del self._collections[below]

    def _time(self, step: timedelta = timedelta(0)) -> datetime:
        """The server's time; never earlier than it was, however the clock is set."""
        now = self._now()
        return now if self._last is None else max(now, self._last + step)

    def _stored(self, path: str) -> _Stored | None:
        """The document as it is now; None if there is none."""
        collection, _, name = path.rpartition("/")
        return self._collections.get(collection, {}).get(name)

    def _as_of(self, collection: str, query: Query) -> Iterator[tuple[str, _Stored]]:
        """The documents of a collection with their names, as they were at the time of the query."""
        for name, stored in self._collections.get(collection, {}).items():
            at_the_time = _version(stored, query.as_of)
            if at_the_time is not None:
                yield name, at_the_time

    def _refusal(self, write: Write) -> str | None:
        """Which precondition of the write does not hold; None where it may take place."""
        stored = self._stored(write.path)
        match write:
            case Create() | Absent() if stored is not None:
                return "exists"
            case Update() if stored is None:
                return "does not exist"
            case Delete(unchanged_since=datetime()) if stored is None:
                return "does not exist"
            case Update() | Delete() if stored and write.unchanged_since not in (None, stored.update_time):
                return f"was written at {stored.update_time}"
        return None

    def _write(self, write: Write, at: datetime) -> Written:
        """Apply one write whose precondition holds; the caller has the lock."""
        collection, _, name = write.path.rpartition("/")
        documents = self._collections.setdefault(collection, {})
        if isinstance(write, Delete | Absent):
            documents.pop(name, None)
            return Written(update_time=at, results={})
        before = documents.get(name)
        # `Set` and `Create` leave nothing of what was there.
        kept = before.data if before is not None and isinstance(write, Merge | Update) else {}
        data, results = _applied(kept, write.fields, at)
        # One step back is enough for `as_of`; a chain of them would never be given back.
        kept_version = None if before is None else replace(before, before=None)
        documents[name] = _Stored(data=data, update_time=at, before=kept_version)
        return Written(update_time=at, results=results)


class AsyncMemoryDocuments:
    """The same documents, for the tasks of an event loop: every call lets the others run once."""

    def __init__(self, documents: MemoryDocuments) -> None:
        self._documents = documents

    async def get(self, paths: Sequence[str]) -> Result[dict[str, Document]]:
        """As `Documents.get`."""
        await asyncio.sleep(0)
        return self._documents.get(paths)

    async def commit(self, writes: Sequence[Write]) -> Result[Sequence[Written]]:
        """As `Documents.commit`."""
        await asyncio.sleep(0)
        return self._documents.commit(writes)


def _document(path: str, stored: _Stored, at: datetime) -> Document:
    return Document(path=path, data=stored.data, update_time=stored.update_time, read_time=at)


def _version(stored: _Stored | None, as_of: datetime | None) -> _Stored | None:
    """The document as it was then; None if it did not exist (or was written twice since)."""
    if stored is None or as_of is None or stored.update_time <= as_of:
        return stored
    return _version(stored.before, as_of)


def _applied(
    kept: Mapping[str, Any], fields: Mapping[str, Any], at: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The document after the write, and the values that were computed for it."""
    data, results = dict(kept), {}
    for name, value in fields.items():
        if value is REMOVED:
            data.pop(name, None)
            continue
        data[name] = _computed(data.get(name), value, at)
        if value is SERVER_TIME or isinstance(value, Increment):
            results[name] = data[name]
        # As the server: of what is done to an array it answers nothing.
        elif isinstance(value, Union | Difference):
            results[name] = None
    return data, results


def _computed(before: Any, value: Any, at: datetime) -> Any:
    """What a field holds after the write."""
    if value is SERVER_TIME:
        return at
    match value:
        case Increment():
            return (before if isinstance(before, int | float) else 0) + value.by
        case Union():
            there = list(before) if isinstance(before, list) else []
            for one in map(_copied, value.values):
                # As `ArrayUnion`: what is there already is not appended again, and neither is a repetition
                # within.
                if one not in there:
                    there.append(one)
            return there
        case Difference():
            return [one for one in before or () if one not in map(_copied, value.values)]
    return _copied(value)


def _copied(value: Any) -> Any:
    """As it comes back from a store: nobody's later change of a list reaches a document."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Mapping):
        return {str(name): _copied(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(one) for one in value]
    # As Firestore's client does: a test must not pass with what cannot be stored.
    raise TypeError(f"{value!r} cannot be stored")
