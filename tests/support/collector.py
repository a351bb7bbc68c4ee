"""The garbage collection of this process, which a function sets for its own."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_as_before() -> Iterator[None]:
    """Whatever is done to it within. If anything was left out of collections, all that is there now is."""
    thresholds, were_frozen, was_enabled = gc.get_threshold(), gc.get_freeze_count(), gc.isenabled()
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
        if were_frozen:
            gc.freeze()
        (gc.enable if was_enabled else gc.disable)()
