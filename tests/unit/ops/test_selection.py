"""`--where FIELD=VALUE`, as in a shell; what is not understood is named."""

from dataclasses import dataclass

import pytest

from common.result import ResultError
from ops.exit_status import ExitStatus
from ops.selection import Where, matching


@dataclass(frozen=True)
class Thing:
    name: str
    status: ExitStatus


THINGS = [Thing("a1", ExitStatus.WELL), Thing("a2", ExitStatus.FOUND), Thing("b1", ExitStatus.FOUND)]


def test_every_condition_has_to_hold_and_the_order_stays() -> None:
    assert matching(THINGS, []) == THINGS
    assert matching(THINGS, [Where.parse("name=a*")]) == THINGS[:2]
    assert matching(THINGS, [Where.parse("name=a*"), Where.parse("status=1")]) == THINGS[1:2]


@pytest.mark.parametrize("text", ["name", "=a", "name=", ""])
def test_condition_that_is_none_is_refused_with_its_form(text: str) -> None:
    with pytest.raises(ResultError, match="FIELD=VALUE"):
        Where.parse(text)


def test_field_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(ResultError, match=r"no field 'nam'; there are name, status"):
        matching(THINGS, [Where.parse("nam=a")])
