"""What a person may break on a system that is kept up."""

from datetime import date

import pytest

from common.findings import FindingClass
from local.problem import Problem
from local.sabotage.by_hand import BY_HAND, NOT_BY_HAND, break_one

TODAY = date(2026, 1, 17)


@pytest.mark.parametrize("finding_class", list(NOT_BY_HAND), ids=lambda each: each.value)
def test_what_only_a_run_shows_is_refused_with_the_reason(finding_class: FindingClass) -> None:
    with pytest.raises(Problem, match="--sabotage shows it"):
        break_one({}, finding_class.value, TODAY)


def test_an_unknown_class_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(Problem, match="break lost_increments: there is abandoned_phase, absent_run, "):
        break_one({}, "lost_increments", TODAY)


def test_most_classes_can_be_made() -> None:
    assert len(BY_HAND) + len(NOT_BY_HAND) == len(FindingClass)
    assert len(NOT_BY_HAND) < 5
