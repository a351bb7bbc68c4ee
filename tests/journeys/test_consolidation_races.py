"""Consolidations by real processes: one paused past its lease, and sixteen at once."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.duplicates import duplicates
from common.result import LOCK_HELD, Result
from tests.support.consolidation_stack import BATCH, TABLES, Stack
from tests.support.polling import eventually
from tests.support.prediction_rows import prediction

RACERS = 16
ROUNDS = 20
LEASE = timedelta(seconds=2)


class Process:
    """A consolidating process, spoken to in lines."""

    def __init__(self, role: str, project: str, lease: timedelta) -> None:
        module = "tests.support.consolidation_process"
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, role, project, str(lease.total_seconds())],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """The next line that is JSON and not a log's."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise AssertionError(f"the process has ended: {self._process.wait()}")

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


Start = Callable[[str, timedelta], Process]


@pytest.fixture
def stack(firestore_host: str, bigquery_host: str, project_id: str) -> Iterator[Stack]:
    stack = Stack(project_id, lease=LEASE).create_tables()
    yield stack
    stack.close()


@pytest.fixture
def start(stack: Stack) -> Iterator[Start]:
    with ExitStack() as running:

        def start_process(role: str, lease: timedelta) -> Process:
            process = Process(role, stack.project, lease)
            running.callback(process.end)
            return process

        yield start_process


def test_a_holder_paused_past_its_lease_wakes_up_and_merges_nothing(stack: Stack, start: Start) -> None:
    stack.play({player: [prediction(player)] for player in ("a", "b")})
    zombie = start("zombie", LEASE)
    assert zombie.hear() == {"ready": True}

    zombie.say(BATCH)
    assert zombie.hear() == {"about_to": "merge"}
    zombie.send(signal.SIGSTOP)
    receipt = eventually(lambda: _success(stack.consolidate()))
    # What the zombie would put back if it could: else its merge would change nothing in any case.
    stack.warehouse.execute(f"DELETE FROM `{TABLES.main}` WHERE player_lookup = 'a'").unwrap()
    before = stack.main_rows()
    zombie.send(signal.SIGCONT)
    zombie.say("go on")

    assert zombie.hear() == {"error": "LockLost"}
    assert stack.main_rows() == before
    assert [row["player_lookup"] for row in before] == ["b"]
    assert stack.fences() == [receipt.fence]
    assert [one["fence"] for one in stack.receipts()] == [receipt.fence]
    assert receipt.fence > 1


def test_sixteen_processes_consolidate_each_batch_exactly_once(stack: Stack, start: Start) -> None:
    racers = [start("racer", timedelta(seconds=300)) for _ in range(RACERS)]
    for racer in racers:
        racer.hear()

    for number in range(ROUNDS):
        day, batch_id = date(2026, 1, 1) + timedelta(days=number), f"batch{number}"
        rows = [prediction("a", game_date=day), prediction("a", game_date=day, current_points_line=None)]
        stack.play({"a": rows}, batch_id=batch_id, game_date=day)

        for racer in racers:
            racer.say(batch_id)
        answers = [racer.hear() for racer in racers]

        receipts = [answer for answer in answers if "fence" in answer]
        [stored] = stack.receipts(batch_id)
        assert receipts
        assert all(answer == receipts[0] for answer in receipts)
        assert {answer["error"] for answer in answers if "error" in answer} <= {LOCK_HELD}
        assert receipts[0] == {"fence": stored["fence"], "rows_inserted": 2}
        assert stack.fences(day) == [stored["fence"]]
        assert len(stack.main_rows(day)) == 2
        assert duplicates(stack.warehouse, TABLES, day).unwrap() == []


def _success(result: Result[Any]) -> Any:
    return result.data
