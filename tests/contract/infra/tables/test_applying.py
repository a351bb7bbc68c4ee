"""`infra/sql` applied to the BigQuery emulator: made once, never changed again, and the difference told."""

from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery

from common.sport import DatasetRole, Sport, SportNames
from infra.tables import cli
from infra.tables.applying import MissingDatasets, Warehouse, apply, plan
from infra.tables.statements import FOLDER, Kind, read

NAMES = SportNames(sport=Sport.MLB)


@pytest.fixture
def warehouse(bigquery_client: bigquery.Client) -> Warehouse:
    for role in DatasetRole:
        bigquery_client.create_dataset(NAMES.dataset(role), timeout=10)
    return Warehouse(client=bigquery_client, is_emulated=True)


def state(warehouse: Warehouse) -> dict[str, Any]:
    """All that the store tells of its tables but when they were last looked at."""
    return {
        name: (table.created, table.table_type, table.schema, table.time_partitioning, table.description)
        for role in DatasetRole
        for name, table in warehouse.tables(NAMES.dataset(role)).items()
        if table.table_type == "TABLE"
    }


def test_warehouse_is_made_whole_and_a_second_time_changes_no_table(warehouse: Warehouse) -> None:
    made = {each.table for each in read(FOLDER, NAMES) if each.kind in (Kind.TABLE, Kind.VIEW)}

    assert apply(warehouse, plan(warehouse, NAMES)) == []
    before = state(warehouse)
    assert apply(warehouse, plan(warehouse, NAMES)) == []

    assert made == {name for role in DatasetRole for name in warehouse.tables(NAMES.dataset(role))}
    assert state(warehouse) == before
    # The emulator does not tell what a view asks, so that it is replaced by itself.
    assert {each.what.partition(": ")[2] for each in plan(warehouse, NAMES)} == {"view is replaced"}
    _views_say_what_is_wrong(warehouse)


def _views_say_what_is_wrong(warehouse: Warehouse) -> None:
    predictions, log = NAMES.dataset(DatasetRole.PREDICTIONS), NAMES.dataset(DatasetRole.ORCHESTRATION)
    warehouse.run(
        f"INSERT INTO `{predictions}.player_prop_predictions` (prediction_id, system_id, player_lookup,"
        " game_date, game_id, prediction_version, predicted_points, confidence_score, recommendation,"
        " is_active, created_at)"
        " VALUES ('p1', 's', 'Ab', CURRENT_DATE(), 'g', 1, -1, 101, 'MAYBE', TRUE, CURRENT_TIMESTAMP()),"
        " ('p2', 's', 'ab', CURRENT_DATE(), 'g', 1, 0, 100, 'OVER', TRUE, CURRENT_TIMESTAMP())"
    )
    warehouse.run(
        f"INSERT INTO `{log}.processor_execution_log` (execution_id, processor_name, phase, game_date,"
        " started_at, status) VALUES"
        " ('e1', 'p', 5, '2026-01-17', TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR), 'failed'),"
        " ('e2', 'p', 5, '2026-01-17', CURRENT_TIMESTAMP(), 'success')"
    )

    broken = warehouse.run(f"SELECT prediction_id, rule FROM `{predictions}.v_validation_all_violations`")
    newest = warehouse.run(f"SELECT execution_id, status FROM `{log}.v_latest_processor_status`")
    days = warehouse.run(
        f"SELECT SUM(runs) AS runs, SUM(failed) AS failed FROM `{log}.v_daily_execution_summary`"
    )
    assert sorted(tuple(row.values()) for row in broken) == [
        ("p1", rule) for rule in ("confidence_score", "player_lookup", "predicted_points", "recommendation")
    ]
    assert [tuple(row.values()) for row in newest] == [("e2", "success")]
    assert [tuple(row.values()) for row in days] == [(2, 1)]


def test_datasets_that_are_not_there_are_named(bigquery_client: bigquery.Client) -> None:
    with pytest.raises(MissingDatasets, match=r"mlb_raw.*terraform apply"):
        plan(Warehouse(client=bigquery_client, is_emulated=True), NAMES)


def test_command_tells_what_it_would_do_does_it_and_leaves_the_rest(
    bigquery_client: bigquery.Client,
    bigquery_host: str,
    warehouse: Warehouse,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A folder with one table, which is there already with another type and without a column."""
    (tmp_path / "a.sql").write_text(
        'CREATE TABLE IF NOT EXISTS `{raw}.a` (x INT64, y STRING) OPTIONS (description = "A");\n'
    )
    monkeypatch.setattr("infra.tables.cli.FOLDER", tmp_path)
    warehouse.run('CREATE TABLE `mlb_raw.a` (x STRING) OPTIONS (description = "A")')
    command = ["--project", bigquery_client.project, "--sport", "mlb"]
    environment = {"BIGQUERY_EMULATOR_HOST": bigquery_host}

    status = cli.main([*command, "--dry-run"], environment)
    told = capsys.readouterr().out
    untouched = [field.name for field in warehouse.client.get_table("mlb_raw.a", timeout=10).schema]
    left = cli.main(command, environment)

    assert (status, left, untouched) == (1, 1, ["x"])
    assert "! mlb_raw.a: column x is STRING, not INT64" in told
    assert "+ mlb_raw.a: column y is missing\n    ALTER TABLE `mlb_raw.a` ADD COLUMN" in told
    assert warehouse.run("SELECT y FROM `mlb_raw.a`").total_rows == 0
