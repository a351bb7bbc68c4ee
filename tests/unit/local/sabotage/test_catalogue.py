"""The list of what is broken on purpose, against all that has a name."""

from common.findings import FindingClass
from local.sabotage.catalogue import CLASSES, DEFECTS


def test_each_class_of_finding_is_made_once() -> None:
    assert sorted(CLASSES) == sorted(each.value for each in FindingClass)


def test_a_person_is_told_how_each_comes_about() -> None:
    assert all(len(each.how) > 10 for each in DEFECTS)
