"""What a pipeline of other definitions has to be able to do. Run in a copy of the tree that has them, by
`tests/contract/test_second_pipeline.py`; pytest does not collect it by itself."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlglot

from common.audit.rule_sql import rules_statement
from common.batches.batches import Batches
from common.batches.records import BatchStatus
from common.batches.trigger_outbox import TriggerOutbox
from common.consolidation import merge_sql
from common.consolidation.merge_sql import Slice, Tables
from common.documents.memory_store import AsyncMemoryDocuments, MemoryDocuments
from common.lock.rules import LockKey
from common.maintenance.requests import Requests
from common.messages import BatchComplete, Message, MessageStatus, Phase, PhaseCompletion, PlayerCompletion
from common.phases.days import Days
from common.phases.decision import Open, PhaseState
from common.phases.gates import Gates
from common.phases.graph import GRAPHS
from common.phases.mode import Mode, mode_of
from common.phases.records import Report
from common.phases.report_rules import processor_of
from common.phases.rules import decide, readiness
from common.phases.trigger import trigger_of
from common.predictions import schema_check
from common.predictions.rows import encode
from common.predictions.table import BY_NAME, COLUMNS, ITEM, KEY, TABLE
from common.recorder.recorder import Recorder
from common.result import Result
from common.sport import DatasetRole, Sport, SportNames
from common.topics import REGISTRY, Topic, by_name
from common.warehouse.records import Rows
from functions.completion_recorder.handler import handle
from infra.tables.declared import declared
from infra.tables.statements import Kind, read

ROOT = Path(__file__).resolve().parents[1]
DAY = date(2026, 1, 17)
NOW = datetime(2026, 1, 17, 2, tzinfo=UTC)
STORES = Sport("stores")
NAMES = SportNames(sport=STORES)
TABLES = Tables(predictions=NAMES.dataset(DatasetRole.PREDICTIONS))
CHAIN = ("Store 0042 North", "Store 0043")
BASKETBALL = re.compile(r"nba|player_prop|game_id|system_id|points|current_points_line|universal_player_id")


class Warehouse:
    """Every count is 10; a question for rows is answered with what it was given."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = rows
        self.asked: list[str] = []

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[Rows]:
        sqlglot.parse_one(sql, dialect="bigquery")
        self.asked.append(sql)
        counts = [{"label": each, "number": 10} for each in re.findall(r"'([^']+)' AS label", sql)]
        found = [*self.rows, *counts]
        return Result.success(Rows(rows=found, job_id="j", bytes_processed=0, affected_rows=None))


class Published:
    def __init__(self) -> None:
        self.sent: list[tuple[str, Message]] = []

    def publish(self, topic: Topic, message: Message) -> Result[str]:
        self.sent.append((topic.name(STORES), message))
        return Result.success(f"message-{len(self.sent)}")


class NoChecks:
    async def run(self, batch_id: str) -> None:
        return


def forecast(**fields: Any) -> dict[str, Any]:
    known = {"forecast_id": "f1", "store_key": "store-0043", "sku": "4711", "sales_day": DAY, "units": 12.5}
    return {**known, "computed_at": NOW, **fields}


def test_names_and_topics_are_those_of_the_pipeline() -> None:
    topic, sport = by_name("stores-forecast-ready")
    lock = LockKey(lock_type="consolidation", game_date=DAY, sport="stores", dataset_prefix="dev")

    assert (topic, sport) == (REGISTRY["PREDICTION_READY"], STORES)
    assert NAMES.dataset(DatasetRole.PREDICTIONS) == "stores_predictions"
    assert lock.document_id == "dev_stores_consolidation_2026-01-17"


def test_statements_of_the_consolidation_merge_this_table_by_this_key() -> None:
    slices = (Slice(table="_staging_b1_w1", players=("store-0042-north",)),)
    merge = merge_sql.merge_script(
        TABLES, "_gathered", has_repeated_keys=True, lock_key="k", fence=1, game_date=DAY, now=NOW
    )
    statements = [
        merge_sql.gather(TABLES, slices, "_gathered", NOW),
        merge_sql.gather_more(TABLES, slices, "_gathered"),
        merge_sql.count(TABLES, "_gathered", DAY),
        merge_sql.duplicates(TABLES, DAY),
        merge,
    ]

    for statement in statements:
        assert sqlglot.parse(statement, dialect="bigquery")
        assert not BASKETBALL.search(statement)
    assert "store_key IN ('store-0042-north') AS is_claimed" in statements[0]
    assert "T.sales_day = DATE '2026-01-17'" in merge
    assert "T.promotion IS NOT DISTINCT FROM S.promotion" in merge
    assert all(f"{column.name}" in merge for column in COLUMNS)


@pytest.mark.parametrize(
    ("fields", "column"),
    [
        ({"units": -1}, "units"),
        ({"units": 1.234}, "units"),
        ({"weather": "HAIL"}, "weather"),
        ({"store_key": "Store 0043"}, "store_key"),
        ({"sku": ""}, "sku"),
        ({"predicted_points": 20}, "predicted_points"),
    ],
)
def test_row_that_breaks_a_rule_is_refused_with_its_column(fields: dict[str, Any], column: str) -> None:
    refused = encode([forecast(**fields)])

    assert refused.error is not None and f"row 0: {column}: " in refused.error.message


