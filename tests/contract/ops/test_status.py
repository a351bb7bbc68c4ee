"""`status`: a query for each kind of thing, however many batches there are, and what each batch wants."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.batches.batches import Batches
from common.batches.opening import prepare
from common.batches.records import BatchStatus
from common.schema_mode import SchemaMode
from common.sport import ZONE
from ops.commands.day_batches import READ
from tests.support.batch_helpers import alter
from tests.support.firestore_proxy import FirestoreProxy
from tests.support.grpc_server import serving
from tests.support.ops_cli import ops

HOUR = timedelta(hours=1)
TODAY = datetime.now(ZONE).date()


@pytest.fixture
def environment(
    proxy: FirestoreProxy, pubsub_host: str, bigquery_host: str, project_id: str
) -> Mapping[str, str]:
    return {
        "GCP_PROJECT": project_id,
        "SPORT": "nba",
        "PUBSUB_EMULATOR_HOST": pubsub_host,
        "BIGQUERY_EMULATOR_HOST": bigquery_host,
    }


def opened_today(batches: Batches, *names: str, deadline: timedelta = HOUR) -> None:
    """Their documents alone."""
    writes = [
        prepare(
            batch_id=name,
            game_date=TODAY,
            expected_players=["amy", "bob"],
            mode=SchemaMode.SUBCOLLECTION,
            deadline=datetime.now(UTC) + deadline,
            min_completion_pct=95.0,
            correlation_id=None,
            dataset_prefix="",
        )
        .unwrap()
        .writes()[0]
        for name in names
    ]
    batches.store.documents.commit(writes).unwrap()


def asked(environment: Mapping[str, str], proxy: FirestoreProxy) -> tuple[Any, dict[str, int]]:
    """What `status` says, and what it asked of the store."""
    with serving(proxy) as host:
        said = ops({**environment, "FIRESTORE_EMULATOR_HOST": host}, "status", "-o", "json")
    return said.data, dict(proxy.calls)


def test_day_of_many_batches_costs_the_queries_of_an_empty_one(
    environment: Mapping[str, str], batches: Batches, proxy: FirestoreProxy
) -> None:
    opened_today(batches, *(f"b{number:03}" for number in range(READ)))

    data, calls = asked(environment, proxy)

    assert len(data["Batches"]["batches"]) == READ and data["Batches"]["is_whole"]
    # Boundaries and locks by their paths; batches, findings and dead letters by a query each.
    assert calls == {"BatchGetDocuments": 2, "RunQuery": 3}


def test_day_of_too_many_batches_tells_those_that_are_not_over(
    environment: Mapping[str, str], batches: Batches, proxy: FirestoreProxy
) -> None:
    opened_today(batches, *(f"b{number:03}" for number in range(READ)), "open")
    for number in range(3):
        alter(batches, batch_id=f"b{number:03}", status=BatchStatus.CONSOLIDATED.value)

    data, calls = asked(environment, proxy)

    assert calls["RunQuery"] == 4
    assert not data["Batches"]["is_whole"]
    assert "open" in data["Batches"]["batches"] and "b000" not in data["Batches"]["batches"]


def test_batch_that_wants_somebody_comes_first_with_its_explanation(
    environment: Mapping[str, str], batches: Batches, firestore_host: str
) -> None:
    opened_today(batches, "b1")
    opened_today(batches, "b2", deadline=-HOUR)

    said = ops({**environment, "FIRESTORE_EMULATOR_HOST": firestore_host}, "status")

    assert said.status == 1
    assert said.output.index("b2  ") < said.output.index("b1  ")
    assert "open 1 h 0 min past its deadline: 0 of 2 players have ended" in said.output
    assert "./ops/run explain b2" in said.output and "./ops/run explain b1" not in said.output
