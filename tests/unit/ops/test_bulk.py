"""Many plans as one: the set first, what refuses is named, and nothing is planned by half."""

from collections.abc import Callable

import pytest

from common.result import ErrorInfo, Result, ResultError
from ops.bulk import MAX_CHOSEN, plan_for_each, refuse_unless_one_is_named
from ops.plan import Plan, Step
from ops.refusals import refused
from ops.selection import Selection, selection, text

WHERE: Selection[str] = selection(["name=*"], {"name": text(str)})


def planned(name: str) -> Plan:
    if name == "stuck":
        raise refused("stuck is held")
    if name == "lost":
        raise ResultError(ErrorInfo.transient("ServiceUnavailable", "the store is away"))
    steps = [] if name == "done" else [Step(sentence=f"close {name}", do=lambda _: Result.success(None))]
    return Plan(command=f"close {name}", steps=steps, seen={"status": "open"})


def together(*names: str, plan_of: Callable[[str], Plan] = planned) -> Plan:
    return plan_for_each("close", "batch", names, WHERE, name=str, plan_of=plan_of)


def test_set_comes_first_and_then_a_step_for_each_that_has_one() -> None:
    plan = together("a", "done", "b")

    assert plan.command == "close --where name=*"
    assert list(plan.shown) == [
        "3 batches chosen by --where name=*",
        "  a: status open",
        "  done: status open; nothing to do",
        "  b: status open",
    ]
    assert plan.sentences == ("close a", "close b")


def test_what_refuses_is_left_out_with_its_reason() -> None:
    plan = together("a", "stuck")

    assert plan.sentences == ("close a",)
    assert plan.left_out == {"stuck": "stuck is held"}


def test_store_out_of_reach_is_no_reason_to_leave_something_out() -> None:
    with pytest.raises(ResultError, match="lost: the store is away"):
        together("a", "lost")


def test_set_that_nobody_would_read_is_refused() -> None:
    with pytest.raises(ResultError, match=r"1,001 batches are chosen, 1,000 at most"):
        together(*map(str, range(MAX_CHOSEN + 1)))


@pytest.mark.parametrize("name", [None, "a"])
def test_either_a_name_or_a_condition_is_asked_for(name: str | None) -> None:
    other = selection(None, {"name": text(str)})
    refuse_unless_one_is_named("a batch", "a", other)

    with pytest.raises(ResultError, match="say which: a batch, or --where"):
        refuse_unless_one_is_named("a batch", name, WHERE if name else other)
