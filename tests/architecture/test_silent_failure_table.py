"""The table of common/README.md: each silent failure of the former helpers has a row, a call and a proof."""

import ast
import importlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.support.source_tree import ROOT

README = ROOT / "common" / "README.md"

SILENT_FAILURES = (
    "bigquery_utils.execute_bigquery",
    "bigquery_utils.insert_bigquery_rows",
    "bigquery_utils.table_exists",
    "bigquery_utils.get_table_row_count",
    "bigquery_utils.execute_bigquery_with_params",
    "bigquery_utils.update_bigquery_rows",
    "verify_phase2_for_phase3.get_dates_with_data",
    "verify_phase2_for_phase3.get_expected_game_dates",
    "pubsub_client.publish_message",
    "pubsub_client.subscribe_to_messages (handler)",
    "pubsub_client.subscribe_to_messages",
    "pubsub_client.create_subscription",
    "distributed_lock._try_acquire",
    "batch_staging_writer.write_to_staging",
    "batch_staging_writer._check_for_duplicates",
    "batch_staging_writer.consolidate_batch",
    "batch_state_manager.record_completion",
    "missing_prediction_detector.detect_missing_predictions",
    "missing_prediction_detector._calculate_summary_stats",
    "checkpoint._load_state",
    "checkpoint._save_state",
    "metrics_utils.send_metric",
    "metrics_utils.create_metric_descriptor",
    "player_name_resolver.resolve_to_nba_name",
    "player_name_resolver.is_valid_nba_player",
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table."""

    formerly: str
    now: str
    proofs: tuple[tuple[str, str], ...]
    """Name of the test, and its file relative to the README."""


def _row(line: str) -> Row:
    formerly, _, now, _, proofs = (cell.strip() for cell in line.strip().strip("|").split(" | "))
    links = re.findall(r"\[`(\w+)`\]\(([^)]+)\)", proofs)
    return Row(formerly=formerly.replace("`", ""), now=now.strip("`"), proofs=tuple(links))


ROWS = [_row(line) for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]

each_row = pytest.mark.parametrize("row", ROWS, ids=[row.formerly for row in ROWS])


def test_every_silent_failure_has_its_row() -> None:
    assert [row.formerly for row in ROWS][: len(SILENT_FAILURES)] == list(SILENT_FAILURES)
    assert len({row.formerly for row in ROWS}) == len(ROWS)


@each_row
def test_the_call_to_make_instead_exists(row: Row) -> None:
    package = "" if row.now.startswith("functions.") else "common."

    assert callable(_named(package + row.now))


@each_row
def test_the_row_is_proved_by_tests_that_exist(row: Row) -> None:
    assert row.proofs
    for test, file in row.proofs:
        assert test in _tests((README.parent / file).resolve()), f"{file} has no {test}"


def _named(path: str) -> object:
    """The object at a dotted path: its module is the longest prefix that is a file."""
    parts = path.split(".")
    size = max(
        size for size in range(1, len(parts)) if ROOT.joinpath(*parts[:size]).with_suffix(".py").is_file()
    )
    found: object = importlib.import_module(".".join(parts[:size]))
    for part in parts[size:]:
        found = getattr(found, part)
    return found


@cache
def _tests(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))
