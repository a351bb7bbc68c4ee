"""Garbage collection as it suits a function: none while it loads, and little afterwards."""

import gc
from typing import Final

ALLOCATIONS_PER_COLLECTION: Final = 10_000
"""Instead of 700: an event makes hundreds of objects, nearly all of which die by their reference counts."""


def start_collecting() -> None:
    """To be called once a function's modules are loaded; from then on they are left out of every collection.

    Collections while they load are a twentieth of a cold start; walking through them again and again is an
    eighth of the CPU time of a recorded event (measured with `tests/bench/bench_function.py`). Calling it
    again is harmless.
    """
    gc.freeze()
    _, *older = gc.get_threshold()
    gc.set_threshold(ALLOCATIONS_PER_COLLECTION, *older)
    gc.enable()
