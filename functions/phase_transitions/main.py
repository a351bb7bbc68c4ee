"""Entry point and wiring. Woken by the completions of phases 2 to 5 and by `phase-sweep`; starts phases."""

import gc

gc.disable()  # until all is loaded

import os
from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from common.entrypoint.endpoint import Route, in_thread
from common.entrypoint.envelope import Delivery
from common.maintenance.sweep_ticks import SweepTicks
from common.messages import PhaseCompletion, Sweep
from common.phases.assembly import PhaseTransitions
from common.phases.boundaries import Reported
from common.phases.sweep import Swept
from common.result import Result
from common.runtime.wiring import WarehouseWiring
from common.settings import WarehouseSettings
from common.topics import REGISTRY

from .handler import handle, handle_sweep

FUNCTION = "phase_transitions"


class TransitionSettings(WarehouseSettings):
    """What this function needs to know beside the rest."""

    phase_clock_speed: Annotated[float, Field(alias="PHASE_CLOCK_SPEED", ge=1)] = 1.0
    """Waits are divided by it: for playing a day in minutes."""
    sweep_seconds: Annotated[float, Field(alias="SWEEP_SECONDS", gt=0)] = 120.0
    """What one sweep may take."""

    @model_validator(mode="after")
    def _runs_at_the_pace_of_the_world(self) -> Self:
        if self.environment == "production" and self.phase_clock_speed != 1:
            raise ValueError("PHASE_CLOCK_SPEED: in production a minute is a minute")
        return self


wiring = WarehouseWiring(TransitionSettings, function=FUNCTION, environment=os.environ)
settings = wiring.settings
phases = PhaseTransitions(wiring, settings.names, speed=settings.phase_clock_speed)


def complete(message: PhaseCompletion, delivery: Delivery) -> Result[Reported | None]:
    """Wakes for the completions of phases 2 to 5: the topic names the boundary."""
    assert delivery.woken_by is not None
    topic = delivery.woken_by.constant
    return handle(message, topic, delivery.event_id, graph=phases.graph, boundaries=phases.boundaries())


def sweep(_: Sweep, delivery: Delivery) -> Result[Swept]:
    """Wakes for `phase-sweep`; what does not fit into its budget is left to the next tick."""
    sweeping = phases.sweep(budget=timedelta(seconds=settings.sweep_seconds))
    ticks = SweepTicks(wiring.database())
    return handle_sweep(wiring.now(), function=FUNCTION, sweep=sweeping, ticks=ticks)


ROUTES: dict[str, Route[Any]] = {
    "PhaseCompletion": Route(message=PhaseCompletion, handle=in_thread(complete)),
    "Sweep": Route(message=Sweep, handle=in_thread(sweep)),
}
# Routes follow from the registry: a topic that gets a subscription for this function is routed by that alone.
phase_transitions = wiring.serve(
    {topic: ROUTES[str(topic.message)] for topic in REGISTRY.values() if FUNCTION in topic.subscriptions}
)
