"""Refused players are asked for again by the command alone, wherever it was cut short."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from common.batches.batches import Batches
from common.batches.records import Batch, batch_path
from common.documents.memory_store import MemoryDocuments
from common.documents.writes import Set, Update
from common.maintenance.redrive import redrive
from common.messages import PlayerOutcome
from common.result import Result
from ops.commands.redrive import Refusals, Whom, plan_redrive
from ops.ledger import OperationsLedger
from ops.operations import execute
from tests.support.batch_helpers import Published, names, opened, request_for
from tests.support.stepped import Crash, Stepped, Steps

NOW = datetime(2026, 1, 18, 6, tzinfo=UTC)
PLAYERS = tuple(names(3))
REFUSED = PLAYERS[:2]


class Terminal:
    """A batch on its way whose first two players claim rows that are gone, and the command that is given."""

    def __init__(self) -> None:
        self.documents = MemoryDocuments(lambda: datetime.now(UTC))
        self.published = Published()
        opened(Batches(self.documents), len(PLAYERS))
        for name in PLAYERS:
            self.answer(name, table="gone" if name in REFUSED else "there")
        counted = {"completed_count": 3, "total_predictions_subcoll": 15, "status": "complete"}
        self.documents.commit([Update(path=batch_path("batch1"), fields=counted)]).unwrap()

    def answer(self, name: str, *, table: str) -> None:
        """As the recorder notes what a worker says."""
        ended = {
            "player_lookup": name,
            "outcome": "completed",
            "predictions_count": 5,
            "event_id": f"event-{name}-{table}",
            "staging_table": table,
            "staged_rows": 5,
        }
        path = f"{batch_path('batch1')}/completions/{name}"
        self.documents.commit([Set(path=path, fields=ended)]).unwrap()

    def standing(self) -> dict[str, tuple[PlayerOutcome, str | None]]:
        found = Batches(self.documents).completions("batch1").unwrap()
        return {one.player_lookup: (one.outcome, one.staging_table) for one in found}

    def lost(self) -> set[str]:
        return {name for name, (how, _) in self.standing().items() if how is PlayerOutcome.TIMED_OUT}

    def unmergeable(self, batch: Batch) -> tuple[str, ...]:
        return tuple(name for name, (_, table) in self.standing().items() if table == "gone")

    def type(self, steps: Callable[[str], None] = lambda _: None) -> None:
        documents: Any = Stepped(self.documents, steps)
        ledger = OperationsLedger(documents)
        requests: Any = self
        plan = plan_redrive(
            Batches(documents),
            requests,
            Stepped(self.published, steps),
            "batch1",
            whom=Whom.REFUSED,
            refusals=Refusals(
                unmergeable=self.unmergeable,
                unfinished=lambda record_id: ledger.unfinished(record_id).unwrap(),
            ),
        )
        execute(plan, ledger, who="ann", why="table expired", now=NOW).unwrap()

    def of(self, batch: Batch, players: Any) -> Result[Any]:
        return Result.success(request_for)

    def records(self) -> list[str | None]:
        found = self.documents.find("operations").unwrap()
        return [(each.data["result"] or {}).get("status") for each in found]


def steps_of_a_whole_run() -> list[str]:
    steps = Steps()
    Terminal().type(steps)
    return steps.names


WHOLE = steps_of_a_whole_run()


@pytest.mark.parametrize("step", range(1, len(WHOLE) + 1))
def test_redrive_of_the_refused_cut_short_before_any_step_is_gone_on_with_by_itself(step: int) -> None:
    terminal = Terminal()

    with pytest.raises(Crash):
        terminal.type(Steps(dies_before=step))
    terminal.type()

    assert {each.player_lookup for each in terminal.published.requests} == set(REFUSED)
    assert {
        name for name, (outcome, _) in terminal.standing().items() if outcome is PlayerOutcome.TIMED_OUT
    } == set(REFUSED)
    assert terminal.records() == ["done"]
    assert Batches(terminal.documents).get("batch1").unwrap().redrives == 1


def test_who_has_come_before_the_command_is_gone_on_with_keeps_what_he_brought() -> None:
    terminal = Terminal()
    with pytest.raises(Crash):
        terminal.type(Steps(dies_before=len(WHOLE)))

    terminal.answer(REFUSED[0], table="new")
    terminal.type()

    assert terminal.standing()[REFUSED[0]] == (PlayerOutcome.COMPLETED, "new")
    assert terminal.standing()[REFUSED[1]] == (PlayerOutcome.TIMED_OUT, None)
    assert terminal.records() == ["done"]


def test_redrive_of_others_that_was_cut_short_says_nothing_of_the_refused() -> None:
    terminal = Terminal()
    batches = Batches(terminal.documents)
    redrive(batches, terminal.published, "batch1", request_for, players=PLAYERS[2:], token="other").unwrap()
    unfinished = {"command": "redrive batch1 --failed", "at": NOW, "plan": ["publish"], "result": None}
    terminal.documents.commit([Set(path="operations/other", fields=unfinished)]).unwrap()
    terminal.published.messages.clear()

    terminal.type()

    assert {each.player_lookup for each in terminal.published.requests} == set(REFUSED)
