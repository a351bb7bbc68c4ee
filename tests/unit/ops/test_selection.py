"""`--where FIELD=VALUE`: what is chosen, and what is not understood is named with its field and value."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum

import pytest

from common.result import ResultError
from ops.selection import Fields, day, flag, number, selection, text, time


class Status(Enum):
    OPEN = "open"
    FAILED = "failed"


@dataclass(frozen=True)
class Thing:
    name: str
    status: Status = Status.OPEN
    missing: int = 0
    game_date: date = date(2026, 1, 17)
    deadline: datetime | None = None
    silent: bool = False
    reason: str | None = None


FIELDS: Fields[Thing] = {
    "name": text(lambda thing: thing.name),
    "status": text(lambda thing: thing.status, choices=Status),
    "missing": number(lambda thing: thing.missing),
    "game_date": day(lambda thing: thing.game_date),
    "deadline": time(lambda thing: thing.deadline),
    "silent": flag(lambda thing: thing.silent),
    "reason": text(lambda thing: thing.reason),
}
THINGS = [
    Thing("a1", missing=3, deadline=datetime(2026, 1, 18, tzinfo=UTC), reason="rows [w1] differ"),
    Thing("a2", status=Status.FAILED, missing=12, game_date=date(2026, 1, 18)),
    Thing("b1", status=Status.FAILED, silent=True, game_date=date(2026, 2, 1)),
]


@pytest.mark.parametrize(
    ("conditions", "chosen"),
    [
        pytest.param([], ["a1", "a2", "b1"], id="no condition chooses all"),
        pytest.param(["name=a1"], ["a1"], id="a text"),
        pytest.param(["name=a*"], ["a1", "a2"], id="any text"),
        pytest.param(["name=?1"], ["a1", "b1"], id="any character"),
        pytest.param(["name!=a*"], ["b1"], id="all but"),
        pytest.param(["name=a*", "status=failed"], ["a2"], id="all have to hold"),
        pytest.param(["status=f*"], ["a2", "b1"], id="part of a choice"),
        pytest.param(["missing>3"], ["a2"], id="greater, as numbers and not as texts"),
        pytest.param(["missing >= 3"], ["a1", "a2"], id="with blanks"),
        pytest.param(["missing=0"], ["b1"], id="equal numbers"),
        pytest.param(["game_date<=2026-01-18"], ["a1", "a2"], id="until a date"),
        pytest.param(["game_date=2026-01-*"], ["a1", "a2"], id="dates of a month"),
        pytest.param(["deadline<2026-01-18T00:01"], ["a1"], id="before a time in UTC; none is not before"),
        pytest.param(["deadline>=2026-01-18"], ["a1"], id="from a day on"),
        pytest.param(["silent=yes"], ["b1"], id="yes"),
        pytest.param(["silent!=yes"], ["a1", "a2"], id="not yes"),
        pytest.param(["reason=*[w1]*"], ["a1"], id="a bracket is itself"),
        pytest.param(["reason!=x"], ["a1", "a2", "b1"], id="nothing is not x"),
        pytest.param(["reason=*"], ["a1"], id="nothing is no text"),
    ],
)
def test_conditions_choose(conditions: list[str], chosen: list[str]) -> None:
    assert [thing.name for thing in selection(conditions, FIELDS).of(THINGS)] == chosen


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        pytest.param("name", "'name' is not of the form FIELD=VALUE", id="no operator"),
        pytest.param("=a", "'=a' is not of the form", id="no field"),
        pytest.param("name=", "'name=' is not of the form", id="no value"),
        pytest.param("", "'' is not of the form", id="nothing"),
        pytest.param("nam=a", "no field 'nam'; there are name, status", id="an unknown field"),
        pytest.param("name<a", "name: a text is compared by = and !=, not by <", id="texts have no order"),
        pytest.param("status=opn", "status: 'opn' is none of open, failed", id="no such choice"),
        pytest.param("missing=few", "missing: 'few' is not a number", id="no number"),
        pytest.param("game_date=17.1.", "game_date: '17.1.' is not a date such as", id="no date"),
        pytest.param("deadline<soon", "deadline: 'soon' is not a time such as", id="no time"),
        pytest.param("deadline=2026-01-18", "deadline: a time is compared by < <= > >=", id="a very moment"),
        pytest.param("silent=maybe", "silent: 'maybe' is not a `yes` or a `no`", id="neither yes nor no"),
        pytest.param("silent<yes", "silent: a yes or no is compared by = !=", id="yes has no order"),
    ],
)
def test_condition_that_makes_no_sense_names_its_field_and_value(condition: str, why: str) -> None:
    with pytest.raises(ResultError) as refused:
        selection([condition], FIELDS)

    assert str(refused.value.error.message).startswith(f"--where: {why}")


def test_condition_on_one_value_can_be_put_to_the_store() -> None:
    chosen = selection(["status=open", "game_date=2026-01-*", "missing>3", "name!=a1"], FIELDS)

    assert chosen.exactly("status") == "open"
    assert [chosen.exactly(field) for field in ("game_date", "missing", "name")] == [None, None, None]
    assert str(chosen) == (
        "--where status=open --where game_date=2026-01-* --where missing>3 --where name!=a1"
    )
