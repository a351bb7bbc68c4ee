"""The deployed entry point, called as Pub/Sub calls it, on the emulators."""

import json
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from google.cloud import pubsub_v1

from common.batches.records import BatchStatus
from common.messages import BatchComplete, PhaseCompletion, PlayerOutcome
from common.settings import SettingsError
from common.sport import Sport
from common.topics import PHASE5_PREDICTIONS_COMPLETE, PREDICTION_BATCH_COMPLETE
from tests.support.batch_helpers import GAME_DATE
from tests.support.consolidation_stack import BATCH, LOCK_KEY, Stack
from tests.support.deliveries import Headers, binary, pubsub_message, request
from tests.support.fresh_function import envelopes, listening, started, starting
from tests.support.prediction_rows import prediction

MAIN = "functions.consolidation_trigger.main"
TRIGGER = BatchComplete(batch_id=BATCH, game_date=GAME_DATE, generation=1)


def delivered() -> tuple[Headers, bytes]:
    return binary(pubsub_message(TRIGGER.to_json()), topic=PREDICTION_BATCH_COMPLETE.name(Sport.NBA))


Announcements = Callable[[], list[PhaseCompletion]]


@pytest.fixture
def function(
    firestore_host: str, pubsub_host: str, bigquery_host: str, project_id: str
) -> Iterator[ModuleType]:
    with started(MAIN, project_id) as instance:
        yield instance


@pytest.fixture
def announcements(
    project_id: str,
    publisher_client: pubsub_v1.PublisherClient,
    subscriber_client: pubsub_v1.SubscriberClient,
) -> Announcements:
    """Reads what was announced since the test began."""
    read = listening(
        publisher_client,
        subscriber_client,
        project_id,
        PHASE5_PREDICTIONS_COMPLETE,
        PREDICTION_BATCH_COMPLETE,
    )
    return lambda: [PhaseCompletion.parse(data).unwrap() for data in read()]


async def call(function: ModuleType, headers: Headers, body: bytes) -> int:
    status: int = (await function.consolidation_trigger(request(headers, body))).status_code
    return status


@envelopes(PREDICTION_BATCH_COMPLETE)
async def test_a_trigger_consolidates_its_batch_and_announces_it_once(
    function: ModuleType, stack: Stack, announcements: Announcements, envelope: Any
) -> None:
    rows = {player: [prediction(player), prediction(player, system_id="similarity")] for player in ("a", "b")}
    stack.open([*rows, "skipped"])
    for player, own in rows.items():
        await stack.complete_within(player, stack.stage(own, worker=player))
    await stack.complete_within("skipped", outcome=PlayerOutcome.SKIPPED)

    statuses = [
        await call(function, *envelope(pubsub_message(TRIGGER.to_json(), message_id=f"delivery-{n}")))
        for n in range(2)
    ]

    assert statuses == [200, 200]
    assert len(stack.main_rows()) == 4
    assert stack.staging_tables() == []
    assert stack.batches.get(BATCH).unwrap().status is BatchStatus.CONSOLIDATED
    [message] = announcements()
    assert message.metadata is not None
    assert (message.status.value, message.record_count) == ("success", 4)
    assert (message.metadata["skipped_players"], message.metadata["completion_pct"]) == (1, 100.0)
    assert message.execution_id == f"{BATCH}-1"


async def test_a_held_day_is_asked_for_again_quietly(
    function: ModuleType, stack: Stack, announcements: Announcements
) -> None:
    stack.open([])
    lease = stack.lock.try_acquire(LOCK_KEY, "another").unwrap()

    while_held = await call(function, *delivered())
    lease.release().unwrap()
    afterwards = await call(function, *delivered())

    assert (while_held, afterwards) == (503, 200)
    assert [message.status.value for message in announcements()] == ["no_data"]


async def test_a_trigger_whose_rows_are_lost_becomes_a_dead_letter_that_names_them(
    function: ModuleType, stack: Stack, announcements: Announcements
) -> None:
    stack.open(["a"])
    staged = stack.stage([prediction("a")])
    await stack.complete_within("a", staged, staged_rows=2)

    status = await call(function, *delivered())

    assert status == 200
    [letter] = stack.db.collection("dead_letters").get()
    assert f"{staged.table}: a: 2 rows claimed, 1 found" in letter.get("reason")
    assert json.loads(letter.get("data"))["batch_id"] == BATCH
    assert stack.main_rows() == []


async def test_a_batch_that_nobody_opened_is_waited_for(function: ModuleType, stack: Stack) -> None:
    assert await call(function, *delivered()) == 503


@pytest.mark.parametrize(
    ("name", "value"),
    [("MAXIMUM_BYTES_BILLED", "lots"), ("LOCK_LEASE_SECONDS", "1")],
)
def test_an_unusable_setting_stops_the_function_at_its_start(
    project_id: str, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("GCP_PROJECT", project_id)
    monkeypatch.setenv(name, value)

    with starting(MAIN) as start, pytest.raises(SettingsError, match=name):
        start()
