"""The parts of a consolidation, put together: for the function that a complete batch wakes."""

from datetime import timedelta
from typing import Any

from ..lock.lock import Lock
from ..runtime.wiring import WarehouseWiring
from .consolidator import Consolidator


def consolidator_of(wiring: WarehouseWiring[Any], *, lease: timedelta) -> Consolidator:
    """A consolidator for one deployment; raises what a client raises that cannot be made.

    `lease` is how long the day waits for a holder that died; who lives renews it three times as often.
    """
    return Consolidator(
        warehouse=wiring.warehouse(),
        batches=wiring.batches(),
        lock=Lock(wiring.database(), lease=lease, renew_every=lease / 3),
        names=wiring.settings.names,
        now=wiring.now,
    )
