from datetime import datetime

import pytest

from common.phases.days import Recorded
from common.phases.sweep import Swept
from common.result import ErrorInfo, Result
from functions.phase_transitions.handler import handle, handle_sweep
from tests.support.phase_world import OVERNIGHT, PRECOMPUTE, PhaseWorld, completion
from tests.support.results import error_of

TOPIC = "PHASE4_PRECOMPUTE_COMPLETE"
SWEPT = Swept(looked=1, dispatched=(), failed=(), is_complete=True)


class Ticks:
    def __init__(self, result: Result[int]) -> None:
        self.result = result

    def note(self, function: str, now: datetime) -> Result[int]:
        assert function == "phase_transitions"
        return self.result


class Sweeping:
    def __init__(self, result: Result[Swept]) -> None:
        self.result = result
        self.runs = 0

    def run(self) -> Result[Swept]:
        self.runs += 1
        return self.result


def test_last_completion_starts_the_phase() -> None:
    world = PhaseWorld()

    for name in PRECOMPUTE:
        handled = handle(
            completion(name), TOPIC, f"event-{name}", graph=world.graph, boundaries=world.boundaries
        )

    reported = handled.unwrap()
    assert reported is not None and reported.recorded is Recorded.RECORDED
    assert world.reasons == ["all_complete"]


def test_completion_on_a_topic_of_another_phase_is_recorded_nowhere() -> None:
    world = PhaseWorld()
    sent = completion("ml_feature_store", phase=3)

    handled = handle(sent, TOPIC, "event", graph=world.graph, boundaries=world.boundaries)

    assert error_of(handled).exception_class == "WrongPhase"
    assert world.day(4).document is world.day(3).document is None


def test_topic_that_wakes_no_boundary_of_the_sport_is_acknowledged() -> None:
    world = PhaseWorld()
    sent = completion("nbac_schedule", phase=1)

    handled = handle(
        sent, "PHASE1_SCRAPERS_COMPLETE", "event", graph=world.graph, boundaries=world.boundaries
    )

    assert handled == Result.success(None)


TRANSIENT = ErrorInfo.transient("Unavailable", "the store is away")
SWEEPS = [
    pytest.param(Result.success(0), Result.success(SWEPT), "success", id="all is well"),
    pytest.param(
        Result.success(2), Result.partial(SWEPT, TRANSIENT), "partial", id="something could not be looked at"
    ),
    pytest.param(
        Result.failure(TRANSIENT), Result.success(SWEPT), "failure", id="the tick could not be noted"
    ),
]


@pytest.mark.parametrize(("noted", "swept", "status"), SWEEPS)
def test_sweep_runs_whether_its_tick_could_be_noted_or_not(
    noted: Result[int], swept: Result[Swept], status: str
) -> None:
    sweeping = Sweeping(swept)

    handled = handle_sweep(OVERNIGHT, function="phase_transitions", sweep=sweeping, ticks=Ticks(noted))

    assert (handled.status, sweeping.runs) == (status, 1)
