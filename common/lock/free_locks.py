"""Locks that this instance has released lately: their snapshots save the read before the next acquisition.

An instance that consolidates one day after another, or one day again, holds the same lock repeatedly. What it
remembers is never trusted alone: the write that rests on it has the version as its precondition.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from cachetools import TTLCache

from .rules import LockKey
from .store import LockSnapshot

RECENT_SECONDS: Final = 60.0
"""Long enough to be of use, too short for our clock to run away from the server's."""
MAX_LOCKS: Final = 1_000
"""A lock is that of a day, so these are more than anybody works on at a time."""


class FreeLocks:
    """Snapshots of released locks, each to be used once. Safe to share between threads."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._guard = threading.Lock()
        self._left: TTLCache[LockKey, LockSnapshot] = TTLCache(MAX_LOCKS, RECENT_SECONDS, timer=monotonic)

    def remember(self, key: LockKey, left: LockSnapshot) -> None:
        """`left` shows the document as we wrote it: released. Replaces what was remembered of the key."""
        with self._guard:
            self._left[key] = left

    def recall(self, key: LockKey) -> LockSnapshot | None:
        """The lock as we left it, with the server's time moved on by our monotonic clock; None: unknown.

        If it is outdated, the precondition of the write that rests on it refuses that write.
        """
        with self._guard:
            # Used once: whoever acquires with it changes the document, and a second use could only be
            # refused.
            left = self._left.pop(key, None)
        if left is None:
            return None
        age = timedelta(seconds=self._monotonic() - left.asked_at)
        return replace(left, server_now=left.server_now + age)
