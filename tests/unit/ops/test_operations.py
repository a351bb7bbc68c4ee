"""Exactly the plan is done, step by step, and one record tells who did it, why, and how it ended."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from common.result import ErrorInfo, Result
from ops.operations import Plan, Record, Step, execute

NOW = datetime(2026, 1, 17, 6, 0, tzinfo=UTC)
AWAY = ErrorInfo.transient("ServiceUnavailable", "away")


class Kept:
    """A ledger in memory; `is_down` makes it fail."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.results: dict[str, Mapping[str, Any]] = {}
        self.is_down = False

    def begin(self, record: Record) -> Result[str]:
        if self.is_down:
            return Result.failure(AWAY)
        for record_id, kept in self.records.items():
            if kept.digest == record.digest and record_id not in self.results:
                return Result.success(record_id)
        record_id = f"operation-{len(self.records) + 1}"
        self.records[record_id] = record
        return Result.success(record_id)

    def end(self, record_id: str, result: Mapping[str, Any]) -> Result[None]:
        self.results[record_id] = result
        return Result.success(None)


class Effects:
    """Steps that note what they did."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.fails_at: str | None = None
        self.dies_at: str | None = None

    def plan(self, *names: str) -> Plan:
        return Plan(command="close batch1", steps=[self._step(name) for name in names])

    def _step(self, name: str) -> Step:
        def do() -> Result[str]:
            if name == self.dies_at:
                raise KeyboardInterrupt
            if name == self.fails_at:
                return Result.failure(AWAY)
            self.done.append(name)
            return Result.success(f"{name} done")

        return Step(sentence=name, do=do)


def test_plan_is_done_in_its_order_and_recorded_with_who_and_why() -> None:
    ledger, effects = Kept(), Effects()

    done = execute(effects.plan("time out", "close"), ledger, who="ann", why="game over", now=NOW).unwrap()

    assert effects.done == ["time out", "close"]
    assert done.outcomes == ("time out done", "close done")
    record = ledger.records[done.record_id]
    assert (record.who, record.why, record.plan) == ("ann", "game over", ("time out", "close"))
    assert ledger.results[done.record_id]["status"] == "done"


def test_step_that_fails_ends_the_plan_and_the_record_says_at_which() -> None:
    ledger, effects = Kept(), Effects()
    effects.fails_at = "close"

    done = execute(effects.plan("time out", "close", "trigger"), ledger, who="a", why="w", now=NOW).unwrap()

    assert effects.done == ["time out"]
    assert done.error == AWAY
    assert done.outcomes == ("time out done", "failed: ServiceUnavailable: away")
    assert ledger.results[done.record_id]["status"] == "failed"


def test_nothing_is_done_without_a_record() -> None:
    ledger, effects = Kept(), Effects()
    ledger.is_down = True

    assert execute(effects.plan("close"), ledger, who="a", why="w", now=NOW).error == AWAY
    assert effects.done == []


def test_command_that_was_cut_short_and_given_again_leaves_one_record() -> None:
    ledger, effects = Kept(), Effects()
    effects.dies_at = "close"
    try:
        execute(effects.plan("time out", "close"), ledger, who="a", why="w", now=NOW)
    except KeyboardInterrupt:
        effects.dies_at = None

    again = execute(effects.plan("time out", "close"), ledger, who="a", why="w", now=NOW).unwrap()

    assert list(ledger.records) == [again.record_id]
    assert ledger.results[again.record_id]["status"] == "done"


def test_same_command_on_another_day_is_another_record() -> None:
    ledger, effects = Kept(), Effects()

    first = execute(effects.plan("close"), ledger, who="a", why="w", now=NOW).unwrap()
    second = execute(effects.plan("close"), ledger, who="a", why="w", now=NOW).unwrap()

    assert first.record_id != second.record_id
