"""The duplicate check: "none", "these keys" and "could not be checked" are three answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from ..result import Result
from ..warehouse.records import Rows
from . import merge_sql
from .merge_sql import Tables


class QueryStore(Protocol):
    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[Rows]: ...


@dataclass(frozen=True, kw_only=True)
class DuplicateKey:
    """A business key that more than one row of a day has."""

    game_id: str
    player_lookup: str
    system_id: str
    current_points_line: Decimal | None
    copies: int


def duplicates(warehouse: QueryStore, tables: Tables, game_date: date) -> Result[list[DuplicateKey]]:
    """The duplicate keys of the day's predictions. An empty list is "none"; a failure is "not checked"."""
    asked = warehouse.query(merge_sql.duplicates(tables, game_date))
    return asked.map(lambda found: [DuplicateKey(**row) for row in found.rows])
