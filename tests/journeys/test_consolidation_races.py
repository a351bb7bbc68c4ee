"""Consolidations by real processes: one paused past its lease, and sixteen at once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from typing import Any

import pytest

from common.result import LOCK_HELD, Result
from tests.support.consolidation_stack import BATCH, TABLES, Stack
from tests.support.polling import eventually
from tests.support.prediction_rows import prediction
from tests.support.spoken_process import SpokenProcess

RACERS = 16
ROUNDS = 20
LEASE = timedelta(seconds=2)


Start = Callable[[str, timedelta], SpokenProcess]


@pytest.fixture
def stack(firestore_host: str, bigquery_host: str, project_id: str) -> Iterator[Stack]:
    stack = Stack(project_id, lease=LEASE).create_tables()
    yield stack
    stack.close()


@pytest.fixture
def start(stack: Stack) -> Iterator[Start]:
    with ExitStack() as running:

        def start_process(role: str, lease: timedelta) -> SpokenProcess:
            seconds = str(lease.total_seconds())
            process = SpokenProcess("tests.support.consolidation_process", role, stack.project, seconds)
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
    fences: dict[date, int] = {}

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
        fences[day] = stored["fence"]

    held = stack.rows_of_all_days(TABLES.fences)
    assert {row["game_date"]: row["fence"] for row in held} == fences
    assert len(held) == ROUNDS
    keys = [(row["game_date"], row["current_points_line"]) for row in stack.rows_of_all_days(TABLES.main)]
    assert len(keys) == len(set(keys)) == 2 * ROUNDS


def _success(result: Result[Any]) -> Any:
    return result.data
