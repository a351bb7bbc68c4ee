from collections.abc import Callable
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from common.players import sql

INFRA_SQL = Path(__file__).parents[4] / "infra" / "sql"
TABLES = ("nba_players_registry", "player_aliases", "unresolved_player_names")


def parse(text: str) -> exp.Expression:
    """One statement, all of whose placeholders are `{reference}`."""
    [statement] = sqlglot.parse(text.replace("{reference}", "nba_reference"), dialect="bigquery")
    assert isinstance(statement, exp.Expression)
    assert "{" not in statement.sql("bigquery")
    return statement


@pytest.mark.parametrize("statement_of", [sql.resolve, sql.queue], ids=["resolve", "queue"])
def test_a_statement_is_bigquery_and_names_its_columns(statement_of: Callable[[str], str]) -> None:
    statement = parse(statement_of("nba_reference"))

    assert list(statement.find_all(exp.Star)) == []
    assert {table.db for table in statement.find_all(exp.Table) if table.name in TABLES} == {"nba_reference"}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_bigquery_is_described_and_clustered(table: str) -> None:
    statement = parse((INFRA_SQL / f"{table}.sql").read_text(encoding="utf-8"))

    assert isinstance(statement, exp.Create)
    assert statement.args["exists"]
    created = statement.find(exp.Table)
    assert created is not None and (created.db, created.name) == ("nba_reference", table)
    assert statement.find(exp.ClusterProperty) is not None
