"""Entry point and wiring. Woken by completions and by the sweep; publishes `prediction-batch-complete`."""

import gc

gc.disable()  # until all is loaded

import os
from typing import TYPE_CHECKING

from common.entrypoint.endpoint import Route, in_thread
from common.entrypoint.envelope import Delivery
from common.messages import PlayerCompletion, Sweep
from common.recorder.answers import Recorded
from common.recorder.assembly import Recording
from common.result import Result
from common.runtime.wiring import Wiring
from common.settings import Settings
from common.topics import PHASE_SWEEP, PREDICTION_READY

from .handler import handle, handle_sweep

if TYPE_CHECKING:
    from common.maintenance.swept import Swept

wiring = Wiring(Settings, function="completion_recorder", environment=os.environ)
recording = Recording(wiring)


async def record(completion: PlayerCompletion, delivery: Delivery) -> Result[Recorded]:
    """Wakes for `prediction-ready`. A coroutine: completions that wait for a commit share the next one."""
    recorder, outbox, checks = recording.recorder(), wiring.outbox(), recording.checks()
    return await handle(completion, delivery.event_id, recorder=recorder, outbox=outbox, checks=checks)


def sweep(_: Sweep, delivery: Delivery) -> "Result[Swept]":
    """Wakes for `phase-sweep`: batches past their deadline, and triggers that nobody has published."""
    # Imported at the first tick: a cold start for a completion does not pay for it.
    from common.maintenance.assembly import sweep_over

    sweeping, ticks = sweep_over(wiring)
    return handle_sweep(wiring.now(), function=wiring.function, sweep=sweeping, ticks=ticks)


completion_recorder = wiring.serve(
    {
        PREDICTION_READY: Route(message=PlayerCompletion, handle=record),
        PHASE_SWEEP: Route(message=Sweep, handle=in_thread(sweep)),
    },
    unnamed=PREDICTION_READY,
)
