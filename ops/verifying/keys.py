"""The rows of some players, key by key: which is there twice, which was changed after its consolidation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from common.audit.row_checks import QueryStore
from common.consolidation.merge_sql import Tables
from common.predictions.table import CHANGED_AT, ITEM, KEY, PARTITION_COLUMN
from common.sql_blocks import SqlBlocks

MAX_KEYS: Final = 200
"""Keys that are named: a day has thousands, and nobody reads more."""
_SQL: Final = SqlBlocks(Path(__file__).with_suffix(".sql"))


@dataclass(frozen=True, kw_only=True)
class KeySeen:
    """One business key of the main table."""

    key: tuple[str, ...]
    """The values of the key's columns, in their order."""
    copies: int
    changed_at: datetime | None
    unmarked: bool
    """A row of it bears no time of change, as every consolidated row does."""

    def told(self, consolidated_at: datetime | None) -> str | None:
        """What is wrong with it, as far as it alone tells; None where nothing is."""
        if self.copies > 1:
            return f"is there {self.copies} times"
        if self.unmarked:
            return "was written by something other than the consolidation"
        if consolidated_at is not None and self.changed_at is not None and self.changed_at > consolidated_at:
            return f"was changed at {self.changed_at:%Y-%m-%d %H:%M:%S}, after its consolidation"
        return None

    def __str__(self) -> str:
        return " / ".join(self.key)


def keys_of(warehouse: QueryStore, tables: Tables, game_date: date, players: Sequence[str]) -> list[KeySeen]:
    """The first MAX_KEYS keys of these players, in the order of the keys; one more where there are more.

    One statement over the day's partition. Raises ResultError where it fails. Nothing is asked where nobody
    is named.
    """
    if not players:
        return []
    statement = _SQL.fill(
        "keys",
        main=f"`{tables.main}`",
        partition=PARTITION_COLUMN,
        item=ITEM,
        keys=", ".join(KEY),
        changed_at=CHANGED_AT,
    )
    asked = {"game_date": game_date, "players": sorted(players), "most": MAX_KEYS + 1}
    found = warehouse.query(statement, asked).unwrap()
    return [
        KeySeen(
            key=tuple("NULL" if row[column] is None else str(row[column]) for column in KEY),
            copies=row["copies"],
            changed_at=row["changed_at"],
            unmarked=row["unmarked"],
        )
        for row in found.rows
    ]
