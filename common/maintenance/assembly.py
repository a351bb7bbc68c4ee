"""The sweep of the batches, put together over Firestore: loaded at the first tick, not at the start."""

import time
from datetime import timedelta
from typing import Any, Final

from ..lock.store import FirestoreLocks
from ..runtime.wiring import Wiring
from .batch_sweep import BatchSweep
from .sweep_ticks import SweepTicks

# Of one reading: the sweep has a budget, and other batches wait.
LOCK_CALL_TIMEOUT: Final = timedelta(seconds=10)


def sweep_over(wiring: Wiring[Any]) -> tuple[BatchSweep, SweepTicks]:
    """The sweep of one sport and dataset prefix, and where its ticks are noted.

    Made anew at each tick: it keeps nothing.
    """
    names = wiring.settings.names
    locks = FirestoreLocks(wiring.database(), call_timeout=LOCK_CALL_TIMEOUT, monotonic=time.monotonic)
    sweep = BatchSweep(
        wiring.batches(),
        wiring.outbox(),
        locks,
        sport=names.sport.value,
        dataset_prefix=names.dataset_prefix,
    )
    return sweep, SweepTicks(wiring.documents())
