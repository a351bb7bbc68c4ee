"""What becomes of staging tables: those that are merged to the last row go, and nothing else does.

A worker may append to its table for a player who is late, or make it anew when it is gone. So a table is
dropped only if it is still the very table that was merged, with exactly the rows that were: asked right
before; else it stays for the next generation.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from ..batches.records import Batch, BatchStatus
from ..parallel import for_each
from ..result import Result, returns_result
from ..staging import legacy_names, table_names
from ..warehouse.records import TableFacts, TableInfo
from .merge_sql import Tables
from .receipt import MergedTable

ORPHAN_AGE: Final = timedelta(hours=24)
DROPS_AT_ONCE: Final = 8

BatchOf = Callable[[str], Result[Batch]]

_OVER: Final = (BatchStatus.CONSOLIDATED, BatchStatus.ABANDONED)

log = structlog.get_logger()


class CleanUpStore(Protocol):
    def look(self, table: str) -> Result[TableFacts | None]: ...
    def delete_table(self, table: str) -> Result[bool]: ...
    def list_tables(self, dataset: str, prefix: str) -> Result[list[TableInfo]]: ...


@dataclass(frozen=True, kw_only=True)
class Orphans:
    """Old staging and gathered tables: those that may go, and those whose batch is not over or not known."""

    over: tuple[TableInfo, ...]
    left_alone: tuple[TableInfo, ...]


class CleanUp:
    """Drops the staging tables of one dataset. Every call may be repeated: what is gone is gone."""

    def __init__(self, warehouse: CleanUpStore, tables: Tables) -> None:
        self._warehouse = warehouse
        self._tables = tables

    @returns_result
    def drop_merged(self, batch_id: str, merged: Mapping[str, MergedTable]) -> list[str]:
        """Drop the tables that are as they were when they were merged; returns those that had to stay.

        A table that is no staging table of this batch stays, whatever the receipt says of it.
        """

        def drop(name: str) -> Result[bool]:
            return self._drop_if(name, lambda facts: _is_as_merged(facts, merged[name]))

        ours = [name for name in merged if _is_of(name, batch_id)]
        gone = for_each(ours, drop, at_once=DROPS_AT_ONCE).unwrap()
        kept = [name for name in merged if not gone.get(name, False)]
        if kept:
            log.info("staging tables kept", action="staging_tables_kept", batch_id=batch_id, tables=kept)
        return kept

    @returns_result
    def drop_gathered(self, batch_id: str, *, up_to_fence: int) -> list[str]:
        """Drop what holders of the lock have gathered for this batch, up to who merged it; returns them.

        Those with a lower fence were killed or overtaken: whatever they still do, they can merge nothing.
        """
        listed = self._warehouse.list_tables(self._tables.predictions, table_names.gathered_prefix(batch_id))
        dead = [
            table.name
            for table in listed.unwrap()
            if (gathered := table_names.parse_gathered(table.name)) is not None
            and gathered.batch_id == batch_id
            and gathered.fence <= up_to_fence
        ]
        for_each(
            dead, lambda name: self._warehouse.delete_table(self._tables.path(name)), at_once=DROPS_AT_ONCE
        ).unwrap()
        return dead

    @returns_result
    def orphans(self, batch_of: BatchOf, now: datetime) -> Orphans:
        """Tables that nobody will need: older than 24 h, and of a batch that is over. Changes nothing.

        Those of a batch that is not, or of which nothing is known, are told apart and to be left alone.
        """
        old = [
            table
            for prefix in (table_names.PREFIX, table_names.GATHERED_PREFIX)
            for table in self._warehouse.list_tables(self._tables.predictions, prefix).unwrap()
            if now - table.created > ORPHAN_AGE
        ]
        batch_ids = {table.name: _batch_id(table.name) for table in old}
        named = sorted({batch_id for batch_id in batch_ids.values() if batch_id is not None})
        is_over = {batch_id: _is_over(batch_of(batch_id)).unwrap() for batch_id in named}
        over = [table for table in old if is_over.get(batch_ids[table.name] or "", False)]
        return Orphans(over=tuple(over), left_alone=tuple(table for table in old if table not in over))

    @returns_result
    def drop_orphans(self, orphans: Sequence[TableInfo]) -> list[str]:
        """Drop these very tables; returns the names of those that are gone now. One that was made anew since
        it was listed stays."""
        created = {table.name: table.created for table in orphans}

        def drop(name: str) -> Result[bool]:
            return self._drop_if(name, lambda facts: facts.created == created[name])

        gone = for_each(list(created), drop, at_once=DROPS_AT_ONCE).unwrap()
        return [name for name in created if gone[name]]

    @returns_result
    def _drop_if(self, name: str, may_go: Callable[[TableFacts], bool]) -> bool:
        """Whether it is gone now.

        Looked at right before: BigQuery has no condition for a drop, so a table that is made anew in between
        is dropped all the same. Its writer finds it gone, and its consolidation misses it by name.
        """
        path = self._tables.path(name)
        facts = self._warehouse.look(path).unwrap()
        if facts is None:
            return True
        if not may_go(facts):
            return False
        self._warehouse.delete_table(path).unwrap()
        return True


def _is_of(name: str, batch_id: str) -> bool:
    return table_names.belongs_to(name, batch_id) or legacy_names.belongs_to(name, batch_id)


def _is_as_merged(facts: TableFacts, merged: MergedTable) -> bool:
    is_same_table = facts.created == merged.created_at
    return is_same_table and facts.rows == merged.rows


def _batch_id(table: str) -> str | None:
    """Whose a table is by its name; None for any other, which is left alone."""
    if parsed := table_names.parse(table):
        return parsed[0]
    gathered = table_names.parse_gathered(table)
    return None if gathered is None else gathered.batch_id


def _is_over(asked: Result[Batch]) -> Result[bool]:
    """A batch that is not there is not known to be over; one that could not be asked for is a failure."""
    if asked.error is not None and asked.error.is_expected:
        return Result.success(False)
    return asked.map(lambda batch: batch.status in _OVER)
