"""The list of what is broken on purpose, against all that has a name."""

from common.findings import FindingClass
from local.sabotage.catalogue import CLASSES, DEFECTS, NOT_MADE


def test_each_class_of_finding_is_made_once_or_listed_with_the_reason_why_not() -> None:
    assert sorted([*CLASSES, *(each.value for each in NOT_MADE)]) == sorted(
        each.value for each in FindingClass
    )


def test_nothing_but_what_nobody_can_break_here_is_left_out() -> None:
    assert set(NOT_MADE) == set()


def test_a_person_is_told_how_each_comes_about() -> None:
    assert all(len(each.how) > 10 for each in DEFECTS)
