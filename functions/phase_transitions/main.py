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
from common.phases.boundaries import ReportAnswer
from common.phases.sweep import Swept
from common.result import Result
from common.runtime.wiring import WarehouseWiring
from common.settings import WarehouseSettings
from common.topics import PHASE_SWEEP, REGISTRY, Topic

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


def completions_of(topic: Topic) -> Route[PhaseCompletion]:
    """The route of one topic, which tells the boundary: the message names phases, and one could be wrong."""

    def complete(message: PhaseCompletion, delivery: Delivery) -> Result[ReportAnswer] | Result[None]:
        boundaries = phases.boundaries()
        return handle(message, topic.constant, delivery.event_id, graph=phases.graph, boundaries=boundaries)

    return Route(message=PhaseCompletion, handle=in_thread(complete))


def sweep(_: Sweep, delivery: Delivery) -> Result[Swept]:
    """Wakes for `phase-sweep`; what does not fit into its budget is left to the next tick."""
    sweeping = phases.sweep(budget=timedelta(seconds=settings.sweep_seconds))
    ticks = SweepTicks(wiring.documents())
    return handle_sweep(wiring.now(), function=FUNCTION, sweep=sweeping, ticks=ticks)


# Routes follow from the registry: a topic that gets a subscription for this function is routed by that alone.
HEARD = [topic for topic in REGISTRY.values() if FUNCTION in topic.subscriptions]
SWEEPS: Route[Any] = Route(message=Sweep, handle=in_thread(sweep))
phase_transitions = wiring.serve(
    {topic: SWEEPS if topic == PHASE_SWEEP else completions_of(topic) for topic in HEARD}
)
