"""The deployed entry point, called as Pub/Sub calls it, on the emulators: with the gates' own SQL."""

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from google.cloud import bigquery, firestore, pubsub_v1

from common.maintenance.sweep_ticks import COLLECTION as SWEEPS
from common.messages import PhaseCompletion, Sweep
from common.phases.graph import GRAPHS
from common.result import ResultError
from common.settings import SettingsError
from common.sport import DatasetRole, Sport, SportNames
from common.topics import topic
from common.warehouse.warehouse import Warehouse
from local.day import phase_tables
from tests.support.deliveries import binary, pubsub_message, request
from tests.support.fresh_function import envelopes, listening, started, starting
from tests.support.phase_world import PRECOMPUTE, completion

MAIN = "functions.phase_transitions.main"
NBA = GRAPHS["nba"]
NAMES = SportNames(sport=Sport.NBA)
WOKEN_BY = topic("PHASE4_PRECOMPUTE_COMPLETE")
HEARD = topic("PREDICTIONS_TRIGGER")
TODAY = datetime.now(ZoneInfo("America/New_York")).date()
GAMES = ["game1", "game2"]


@pytest.fixture
def warehouse(bigquery_client: bigquery.Client) -> Warehouse:
    """The tables of every gate, empty."""
    for role in DatasetRole:
        bigquery_client.create_dataset(NAMES.dataset(role), timeout=30)
    warehouse = Warehouse(bigquery_client)
    phase_tables.create(warehouse, NAMES, phase_tables.tables_of(NBA))
    return warehouse


@pytest.fixture
def function(
    firestore_host: str, pubsub_host: str, bigquery_host: str, project_id: str
) -> Iterator[ModuleType]:
    with started(MAIN, project_id) as instance:
        yield instance


@pytest.fixture
def triggers(
    project_id: str,
    publisher_client: pubsub_v1.PublisherClient,
    subscriber_client: pubsub_v1.SubscriberClient,
) -> Callable[[], list[dict[str, Any]]]:
    read = listening(publisher_client, subscriber_client, project_id, HEARD, WOKEN_BY)
    return lambda: [json.loads(data) for data in read()]


async def deliver(function: ModuleType, message: PhaseCompletion | Sweep, envelope: Any, on: str) -> int:
    name = topic(on).name(Sport.NBA)
    headers, body = envelope(pubsub_message(message.to_json(), message_id=repr(message)[:40]))
    answer = await function.phase_transitions(request(headers, body, path=f"/projects/p/topics/{name}"))
    status: int = answer.status_code
    return status


def fill(warehouse: Warehouse, day: date) -> None:
    for table in phase_tables.tables_of(NBA):
        phase_tables.fill(warehouse, NAMES, table=table, game_date=day, games=GAMES)


@envelopes(WOKEN_BY)
async def test_processors_report_and_the_next_phase_is_started(
    function: ModuleType,
    firestore_client: firestore.Client,
    warehouse: Warehouse,
    triggers: Callable[[], list[dict[str, Any]]],
    envelope: Any,
) -> None:
    fill(warehouse, TODAY)

    sent = [completion(name, game_date=TODAY) for name in (*PRECOMPUTE, PRECOMPUTE[0])]
    statuses = [await deliver(function, each, envelope, WOKEN_BY.constant) for each in sent]

    [trigger] = triggers()
    day = firestore_client.document(f"phase4_completion/{TODAY}").get().to_dict() or {}
    assert statuses == [200] * 6
    assert trigger["dispatch_id"] == day["dispatch_id"] == f"nba-phase5-{TODAY}-1"
    assert trigger["table_row_counts"]["player_daily_cache"] == len(GAMES)
    assert (day["state"], day["trigger_reason"]) == ("dispatched", "all_complete")
    assert day["decision"]["gates"]["games_covered"]["value"] == 100


async def test_date_without_rows_is_blocked_and_its_events_are_acknowledged(
    function: ModuleType, firestore_client: firestore.Client, warehouse: Warehouse
) -> None:
    statuses = [
        await deliver(function, completion(name, game_date=TODAY), binary_on_phase_4, WOKEN_BY.constant)
        for name in PRECOMPUTE
    ]

    day = firestore_client.document(f"phase4_completion/{TODAY}").get().to_dict() or {}
    assert statuses == [200] * 5
    assert day["state"] == "blocked"
    assert "player_daily_cache, ml_feature_store_v2 without enough rows" in day["decision"]["reason"]


def binary_on_phase_4(message: object) -> tuple[dict[str, str], bytes]:
    return binary(message, topic=WOKEN_BY.name(Sport.NBA))


async def test_gates_that_cannot_be_evaluated_let_the_event_come_again(
    function: ModuleType, firestore_client: firestore.Client
) -> None:
    """There is no dataset: whatever the reason, that is neither open nor closed."""
    for name in PRECOMPUTE[:-1]:
        await deliver(function, completion(name, game_date=TODAY), binary_on_phase_4, WOKEN_BY.constant)

    with pytest.raises(ResultError, match="GateNotEvaluated"):
        last = completion(PRECOMPUTE[-1], game_date=TODAY)
        await deliver(function, last, binary_on_phase_4, WOKEN_BY.constant)

    day = firestore_client.document(f"phase4_completion/{TODAY}").get().to_dict() or {}
    assert day["state"] == "ready"
    assert "could not be evaluated" in day["decision"]["reason"]


async def test_completion_of_another_phase_becomes_a_dead_letter(
    function: ModuleType,
    firestore_client: firestore.Client,
    triggers: Callable[[], list[dict[str, Any]]],
) -> None:
    strange = completion("player_game_summary", phase=3, game_date=TODAY)

    status = await deliver(function, strange, binary_on_phase_4, WOKEN_BY.constant)

    [letter] = firestore_client.collection("dead_letters").get()
    assert status == 200
    assert "phase_3_analytics" in letter.get("reason")


async def test_sweep_wakes_the_same_function_and_leaves_its_heartbeat(
    function: ModuleType, firestore_client: firestore.Client, warehouse: Warehouse
) -> None:
    def on_sweep(message: object) -> tuple[dict[str, str], bytes]:
        return binary(message, topic=topic("PHASE_SWEEP").name(Sport.NBA))

    status = await deliver(function, Sweep(), on_sweep, "PHASE_SWEEP")

    tick = firestore_client.collection(SWEEPS).document("phase_transitions").get().to_dict() or {}
    assert status == 200
    assert tick["missed"] == 0 and isinstance(tick["last_run"], datetime)


def test_clock_is_not_to_be_hurried_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GCP_PROJECT", "p")
    monkeypatch.setenv("PHASE_CLOCK_SPEED", "60")

    with starting(MAIN) as start, pytest.raises(SettingsError, match="a minute is a minute"):
        start()
