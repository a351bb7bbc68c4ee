"""Answers that are good for a while."""

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class TtlCache(Generic[K, V]):
    """Remembers each value for `ttl` after it was put. Safe to share between threads.

    What is too old is forgotten at the next `put`, so the size is bounded by what arrives within `ttl`.
    """

    def __init__(self, ttl: timedelta, now: Callable[[], datetime]) -> None:
        self._ttl = ttl
        self._now = now
        self._entries: dict[K, tuple[datetime, V]] = {}
        self._lock = threading.Lock()

    def get(self, keys: Iterable[K]) -> dict[K, V]:
        """The values that are known and fresh; the other keys are left out."""
        now = self._now()
        with self._lock:
            known = {key: self._entries[key] for key in keys if key in self._entries}
        return {key: value for key, (put_at, value) in known.items() if self._is_fresh(put_at, now)}

    def put(self, values: Mapping[K, V]) -> None:
        now = self._now()
        with self._lock:
            fresh = {key: entry for key, entry in self._entries.items() if self._is_fresh(entry[0], now)}
            self._entries = fresh | {key: (now, value) for key, value in values.items()}

    def _is_fresh(self, put_at: datetime, now: datetime) -> bool:
        return now - put_at < self._ttl
