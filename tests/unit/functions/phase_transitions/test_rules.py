import pytest

from common.phases.graph import GRAPHS
from common.result import ErrorType
from functions.phase_transitions.rules import boundary_of
from tests.support.phase_world import completion
from tests.support.results import error_of

TOPICS = [
    pytest.param("PHASE2_RAW_COMPLETE", 2, "phase2_to_phase3", id="raw"),
    pytest.param("PHASE3_ANALYTICS_COMPLETE", 3, "phase3_to_phase4", id="analytics"),
    pytest.param("PHASE4_PRECOMPUTE_COMPLETE", 4, "phase4_to_phase5", id="precompute"),
    pytest.param("PHASE5_PREDICTIONS_COMPLETE", 5, "phase5_to_phase6", id="predictions"),
]


@pytest.mark.parametrize(("topic", "phase", "name"), TOPICS)
def test_topic_of_the_delivery_names_the_boundary(topic: str, phase: int, name: str) -> None:
    boundary = boundary_of(GRAPHS["nba"], topic, completion("any", phase=phase)).unwrap()

    assert boundary is not None and boundary.name == name


def test_completion_of_another_phase_is_refused_for_good() -> None:
    error = error_of(boundary_of(GRAPHS["nba"], "PHASE3_ANALYTICS_COMPLETE", completion("any", phase=4)))

    assert error.type is ErrorType.PERMANENT
    assert "phase_4_precompute" in error.message and "PHASE3_ANALYTICS_COMPLETE" in error.message


def test_pipeline_without_that_boundary_has_none() -> None:
    found = boundary_of(GRAPHS["mlb"], "PHASE4_PRECOMPUTE_COMPLETE", completion("any", phase=4))

    assert found.unwrap() is None
