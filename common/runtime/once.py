"""Build a thing at most once per process, when it is first asked for."""

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
            with lock:
                if not built:
                    built.append(factory())
        return built[0]

    return get
