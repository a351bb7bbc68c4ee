"""Where the lock of a test keeps its document, and what another program does to it."""

import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Protocol

from google.cloud import firestore

from common.lock.lock import Lock
from common.lock.memory_store import MemoryDocuments, MemoryLocks
from common.lock.rules import LockKey
from common.lock.store import AUDIT

KEY = LockKey(lock_type="consolidation", game_date=date(2026, 1, 17), sport="nba")


class Backend(Protocol):
    """`lock` is another instance each time; the document is that of KEY, empty if there is none."""

    def lock(self, *, monotonic: Callable[[], float] = ..., **options: Any) -> Lock: ...
    def document(self) -> dict[str, Any]: ...
    def put(self, fields: Mapping[str, Any]) -> None: ...
    def delete(self) -> None: ...
    def audit(self) -> list[Mapping[str, Any]]: ...


class FirestoreBackend:
    def __init__(self, db: firestore.Client) -> None:
        self._db = db
        self._reference = db.document(str(KEY))

    def lock(self, *, monotonic: Callable[[], float] = time.monotonic, **options: Any) -> Lock:
        return Lock(self._db, monotonic=monotonic, **options)

    def document(self) -> dict[str, Any]:
        return self._reference.get().to_dict() or {}

    def put(self, fields: Mapping[str, Any]) -> None:
        self._reference.set(dict(fields))

    def delete(self) -> None:
        self._reference.delete()

    def audit(self) -> list[Mapping[str, Any]]:
        return [entry.to_dict() or {} for entry in self._reference.collection(AUDIT).stream()]


class MemoryBackend:
    def __init__(self) -> None:
        self._documents = MemoryDocuments()

    def lock(self, *, monotonic: Callable[[], float] = time.monotonic, **options: Any) -> Lock:
        return Lock(MemoryLocks(self._documents, monotonic), monotonic=monotonic, **options)

    def document(self) -> dict[str, Any]:
        return self._documents.get(KEY)[0]

    def put(self, fields: Mapping[str, Any]) -> None:
        self._documents.put(KEY, fields)

    def delete(self) -> None:
        self._documents.delete(KEY)

    def audit(self) -> list[Mapping[str, Any]]:
        return list(self._documents.audit.get(KEY, []))
