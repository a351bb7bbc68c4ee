"""What a sample worker does with one request, and in which order."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest

from common.entrypoint.envelope import Delivery
from common.messages import PlayerCompletion, PlayerOutcome, PredictionRequest
from common.predictions.rows import Row
from common.result import ErrorInfo, Result
from common.staging.table_names import staging_table
from common.staging.writer import StagedWrite
from common.topics import Topic
from local.day.chaos import Disorder
from local.day.predicting import SYSTEMS, is_skipped
from local.day.worker import Worker

DELIVERY = Delivery(event_id="1")


class Stores:
    """A staging table and a topic; remembers what came, and in which order. Either may be broken."""

    def __init__(self, *, broken: str = "") -> None:
        self.story: list[str] = []
        self.completions: list[PlayerCompletion] = []
        self.waited: list[float] = []
        self._broken = broken

    def write(self, rows: Sequence[Row], batch_id: str, worker_id: str) -> Result[StagedWrite]:
        if self._broken == "staging":
            return Result.failure(ErrorInfo.transient("Unavailable", "staging is down"))
        self.story.append("staged")
        return Result.success(StagedWrite(table=staging_table(batch_id, worker_id), rows=len(rows)))

    def publish(self, topic: Topic, message: PlayerCompletion) -> Result[str]:
        if self._broken == "publishing":
            return Result.failure(ErrorInfo.transient("Unavailable", "Pub/Sub is down"))
        self.story.append("published")
        self.completions.append(message)
        return Result.success(str(len(self.completions)))


def worker(stores: Stores, disorder: Disorder | None = None) -> Worker:
    return Worker(
        worker_id="w1",
        writer=stores,
        publisher=stores,
        disorder=disorder or Disorder(),
        sleep=stores.waited.append,
    )


def request(player: str = "lebronjames") -> PredictionRequest:
    return PredictionRequest(
        batch_id="batch",
        player_lookup=player,
        game_date=date(2026, 1, 17),
        game_id="20260117_GAME01",
        timestamp=datetime(2026, 1, 17, 23, tzinfo=UTC),
    )


def skipped_player() -> str:
    return next(name for name in (f"player{number}" for number in range(1_000)) if is_skipped(name))


def test_a_player_is_reported_only_when_the_rows_are_staged() -> None:
    stores = Stores()

    assert worker(stores).handle(request(), DELIVERY).is_success

    assert stores.story == ["staged", "published"]
    [completion] = stores.completions
    assert completion.staging_table == staging_table("batch", "w1")
    assert completion.staged_rows == completion.predictions_generated == len(SYSTEMS)


def test_a_player_without_features_is_reported_as_skipped_and_stages_nothing() -> None:
    stores = Stores()

    worker(stores).handle(request(skipped_player()), DELIVERY).unwrap()

    assert stores.story == ["published"]
    assert stores.completions[0].outcome is PlayerOutcome.SKIPPED
    assert stores.completions[0].reason


@pytest.mark.parametrize("broken", ["staging", "publishing"])
def test_a_request_that_could_not_be_finished_comes_again(broken: str) -> None:
    stores = Stores(broken=broken)

    result = worker(stores).handle(request(), DELIVERY)

    assert result.is_failure and result.is_retryable
    assert not stores.completions


def test_a_second_delivery_reports_the_same() -> None:
    stores = Stores()

    worker(stores).handle(request(), DELIVERY)
    worker(stores).handle(request(), DELIVERY)

    assert stores.completions[0] == stores.completions[1]


def test_in_a_disorderly_run_the_report_is_published_twice_each_time_after_a_delay_of_its_own() -> None:
    stores = Stores()

    worker(stores, Disorder(duplicates=1, shuffle=True)).handle(request(), DELIVERY).unwrap()

    assert len(stores.completions) == 2
    assert len(set(stores.waited)) == 2
