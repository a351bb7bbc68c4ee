"""Waiting for what other processes do."""

import time
from collections.abc import Callable
from typing import Final

_LOOK_EVERY_SECONDS: Final = 0.1


def until(is_so: Callable[[], bool], *, within_seconds: float) -> bool:
    """Whether it came about in time; asked at once, and then again and again."""
    ends_at = time.monotonic() + within_seconds
    while not is_so():
        if time.monotonic() > ends_at:
            return False
        time.sleep(_LOOK_EVERY_SECONDS)
    return True
