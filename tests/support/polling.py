"""Waiting for what happens elsewhere: never a fixed time, always a deadline."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

T = TypeVar("T")

_INTERVAL_SECONDS = 0.02


def eventually(look: Callable[[], T | None], *, within: timedelta = timedelta(seconds=20)) -> T:
    """The first answer of `look` that is true. Fails the test when time is up, and shows the last answer."""
    deadline = time.monotonic() + within.total_seconds()
    while not (answer := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within.total_seconds():g} s; the last answer was {answer!r}")
        time.sleep(_INTERVAL_SECONDS)
    return answer
