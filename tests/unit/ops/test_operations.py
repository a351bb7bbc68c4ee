"""Exactly the plan is done, step by step, and one record tells who did it, why, and how it ended."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from common.result import ErrorInfo, Result, ResultError
from ops.operations import NOT_BEGUN, NOT_DUE, CutShort, Done, Record, execute
from ops.plan import Plan, Step, refuse_if_stale

NOW = datetime(2026, 1, 17, 6, 0, tzinfo=UTC)
AWAY = ErrorInfo.transient("ServiceUnavailable", "away")
GONE = ErrorInfo.permanent("NotFound", "gone")


class Kept:
    """A ledger in memory; `is_down` makes it fail."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.results: dict[str, Mapping[str, Any]] = {}
        self.interrupted: dict[str, Mapping[str, Any]] = {}
        self.is_down = False

    def cut_short(self, command: str) -> Result[CutShort | None]:
        for record_id, kept in self.records.items():
            if kept.command == command and record_id not in self.results:
                return Result.success(
                    CutShort(record_id=record_id, at=kept.at, plan=kept.plan, seen=kept.seen)
                )
        return Result.success(None)

    def begin(self, record: Record) -> Result[str]:
        if self.is_down:
            return Result.failure(AWAY)
        record_id = f"operation-{len(self.records) + 1}"
        self.records[record_id] = record
        return Result.success(record_id)

    def end(self, record_id: str, result: Mapping[str, Any]) -> Result[None]:
        self.results[record_id] = result
        return Result.success(None)

    def interrupt(self, record_id: str, so_far: Mapping[str, Any]) -> Result[None]:
        self.interrupted[record_id] = so_far
        return Result.success(None)


