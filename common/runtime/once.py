"""Build a thing at most once per process, when it is first asked for: clients, models, compiled tables."""

import threading
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

T = TypeVar("T")


def once(factory: Callable[[], T]) -> Callable[[], T]:
    """Memoize `factory` behind a lock: handlers run in parallel, and a client must not be built twice.

    A factory that raises is tried again at the next call.
    """
    lock = threading.Lock()
    built: list[T] = []

    @wraps(factory)
    def get() -> T:
        if not built:
            # Looked at twice: the first look spares every later call the lock, the second one finds what
            # another thread has built while this one waited.
            with lock:
                if not built:
                    built.append(factory())
        return built[0]

    return get
