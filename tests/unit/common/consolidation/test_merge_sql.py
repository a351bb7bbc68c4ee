"""The consolidation's SQL: as it stands in the golden files, as BigQuery's grammar, and safe for NULL keys.

After a wanted change run this file with UPDATE_GOLDEN=1 in the environment, and read the diff.
"""

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from common.consolidation import merge_sql
from common.consolidation.merge_sql import Answer, Slice, Tables
from common.predictions.table import BY_NAME, COLUMNS, KEY, PARTITION_COLUMN, TABLE

GOLDEN = Path(__file__).with_name("golden")
TABLES = Tables(predictions="nba_predictions")
DAY = date(2026, 1, 17)
NOW = datetime(2026, 1, 17, 23, 0, 0, 123456, tzinfo=UTC)
GATHERED = "_gathered_b1_1_7"
SLICES = (
    Slice(table="_staging_b1_w1", players=("jaysontatum", "lebronjames")),
    Slice(table="_staging_b1_w2", players=("stephencurry",)),
)
ANSWERS = [
    Answer(staging_table=table, player_lookup=player, answered_at=NOW, found_rows=5)
    for table, player in [
        ("_staging_b1_w1", "jaysontatum"),
        ("_staging_b1_w1", "lebronjames"),
        ("_staging_b1_w2", "stephencurry"),
    ]
]


def merge_script(*, has_repeated_keys: bool) -> str:
    return merge_sql.merge_script(
        TABLES,
        GATHERED,
        has_repeated_keys=has_repeated_keys,
        lock_key="consolidation_2026-01-17",
        fence=7,
        game_date=DAY,
        now=NOW,
    )


STATEMENTS: Mapping[str, str] = {
    "gather": merge_sql.gather(TABLES, SLICES, GATHERED, NOW),
    "gather_more": merge_sql.gather_more(TABLES, SLICES, GATHERED),
    "count": merge_sql.count(TABLES, GATHERED, DAY),
    "answers": merge_sql.answers(TABLES, GATHERED),
    "staged_answers": merge_sql.staged_answers(TABLES, SLICES),
    "leave_out": merge_sql.leave_out(TABLES, GATHERED, ANSWERS),
    "merge": merge_script(has_repeated_keys=True),
    "contradicting": merge_sql.contradicting(TABLES, GATHERED, DAY),
    "duplicates": merge_sql.duplicates(TABLES, DAY),
}


def _parsed(name: str) -> list[exp.Expr]:
    return [one for one in sqlglot.parse(STATEMENTS[name], dialect="bigquery") if one is not None]


@pytest.mark.parametrize("name", STATEMENTS)
def test_the_statement_is_as_it_was(name: str) -> None:
    file = GOLDEN / f"{name}.sql"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(STATEMENTS[name].rstrip("\n") + "\n", encoding="utf-8")

    assert STATEMENTS[name].rstrip("\n") + "\n" == file.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    assert {file.stem for file in GOLDEN.glob("*.sql")} == set(STATEMENTS)


@pytest.mark.parametrize("name", STATEMENTS)
def test_the_statement_is_bigquery_sql(name: str) -> None:
    parsed = _parsed(name)

    assert parsed
    # What sqlglot does not understand it keeps as a command; only the transaction's end may be one.
    assert all(not isinstance(one, exp.Command) for one in parsed)


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_nullable_key_is_compared_with_an_equals_sign(name: str) -> None:
    assert [found for statement in _parsed(name) for found in _unsafe_comparisons(statement)] == []


def test_the_rule_of_the_equals_sign_can_fail() -> None:
    joined = sqlglot.parse_one("SELECT 1 FROM a JOIN b ON a.current_points_line = b.current_points_line")

    assert _unsafe_comparisons(joined) == ["a.current_points_line = b.current_points_line"]


def _unsafe_comparisons(statement: exp.Expr) -> list[str]:
    nullable = {column for column in KEY if BY_NAME[column].is_nullable}
    return [
        equals.sql("bigquery")
        for equals in statement.find_all(exp.EQ)
        if any(isinstance(side, exp.Column) and side.name in nullable for side in (equals.left, equals.right))
        and not (isinstance(equals.parent, exp.Update) and equals in equals.parent.expressions)
    ]


def test_the_merge_compares_the_whole_key_and_names_the_partition_of_its_target() -> None:
    [merge] = [one for one in _parsed("merge") if isinstance(one, exp.Merge)]

    on = merge.args["on"].sql("bigquery")

    assert "T.game_date = CAST('2026-01-17' AS DATE)" in on
    assert all(f"T.{name} " in on and f"S.{name}" in on for name in KEY)
    assert "T.current_points_line IS NOT DISTINCT FROM S.current_points_line" in on


@pytest.mark.parametrize("name", STATEMENTS)
def test_the_main_table_is_never_read_without_saying_which_day(name: str) -> None:
    """BigQuery refuses it, for the table requires a partition filter; the emulator reads all days."""
    assert [found for statement in _parsed(name) for found in _reads_of_all_days(statement)] == []


def test_the_rule_of_the_partition_filter_can_fail() -> None:
    read = sqlglot.parse_one(f"SELECT 1 FROM `{TABLES.main}` WHERE game_id = 'x'", dialect="bigquery")

    assert len(_reads_of_all_days(read)) == 1


def _reads_of_all_days(statement: exp.Expr) -> list[str]:
    return [
        select.sql("bigquery")
        for select in statement.find_all(exp.Select)
        if (source := select.args.get("from_")) is not None
        and isinstance(source.this, exp.Table)
        and source.this.name == TABLE
        and not any(equals.left.name == PARTITION_COLUMN for equals in select.args["where"].find_all(exp.EQ))
    ]


def test_the_merge_inserts_every_column_and_updates_all_but_the_key() -> None:
    [merge] = [one for one in _parsed("merge") if isinstance(one, exp.Merge)]
    matched, not_matched = merge.args["whens"].expressions
    names = [column.name for column in COLUMNS]

    inserted = [column.name for column in not_matched.args["then"].this.expressions]
    updated = [one.this.name for one in matched.args["then"].expressions]

    assert inserted == names
    assert updated == [name for name in names if name not in KEY and name != "game_date"]


def test_the_newest_of_a_key_is_looked_for_only_where_keys_repeat() -> None:
    [sorting] = [line for line in STATEMENTS["merge"].splitlines() if "ROW_NUMBER()" in line]

    assert merge_script(has_repeated_keys=False) == STATEMENTS["merge"].replace(f"\n{sorting}", "")


def test_the_fence_is_written_in_the_transaction_of_the_merge_and_decides_over_its_source() -> None:
    kinds = [type(one).__name__ for one in _parsed("merge")]

    begin, update, merge, commit = (
        kinds.index(kind) for kind in ("Transaction", "Update", "Merge", "Commit")
    )
    assert begin < update < merge < commit
    assert "fence <= 7" in STATEMENTS["merge"]
    assert "WHERE is_claimed AND (SELECT MAX(fence)" in STATEMENTS["merge"]


def test_a_table_is_a_plain_name() -> None:
    with pytest.raises(ValueError, match="no name of a table"):
        merge_sql.count(TABLES, "x` WHERE TRUE; --", DAY)
