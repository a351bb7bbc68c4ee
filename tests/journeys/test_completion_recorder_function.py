"""The deployed entry point, called as Pub/Sub calls it, on the emulators."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from google.cloud import firestore, pubsub_v1

from common.batches.batches import Batches
from common.batches.records import BatchStatus, Counts
from common.documents.store import FirestoreDocuments
from common.messages import Sweep
from common.result import ResultError
from common.settings import SettingsError
from common.sport import Sport
from common.topics import PHASE_SWEEP, PREDICTION_BATCH_COMPLETE, PREDICTION_READY
from tests.support.batch_helpers import DEADLINE, GAME_DATE, completion, names
from tests.support.deliveries import Headers, binary, pubsub_message, request
from tests.support.fresh_function import envelopes, listening, started, starting

MAIN = "functions.completion_recorder.main"


@pytest.fixture
def function(firestore_host: str, pubsub_host: str, project_id: str) -> Iterator[ModuleType]:
    with started(MAIN, project_id) as instance:
        yield instance


@pytest.fixture
def batches(firestore_client: firestore.Client) -> Batches:
    return Batches(FirestoreDocuments(firestore_client))


@pytest.fixture
def triggers(
    project_id: str,
    publisher_client: pubsub_v1.PublisherClient,
    subscriber_client: pubsub_v1.SubscriberClient,
) -> Callable[[], list[dict[str, Any]]]:
    """Reads the triggers that were published since the test began."""
    read = listening(
        publisher_client, subscriber_client, project_id, PREDICTION_BATCH_COMPLETE, PREDICTION_READY
    )
    return lambda: [json.loads(data) for data in read()]


async def call(function: ModuleType, headers: Headers, body: bytes) -> int:
    status: int = (await function.completion_recorder(request(headers, body))).status_code
    return status


@envelopes(PREDICTION_READY)
async def test_completions_are_recorded_and_the_last_one_triggers_the_consolidation(
    function: ModuleType, batches: Batches, triggers: Callable[[], list[dict[str, Any]]], envelope: Any
) -> None:
    batches.open("batch1", GAME_DATE, names(2), deadline=DEADLINE).unwrap()

    statuses = [
        await call(function, *envelope(pubsub_message(completion(name).to_json(), message_id=name)))
        for name in (*names(2), "player00001")
    ]

    assert statuses == [200, 200, 200]
    batch = batches.get("batch1").unwrap()
    assert (batch.status, batch.counts) == (BatchStatus.COMPLETE, Counts(completed=2))
    assert triggers() == [{"batch_id": "batch1", "game_date": "2026-01-17", "generation": 1}]
    assert batch.trigger_message_id is not None


GOOD = completion("a").to_json()
BAD = [
    pytest.param(b"no json", "body", id="unreadable body"),
    pytest.param(b'{"batch_id": "batch1"}', "player_lookup", id="missing field"),
    pytest.param(GOOD.replace(b":5", b':"5"'), "predictions_generated", id="wrong type"),
    pytest.param(
        completion("a").to_json().replace(b":5", b":-5"), "predictions_generated", id="negative count"
    ),
    pytest.param(GOOD.replace(b"-17", b"-18"), "game_date", id="another date"),
    pytest.param(b"", "message.data", id="attributes only"),
]


@pytest.mark.parametrize(("body", "field"), BAD)
async def test_poison_becomes_a_dead_letter_that_names_the_field(
    function: ModuleType,
    batches: Batches,
    firestore_client: firestore.Client,
    triggers: Callable[[], list[dict[str, Any]]],
    body: bytes,
    field: str,
) -> None:
    batches.open("batch1", GAME_DATE, ["a"], deadline=DEADLINE).unwrap()
    before = batches.get("batch1").unwrap()

    status = await call(function, *binary(pubsub_message(body, attributes={"sport": "nba"})))

    assert status == 200
    [letter] = firestore_client.collection("dead_letters").get()
    assert field in letter.get("reason")
    assert batches.get("batch1").unwrap() == before


async def test_completion_of_an_unknown_batch_is_retried_quietly_and_dead_lettered_after_a_day(
    function: ModuleType,
    firestore_client: firestore.Client,
    triggers: Callable[[], list[dict[str, Any]]],
) -> None:
    body = completion("a").to_json()
    old = datetime.now(UTC) - timedelta(hours=24, seconds=1)

    young = await call(function, *binary(pubsub_message(body)))
    too_old = await call(function, *binary(pubsub_message(body, published_at=old)))

    assert (young, too_old) == (503, 200)
    [letter] = firestore_client.collection("dead_letters").get()
    assert letter.get("reason").startswith("publishTime:")


async def test_player_whom_nobody_expects_is_kept_and_acknowledged(
    function: ModuleType, batches: Batches
) -> None:
    batches.open("batch1", GAME_DATE, ["a"], deadline=DEADLINE).unwrap()

    status = await call(function, *binary(pubsub_message(completion("stranger").to_json())))

    assert status == 200
    assert batches.progress("batch1").unwrap().unexpected == ("stranger",)


async def test_trigger_that_cannot_be_published_is_delivered_again(
    function: ModuleType, batches: Batches, publisher_client: pubsub_v1.PublisherClient, project_id: str
) -> None:
    """The topic is missing at first: the completion counts, and its redelivery publishes."""
    batches.open("batch1", GAME_DATE, ["a"], deadline=DEADLINE).unwrap()
    delivery = binary(pubsub_message(completion("a").to_json()))
    broken = await _status_or_error(function, delivery)
    counted = batches.get("batch1").unwrap()

    for name in (PREDICTION_BATCH_COMPLETE.name(Sport.NBA), PREDICTION_READY.dead_letter_name(Sport.NBA)):
        publisher_client.create_topic(name=f"projects/{project_id}/topics/{name}")
    again = await _status_or_error(function, delivery)

    assert (broken, again) == ("raised", 200)
    assert (counted.status, counted.owes_trigger) == (BatchStatus.COMPLETE, True)
    assert not batches.get("batch1").unwrap().owes_trigger


async def _status_or_error(function: ModuleType, delivery: tuple[Headers, bytes]) -> int | str:
    try:
        return await call(function, *delivery)
    except ResultError:
        return "raised"


def test_cold_start_without_settings_names_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPORT", "cricket")
    monkeypatch.setenv("DUAL_WRITE_MODE", "perhaps")

    with starting(MAIN) as start, pytest.raises(SettingsError) as stopped:
        start()

    assert all(name in str(stopped.value) for name in ("GCP_PROJECT", "SPORT", "DUAL_WRITE_MODE"))


async def test_tick_of_the_sweep_closes_what_is_overdue_and_is_noted(
    function: ModuleType,
    batches: Batches,
    firestore_client: firestore.Client,
    triggers: Callable[[], list[dict[str, Any]]],
) -> None:
    long_ago = datetime.now(UTC) - timedelta(minutes=1)
    batches.open("batch1", GAME_DATE, names(2), deadline=long_ago, min_completion_pct=0).unwrap()
    tick = pubsub_message(Sweep().to_json())

    statuses = [
        await call(function, *binary(tick, topic=PHASE_SWEEP.name(Sport.NBA), event_id=f"tick-{number}"))
        for number in range(2)
    ]

    assert statuses == [200, 200]
    batch = batches.get("batch1").unwrap()
    assert (batch.status, batch.counts) == (BatchStatus.PARTIAL, Counts(timed_out=2))
    assert [each["batch_id"] for each in triggers()] == ["batch1"]
    noted = firestore_client.document("sweeps/completion_recorder").get().to_dict() or {}
    assert noted["missed"] == 0 and noted["last_run"] > long_ago