class Effects:
    """Steps that note what they did, and for which record."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.records: set[str] = set()
        self.fails_at: str | None = None
        self.fault = GONE
        self.dies_at: str | None = None

    def plan(self, *names: str, **more: Any) -> Plan:
        return Plan(command="close batch1", steps=[self._step(name) for name in names], **more)

    def _step(self, name: str) -> Step:
        def do(record_id: str) -> Result[str]:
            if name == self.dies_at:
                raise KeyboardInterrupt
            if name == self.fails_at:
                raise ResultError(self.fault)
            self.done.append(name)
            self.records.add(record_id)
            return Result.success(f"{name} done")

        return Step(sentence=name, do=do)


def carried_out(plan: Plan, ledger: Kept) -> Done:
    done = execute(plan, ledger, who="ann", why="game over", now=NOW).unwrap()
    assert done is not None
    return done


def cut_short(effects: Effects, ledger: Kept, *names: str, dies_at: str) -> None:
    effects.dies_at = dies_at
    with pytest.raises(KeyboardInterrupt):
        carried_out(effects.plan(*names), ledger)
    effects.dies_at = None


def test_plan_is_done_in_its_order_and_recorded_with_who_and_why() -> None:
    ledger, effects = Kept(), Effects()

    done = carried_out(effects.plan("time out", "close"), ledger)

    assert effects.done == ["time out", "close"]
    assert done.outcomes == ("time out done", "close done")
    record = ledger.records[done.record_id]
    assert (record.who, record.why, record.plan) == ("ann", "game over", ("time out", "close"))
    assert ledger.results[done.record_id]["status"] == "done"


def test_step_that_fails_ends_the_plan_and_the_record_says_at_which() -> None:
    ledger, effects = Kept(), Effects()
    effects.fails_at = "close"

    done = carried_out(effects.plan("time out", "close", "trigger"), ledger)

    assert effects.done == ["time out"]
    assert done.error == GONE
    assert done.outcomes == ("time out done", "failed: NotFound: gone", NOT_BEGUN)
    assert ledger.results[done.record_id]["status"] == "failed"


def test_of_steps_that_are_done_side_by_side_a_failure_keeps_no_other_from_being_tried() -> None:
    ledger, effects = Kept(), Effects()
    effects.fails_at = "b"

    done = carried_out(effects.plan("a", "b", "c", at_once=2), ledger)

    assert sorted(effects.done) == ["a", "c"]
    assert done.outcomes == ("a done", "failed: NotFound: gone", "c done")
    assert done.error == GONE


def test_failure_that_may_pass_leaves_the_record_to_the_same_command_again() -> None:
    ledger, effects = Kept(), Effects()
    effects.fails_at, effects.fault = "close", AWAY

    first = carried_out(effects.plan("time out", "close"), ledger)
    effects.fails_at = None
    again = carried_out(effects.plan("close"), ledger)

    assert (first.may_go_on, again.may_go_on) == (True, False)
    assert list(ledger.records) == [first.record_id] == [again.record_id]
    assert ledger.interrupted[first.record_id]["outcomes"][1] == "failed: ServiceUnavailable: away"
    assert ledger.results[first.record_id]["outcomes"] == [NOT_DUE, "close done"]


def test_nothing_is_done_without_a_record() -> None:
    ledger, effects = Kept(), Effects()
    ledger.is_down = True

    assert execute(effects.plan("close"), ledger, who="a", why="w", now=NOW).error == AWAY
    assert effects.done == []


def test_command_with_nothing_to_do_leaves_no_record() -> None:
    ledger = Kept()

    assert execute(Effects().plan(), ledger, who="a", why="w", now=NOW) == Result.success(None)
    assert ledger.records == {}


def test_command_that_was_cut_short_and_given_again_leaves_one_record() -> None:
    ledger, effects = Kept(), Effects()
    cut_short(effects, ledger, "time out", "close", dies_at="close")

    again = carried_out(effects.plan("time out", "close"), ledger)

    assert list(ledger.records) == [again.record_id]
    assert effects.records == {again.record_id}
    assert again.cut_short_at == NOW
    assert ledger.results[again.record_id]["status"] == "done"
    assert ledger.results[again.record_id]["taken_up"]["who"] == "ann"


def test_what_is_not_due_any_more_is_not_done_and_the_record_says_so() -> None:
    ledger, effects = Kept(), Effects()
    cut_short(effects, ledger, "a", "b", dies_at="b")

    again = carried_out(effects.plan("b"), ledger)

    assert effects.done == ["a", "b"]
    assert again.outcomes == (NOT_DUE, "b done")


def test_what_became_due_meanwhile_is_no_part_of_the_plan_that_was_confirmed() -> None:
    ledger, effects = Kept(), Effects()
    cut_short(effects, ledger, "generation 2", dies_at="generation 2")

    again = carried_out(effects.plan("generation 3"), ledger)

    assert effects.done == []
    assert (again.outcomes, again.left) == ((NOT_DUE,), ("generation 3",))
    assert ledger.results[again.record_id]["outcomes"] == [NOT_DUE]


def test_command_that_had_done_everything_when_it_was_cut_short_ends_its_record() -> None:
    ledger, effects = Kept(), Effects()
    cut_short(effects, ledger, "close", dies_at="close")

    again = carried_out(effects.plan(), ledger)

    assert ledger.results[again.record_id]["outcomes"] == [NOT_DUE]
    assert execute(effects.plan(), ledger, who="a", why="w", now=NOW).data is None


def test_same_command_on_another_day_is_another_record() -> None:
    ledger, effects = Kept(), Effects()

    first = carried_out(effects.plan("close"), ledger)
    second = carried_out(effects.plan("close"), ledger)

    assert first.record_id != second.record_id


SHOWN = Plan(command="close batch1", steps=[], seen={"status": "open", "ended": "3 of 5"})


def test_plan_that_is_as_it_was_shown_is_not_refused() -> None:
    refuse_if_stale(SHOWN, SHOWN.token)


@pytest.mark.parametrize(
    ("now", "changed"),
    [
        pytest.param({"status": "open", "ended": "4 of 5"}, "ended: now 4 of 5", id="one thing"),
        pytest.param(
            {"status": "failed", "ended": "5 of 5"}, "status: now failed; ended: now 5 of 5", id="two things"
        ),
        pytest.param({"status": "open", "ended": ""}, "ended: now nothing", id="gone"),
        pytest.param({"status": "open"}, "is of another command", id="another command"),
    ],
)
def test_stale_plan_is_refused_with_what_has_changed(now: dict[str, str], changed: str) -> None:
    with pytest.raises(ResultError, match=changed):
        refuse_if_stale(replace(SHOWN, seen=now), SHOWN.token)


def test_plan_with_other_steps_is_stale_though_it_rests_on_the_same() -> None:
    with pytest.raises(ResultError, match="what is to be done: now close"):
        refuse_if_stale(replace(Effects().plan("close"), seen=SHOWN.seen), SHOWN.token)