def test_sound_row_is_encoded_and_the_audit_looks_for_the_same_rules() -> None:
    statement = rules_statement(TABLES)

    [row] = encode([forecast(weather="RAIN", drivers=["rain"])]).unwrap()

    assert row.keys() == BY_NAME.keys()
    assert (row["units"], row["is_open"], row["merged_at"]) == ("12.50", True, None)
    sqlglot.parse_one(statement, dialect="bigquery")
    assert "WHEN NOT (units >= 0) THEN 'units 0 or more'" in statement
    assert "'weather one of the known'" in statement
    assert not BASKETBALL.search(statement)


def test_ddl_has_the_columns_of_the_definition_and_a_difference_is_told_by_name() -> None:
    [table] = [each for each in read(ROOT / "infra/sql", NAMES) if each.table == f"{TABLES.main}"]
    made = declared(table)
    found = {name: column.type for name, column in made.columns.items()}

    assert table.kind is Kind.TABLE
    assert (made.partitioned_by, made.clustered_by) == ("sales_day", ("store_key", "sku"))
    assert schema_check.check({TABLE: found}).is_success
    differs = schema_check.check({TABLE: {**found, "units": "FLOAT64"}})
    assert differs.error is not None and f"{TABLE}.units: FLOAT64, not NUMERIC" in differs.error.message


def test_item_is_part_of_the_key() -> None:
    assert ITEM in KEY


def test_phase_starts_when_its_processors_and_its_gates_say_so() -> None:
    graph, warehouse = GRAPHS["stores"], Warehouse()
    sales = graph.boundaries[0]
    days, gates = Days(MemoryDocuments(lambda: NOW), graph.sport), Gates(lambda: warehouse, NAMES.dataset)

    def report(published_as: str, **metadata: Any) -> None:
        sent = PhaseCompletion(
            processor_name=published_as,
            phase=Phase.RAW,
            execution_id="run",
            game_date=DAY,
            status=MessageStatus.SUCCESS,
        )
        processor = processor_of(sales, sent)
        assert processor is not None
        ended = Report(
            processor=processor,
            processor_name=published_as,
            status=sent.status,
            execution_id="run",
            event_id=f"event {processor}",
            recorded_at=NOW,
            first_recorded_at=NOW,
            sent_at=None,
            record_count=None,
            correlation_id=None,
            metadata=metadata,
        )
        days.record(sales, DAY, ended).unwrap()

    report("store_sales", entities_changed=["store-0043"])
    waits = readiness(sales, days.read(sales, DAY).unwrap(), NOW)
    late = readiness(sales, days.read(sales, DAY).unwrap(), NOW + timedelta(minutes=30))
    report("WeatherForecastProcessor")
    day = days.read(sales, DAY).unwrap()
    ready = readiness(sales, day, NOW)
    readings = gates.evaluate(sales, ready.rules.gates, day, NOW).unwrap()
    decision = decide(sales, day, ready, gates=readings, now=NOW)
    trigger = trigger_of(sales, day, decision, reason=decision.reason, now=NOW)

    assert (waits.is_ready, late.reason, ready.reason) == (False, "without_weather", "all_complete")
    assert [type(reading) for reading in readings] == [Open]
    assert "`stores_raw.store_sales`" in warehouse.asked[0] and "`sales_day`" in warehouse.asked[0]
    assert decision.state is PhaseState.DISPATCHING
    assert trigger.model_dump()["entities_changed"] == {"stores": ("store-0043",)}
    assert [each.next_phase for each in graph.from_phase(5)] == [5, 6]
    # Half past eleven at night in Greenwich is tomorrow in Berlin.
    assert mode_of(DAY, datetime(2026, 1, 16, 23, 30, tzinfo=UTC)) is Mode.SAME_DAY


async def test_batch_is_opened_recorded_closed_and_triggered_once() -> None:
    documents = MemoryDocuments(lambda: NOW)
    batches, published = Batches(documents), Published()
    recorder = Recorder(AsyncMemoryDocuments(documents), batches)
    outbox = TriggerOutbox(batches.store, lambda: published)
    batches.open("b1", DAY, CHAIN, deadline=NOW + timedelta(hours=2)).unwrap()

    for store in (*CHAIN, *CHAIN):
        body = {"batch_id": "b1", "player_lookup": store, "game_date": "2026-01-17"}
        done = PlayerCompletion.model_validate({**body, "predictions_generated": 3}, strict=False)
        answer = await handle(done, f"event {store}", recorder=recorder, outbox=outbox, checks=NoChecks())
        answer.unwrap()

    batch = batches.get("b1").unwrap()
    assert (batch.status, batch.total_predictions) == (BatchStatus.COMPLETE, 6)
    assert {one.player_lookup for one in batches.completions("b1").unwrap()} == {
        "store-0042-north",
        "store-0043",
    }
    assert published.sent == [
        ("stores-forecast-batch-complete", BatchComplete(batch_id="b1", game_date=DAY, generation=1))
    ]


def test_what_is_missing_is_asked_for_again_from_the_table_of_the_definition() -> None:
    documents = MemoryDocuments(lambda: NOW)
    batch = Batches(documents).open("b1", DAY, CHAIN, deadline=NOW).unwrap()
    warehouse = Warehouse({"player_lookup": "store-0043", "game_id": "assortment-7"})

    request = Requests(warehouse, NAMES).of(batch, ["store-0043"]).unwrap()(batch, "store-0043")

    assert request.game_id == "assortment-7"
    assert "`stores_analytics.stores_of_the_day`" in warehouse.asked[0]
    assert "ANY_VALUE(assortment_id HAVING MAX planned_at)" in warehouse.asked[0]
