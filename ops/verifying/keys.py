"""The rows of some players, key by key: which is there twice, which was changed after its consolidation.

A change is told by its mark, the time of change that a row bears, and by its values: BigQuery keeps a table
as it was for seven days, so the rows of now are held against those right after the last consolidation.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from common.audit.row_checks import QueryStore
from common.audit.row_rules import Day
from common.consolidation.merge_sql import Tables
from common.predictions.table import CHANGED_AT, ITEM, KEY, PARTITION_COLUMN
from common.result import returns_result
from common.sql_blocks import SqlBlocks
from common.texts import counted

MAX_KEYS: Final = 200
"""Keys that are shown to a person: a day has thousands, and nobody reads more. `-o json` has all."""
CLOCKS_DIFFER: Final = timedelta(seconds=5)
"""A consolidation tells its end by its own clock: so much later its rows are there by BigQuery's, too. What
is changed within that time is told by its mark alone."""
_SQL: Final = SqlBlocks(Path(__file__).with_suffix(".sql"))

Key = tuple[str, ...]
"""The values of the key's columns, in their order."""


@dataclass(frozen=True, kw_only=True)
class KeySeen:
    """One business key of the main table."""

    key: Key
    player: str
    copies: int
    changed_at: datetime | None
    unmarked: bool
    """A row of it bears no time of change, as every consolidated row does."""
    fingerprint: int
    """Of all values of its row; of several rows, of all of them together."""


@dataclass(frozen=True, kw_only=True)
class Merged:
    """The rows as the last consolidation of the day has left them."""

    at: datetime | None
    """The moment whose rows were compared; None where nothing could be."""
    why_not: str = ""
    """Why nothing could be compared by its values."""
    differing: frozenset[str] = frozenset()
    """Players whose rows are others now."""
    fingerprints: Mapping[Key, int] = field(default_factory=dict)
    """Of the differing players, what each key was merged as."""


def merged(warehouse: QueryStore, tables: Tables, day: Day, *, now: datetime) -> Merged:
    """Whose rows are not as they were merged, by their values. Two statements over the day's partition, and
    one more where anything differs. Raises ResultError where the rows of now cannot be read.

    The past counts only where it has as many rows as the receipts say: else it is none of right after the
    consolidation, and whatever came since would be taken for a change.
    """
    game_date, then = day.game_date, replace(tables, as_of=day.consolidated_at + CLOCKS_DIFFER)
    # That moment has not come yet, and BigQuery refuses to read the future.
    if day.consolidated_at + CLOCKS_DIFFER > now:
        return Merged(at=None, why_not="the consolidation has ended just now")
    # The rows of now must be readable, or nothing is verified; those of the past may be gone, which is told.
    of_now = _fingerprints(warehouse, tables, game_date).unwrap()
    found = _fingerprints(warehouse, then, game_date)
    if found.error is not None:
        return Merged(at=None, why_not=found.error.message)
    of_then = found.unwrap()
    kept_rows = sum(row_count for row_count, _ in of_then.values())
    if kept_rows != day.key_count:
        why = f"the past of the table has {counted(kept_rows, 'row')}, the receipts tell of {day.key_count:,}"
        return Merged(at=None, why_not=why)
    # By player first: a few hundred fingerprints tell where to look, and only there each key is read.
    differing = {name for name in of_now.keys() | of_then.keys() if of_now.get(name) != of_then.get(name)}
    kept = keys_of(warehouse, then, game_date, sorted(differing))
    return Merged(
        at=then.as_of,
        differing=frozenset(differing),
        fingerprints={each.key: each.fingerprint for each in kept},
    )


@returns_result
def _fingerprints(warehouse: QueryStore, tables: Tables, game_date: date) -> dict[str, tuple[int, int]]:
    """By player: how many rows, and the fingerprint of their values.

    One statement over the day's partition, as of `tables.as_of`. Independent of the order of the rows: the
    same values are the same fingerprint at every reading.
    """
    statement = _SQL.fill("fingerprints", main=tables.rows, partition=PARTITION_COLUMN, item=ITEM)
    found = warehouse.query(statement, {"game_date": game_date}).unwrap()
    return {row["player"]: (row["row_count"], row["fingerprint"]) for row in found.rows}


def keys_of(warehouse: QueryStore, tables: Tables, game_date: date, players: Sequence[str]) -> list[KeySeen]:
    """The keys of these players, in their order.

    One statement over the day's partition. Raises ResultError where it fails. Nothing is asked where nobody
    is named.
    """
    if not players:
        return []
    statement = _SQL.fill(
        "keys",
        main=tables.rows,
        partition=PARTITION_COLUMN,
        item=ITEM,
        keys=", ".join(KEY),
        changed_at=CHANGED_AT,
    )
    found = warehouse.query(statement, {"game_date": game_date, "players": sorted(players)}).unwrap()
    return [
        KeySeen(
            # As text and with NULL written out: a key is shown to a person and compared with one of another
            # time.
            key=tuple("NULL" if row[column] is None else str(row[column]) for column in KEY),
            player=row[ITEM],
            copies=row["copies"],
            changed_at=row["changed_at"],
            unmarked=row["unmarked"],
            fingerprint=row["fingerprint"],
        )
        for row in found.rows
    ]


def told(
    keys: Sequence[KeySeen], as_merged: Merged, consolidated_at: datetime | None
) -> Iterator[tuple[Key, str]]:
    """What is wrong with each key, as far as that can be told of it alone; those that are gone last. Pure."""
    for each in keys:
        said = _told(each, as_merged, consolidated_at)
        if said is not None:
            yield each.key, said
    there = {each.key for each in keys}
    yield from (
        (key, "is gone since its consolidation") for key in as_merged.fingerprints if key not in there
    )


def _told(seen: KeySeen, as_merged: Merged, consolidated_at: datetime | None) -> str | None:
    """None where nothing is wrong.

    The first that fits, the surest first: copies and marks are seen in the rows of now, values only beside
    the past. A row that was changed and given back its values and its mark is not seen by anything.
    """
    # In this order: of a key that is there twice, neither mark nor values say which of the two is right.
    if seen.copies > 1:
        return f"is there {seen.copies} times"
    if seen.unmarked:
        return "was written by something other than the consolidation"
    if consolidated_at is not None and seen.changed_at is not None and seen.changed_at > consolidated_at:
        return f"was changed at {seen.changed_at:%Y-%m-%d %H:%M:%S}, after its consolidation"
    if seen.player not in as_merged.differing:
        return None
    was = as_merged.fingerprints.get(seen.key)
    if was is None:
        return "has come since its consolidation"
    return (
        None
        if was == seen.fingerprint
        else "has other values than were merged, and bears no mark of a change"
    )
