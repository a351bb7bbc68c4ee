"""Lock documents in memory, for tests that need no emulator; one contract suite holds both stores to the same
answers.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ..result import ErrorInfo, Result
from .rules import LockKey, LockRecord
from .store import LockSnapshot, LockStore


def _utc_now() -> datetime:
    return datetime.now(UTC)


class MemoryDocuments:
    """The documents as the server has them: one clock, a version per write, and a guard for threads."""

    def __init__(self, server_now: Callable[[], datetime] = _utc_now) -> None:
        """`server_now` is the server's clock; clients may have others."""
        self.guard = threading.Lock()
        self.server_now = server_now
        self._documents: dict[LockKey, tuple[Mapping[str, Any], datetime]] = {}
        self._last_version = datetime.min.replace(tzinfo=UTC)
        self.audit: dict[LockKey, list[Mapping[str, Any]]] = {}

    def get(self, key: LockKey) -> tuple[dict[str, Any], datetime | None]:
        """Fields and version; nothing and None if there is no such document."""
        fields, version = self._documents.get(key, ({}, None))
        return dict(fields), version

    def put(self, key: LockKey, fields: Mapping[str, Any]) -> None:
        """Write a document whatever is there: as another program would, or whoever holds `guard`."""
        # Two writes within a tick of the clock have different versions, too.
        self._last_version = max(self.server_now(), self._last_version + timedelta(microseconds=1))
        self._documents[key] = (dict(fields), self._last_version)

    def delete(self, key: LockKey) -> None:
        """Take the document away, as no holder ever does: for tests of what then happens."""
        self._documents.pop(key, None)


class MemoryLocks(LockStore):
    """One client of these documents, with a monotonic clock of its own."""

    def __init__(self, documents: MemoryDocuments, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._documents = documents
        self._monotonic = monotonic

    def read(self, key: LockKey, *, at_most_seconds: float = math.inf) -> Result[LockSnapshot]:
        """As `LockStore.read`."""
        asked_at = self._monotonic()
        with self._documents.guard:
            return self._snapshot(key, asked_at)

    def write(
        self,
        key: LockKey,
        record: LockRecord,
        *,
        over: LockSnapshot,
        audit: Mapping[str, Any] | None = None,
        at_most_seconds: float = math.inf,
    ) -> Result[LockSnapshot]:
        """As `LockStore.write`: compare and write under one guard, then show the document, whoever wrote
        it.
        """
        asked_at = self._monotonic()
        with self._documents.guard:
            fields, version = self._documents.get(key)
            if version == over.update_time:
                # Fields that another program has added stay, as with an update of Firestore.
                self._documents.put(key, fields | record.to_fields(beyond=over.record))
                if audit is not None:
                    self._documents.audit.setdefault(key, []).append(dict(audit))
            return self._snapshot(key, asked_at)

    def _snapshot(self, key: LockKey, asked_at: float) -> Result[LockSnapshot]:
        fields, version = self._documents.get(key)
        try:
            record = LockRecord.from_fields(fields) if version is not None else None
        except ValueError as exc:
            return Result.failure(ErrorInfo.from_exception(exc, lock=str(key)))
        now = self._documents.server_now()
        return Result.success(
            LockSnapshot(
                record=record,
                update_time=version,
                # As the server: it never tells a time before that of a write which it shows.
                server_now=now if version is None else max(version, now),
                asked_at=asked_at,
            )
        )
