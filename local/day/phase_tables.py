"""The tables that the gates of a graph ask for: made as bare as they can be, and filled for a date.

They belong to the processors of the phases, which this project does not deploy.
"""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Final

from common.phases.phase_graph import Graph
from common.phases.shape import Coverage, RowCounts, Table
from common.sport import SportNames
from common.sql_blocks import SqlBlocks
from common.warehouse.warehouse import Warehouse

_SQL: Final = SqlBlocks(Path(__file__).with_name("phase_tables.sql"))


def tables_of(graph: Graph) -> list[Table]:
    """Every table once, by its dataset and name."""
    rules = [rules for boundary in graph.boundaries for rules in boundary.modes.values()]
    asked = [table for each in rules for gate in each.gates for table in _asked(gate)]
    schedule = [graph.schedule] if graph.schedule else []
    # By name: several gates ask for one table.
    return list({(table.role, table.name): table for table in (*schedule, *asked)}.values())


def _asked(gate: object) -> Iterable[Table]:
    """The tables that a gate counts; none for one that reads a report."""
    if isinstance(gate, RowCounts):
        return gate.tables
    return (gate.table, gate.schedule) if isinstance(gate, Coverage) else ()


def create(warehouse: Warehouse, names: SportNames, tables: Iterable[Table]) -> None:
    """Make those that are not there; raises ResultError. Their datasets are."""
    for table in tables:
        # Two columns: what a gate counts, and by what it finds the day.
        sql = _SQL.fill("create", table=f"`{path(names, table)}`", date_column=table.date_column)
        warehouse.execute(sql).unwrap()


def fill(
    warehouse: Warehouse, names: SportNames, *, table: Table, game_date: date, games: Iterable[str]
) -> None:
    """A row for each game of the date. Again: the rows are there twice, which no gate minds."""
    sql = _SQL.fill("fill", table=f"`{path(names, table)}`", date_column=table.date_column)
    warehouse.execute(sql, {"game_date": game_date, "games": list(games)}).unwrap()


def path(names: SportNames, table: Table) -> str:
    """`dataset.table`, not quoted."""
    return f"{names.dataset(table.role)}.{table.name}"
