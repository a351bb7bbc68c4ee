"""The sweep of the batches, put together over Firestore: loaded at the first tick, not at the start."""

import time
from datetime import timedelta
from typing import Final

from google.cloud import firestore

from ..batches.batches import Batches
from ..batches.trigger_outbox import TriggerOutbox
from ..lock.store import FirestoreLocks
from ..sport import SportNames
from .batch_sweep import BatchSweep
from .sweep_ticks import SweepTicks

LOCK_CALL_TIMEOUT: Final = timedelta(seconds=10)


def sweep_over(
    db: firestore.Client, batches: Batches, outbox: TriggerOutbox, names: SportNames
) -> tuple[BatchSweep, SweepTicks]:
    """The sweep of one sport and dataset prefix, and where its ticks are noted.

    Made anew at each tick: it keeps nothing.
    """
    locks = FirestoreLocks(db, call_timeout=LOCK_CALL_TIMEOUT, monotonic=time.monotonic)
    sweep = BatchSweep(batches, outbox, locks, sport=names.sport.value, dataset_prefix=names.dataset_prefix)
    return sweep, SweepTicks(db)
