"""What stands between a merge and its receipt: the proof, the lease at each step, the name of the job."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from google.cloud import firestore

from common.batches.records import BatchStatus
from common.consolidation.verification import NOT_VERIFIED
from common.lock.lock import Lock
from common.result import LOCK_LOST, Result
from common.warehouse.records import Rows
from common.warehouse.warehouse import Warehouse
from tests.support.batch_helpers import GAME_DATE
from tests.support.consolidation_stack import BATCH, TABLES, Stack
from tests.support.monotonic_clock import MonotonicClock
from tests.support.polling import eventually
from tests.support.prediction_rows import prediction

COMMIT = "COMMIT TRANSACTION;"
PLAYERS = {player: [prediction(player)] for player in ("ann", "ben")}
OF_ANN = f"WHERE game_date = DATE '{GAME_DATE}' AND player_lookup = 'ann'"


class Accompanied:
    """A warehouse for whose every statement a test may do something: before, instead of, or after it."""

    def __init__(
        self,
        warehouse: Warehouse,
        *,
        rewrite: Callable[[str], str] = lambda sql: sql,
        afterwards: Callable[[str], object] = lambda sql: None,
    ) -> None:
        self._warehouse = warehouse
        self._rewrite = rewrite
        self._afterwards = afterwards
        self.merge_jobs: list[str | None] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._warehouse, name)

    def execute(self, sql: str, *args: Any, **options: Any) -> Result[Rows]:
        if COMMIT in sql:
            self.merge_jobs.append(options.get("job_key"))
        done = self._warehouse.execute(self._rewrite(sql), *args, **options)
        self._afterwards(sql)
        return done


def right_after_the_commit(statement: str) -> Callable[[str], str]:
    return lambda sql: sql.replace(COMMIT, f"{COMMIT}\n{statement};")


def lock_state(stack: Stack) -> Any:
    return stack.lock_document()["state"]


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(f"DELETE FROM `{TABLES.main}` {OF_ANN}", id="a row is gone"),
        pytest.param(
            f"UPDATE `{TABLES.main}` SET created_at = TIMESTAMP_SUB(created_at, INTERVAL 1 HOUR) {OF_ANN}",
            id="a row is older than what was staged",
        ),
    ],
)
def test_no_receipt_while_the_main_table_does_not_hold_every_key_as_staged(
    stack: Stack, statement: str
) -> None:
    stack.play(PLAYERS)
    tables = stack.staging_tables()
    undone = Accompanied(stack.warehouse, rewrite=right_after_the_commit(statement))

    result = stack.make_consolidator(warehouse=undone).consolidate(BATCH, 1)

    assert result.error is not None
    assert (result.error.exception_class, result.is_retryable) == (NOT_VERIFIED, True)
    assert stack.receipts() == []
    assert stack.batches.get(BATCH).unwrap().status is BatchStatus.CONSOLIDATING
    assert set(tables) <= set(stack.staging_tables())


def test_work_that_takes_longer_than_the_lease_ends_well(stack: Stack) -> None:
    lease = timedelta(seconds=2)
    lock = Lock(stack.db, lease=lease, renew_every=lease / 10)
    stack.play(PLAYERS)

    def outlast_the_lease(sql: str) -> None:
        if COMMIT in sql:
            eventually(lambda: _held_for(stack) > lease)

    slow = Accompanied(stack.warehouse, afterwards=outlast_the_lease)
    receipt = stack.make_consolidator(warehouse=slow, lock=lock).consolidate(BATCH, 1).unwrap()

    assert receipt.keys_in_main == 2
    assert lock_state(stack) == "released"


@pytest.mark.parametrize(
    ("is_lost_after", "merged"),
    [
        pytest.param(lambda sql: COMMIT not in sql, [], id="before the merge"),
        pytest.param(lambda sql: COMMIT in sql, ["ann", "ben"], id="before the receipt"),
    ],
)
def test_a_lease_that_ends_meanwhile_stops_the_next_irreversible_step(
    stack: Stack, is_lost_after: Callable[[str], bool], merged: list[str]
) -> None:
    clock = MonotonicClock()
    lock = Lock(firestore.Client(project=stack.project), monotonic=clock)
    stack.play(PLAYERS)

    def pause(sql: str) -> None:
        if is_lost_after(sql):
            clock.now = 300.0

    paused = Accompanied(stack.warehouse, afterwards=pause)
    result = stack.make_consolidator(warehouse=paused, lock=lock).consolidate(BATCH, 1)

    assert result.error is not None
    assert (result.error.exception_class, result.is_retryable) == (LOCK_LOST, True)
    assert [row["player_lookup"] for row in stack.main_rows()] == merged
    assert stack.receipts() == []
    assert stack.batches.get(BATCH).unwrap().status is BatchStatus.CONSOLIDATING


def test_a_retry_asks_for_the_very_job_that_the_attempt_before_left(stack: Stack) -> None:
    stack.play(PLAYERS)
    listening = Accompanied(stack.warehouse)
    unproved = Accompanied(
        stack.warehouse, rewrite=right_after_the_commit(f"DELETE FROM `{TABLES.main}` {OF_ANN}")
    )

    failed = stack.make_consolidator(warehouse=unproved).consolidate(BATCH, 1)
    stack.make_consolidator(warehouse=listening).consolidate(BATCH, 1)

    assert failed.is_failure
    assert unproved.merge_jobs == listening.merge_jobs
    assert None not in listening.merge_jobs and len(listening.merge_jobs) == 1


def _held_for(stack: Stack) -> timedelta:
    """How far the renewals of the lock have come since it was acquired."""
    document = stack.lock_document()
    held: timedelta = document["renewed_at"] - document["acquired_at"]
    return held
