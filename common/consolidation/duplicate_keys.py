"""The duplicate check: "none", "these keys" and "could not be checked" are three answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from ..predictions.table import KEY
from ..result import Result
from ..warehouse.records import Rows
from . import merge_sql
from .merge_sql import Tables


class QueryStore(Protocol):
    """What the check needs of the warehouse."""

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[Rows]:
        """Rows of a SELECT."""


@dataclass(frozen=True, kw_only=True)
class DuplicateKey:
    """A business key that more than one row of a day has."""

    key: Mapping[str, Any]
    """The table's key columns, by name."""
    copies: int

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "DuplicateKey":
        """From a row of the statement `duplicates`."""
        # By name: a key's columns are told to people.
        return cls(key={name: row[name] for name in KEY}, copies=row["copies"])


def duplicates(warehouse: QueryStore, tables: Tables, game_date: date) -> Result[list[DuplicateKey]]:
    """The duplicate keys of the day's predictions, by key.

    An empty list is "none"; a failure is "not checked". Reads one partition of the main table; asking again
    is safe.
    """
    asked = warehouse.query(merge_sql.duplicates(tables, game_date))
    return asked.map(lambda found: [DuplicateKey.of(row) for row in found.rows])
