"""What becomes of staging tables: those that are merged to the last row are dropped, and nothing else is.

A worker may append to its table for a player who is late, or make it anew when it is gone. So a table is
dropped only if it is still the very table that was merged, with exactly the rows that were merged; this is
looked up right before. Else it stays for the next generation.

    consolidation   merges 30 rows, notes (created, 30) ────── looks: 31 rows: table stays
    worker                                 appends 1 row ┘
    consolidation                                                looks: 30 rows ── drops
    worker                                                               appends ┘ ✗ table gone

In the second case the load fails or its rows go with the table: the writer looks at its table again before it
reports rows as staged, and what a completion claims and nobody finds is refused by the next generation
(StagedRowsDiffer). Lost unseen is nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from ..batches.records import Batch, BatchStatus
from ..documents.port import NONSENSE
from ..parallel import for_each
from ..result import Result, returns_result
from ..staging import legacy_names, table_names
from ..warehouse.records import TableFacts, TableInfo
from .merge_sql import Tables
from .receipt import MergedTable

ORPHAN_AGE: Final = timedelta(hours=24)
"""Younger tables may belong to a worker that is still writing, or to a batch that is just being opened."""
DROPS_AT_ONCE: Final = 8
"""Requests in flight: a batch has up to a few hundred tables, and each drop is a request of its own."""
READS_AT_ONCE: Final = 16
"""Batches that are looked up at the same time, to tell whose tables are orphans."""

BatchOf = Callable[[str], Result[Batch]]
"""A batch by its id; a batch that does not exist is an expected failure, see `_is_over`."""

_OVER: Final = (BatchStatus.CONSOLIDATED, BatchStatus.ABANDONED)
"""Statuses in which nobody will merge a batch's tables any more, unless a late completion reopens it:
that one brings tables of its own, or rows that its completion claims."""

log = structlog.get_logger()


class CleanUpStore(Protocol):
    """What the clean-up needs of the warehouse: metadata alone, no job."""

    def look(self, table: str) -> Result[TableFacts | None]:
        """A table's creation time and rows; None for one that is not there."""

    def delete_table(self, table: str) -> Result[bool]:
        """False if there was none."""

    def list_tables(self, dataset: str, prefix: str) -> Result[list[TableInfo]]:
        """Tables whose names start with the prefix."""


@dataclass(frozen=True, kw_only=True)
class Orphans:
    """Old staging and gathered tables: those that may go, and those whose batch is not over or not known."""

    over: tuple[TableInfo, ...]
    """These may be dropped."""
    left_alone: tuple[TableInfo, ...]
    """For a person to look at: whose they are cannot be told, or their batch may still need them."""


class CleanUp:
    """Drops the staging tables of one dataset; safe to share between threads, and to call again: what is gone
    is gone. Failures are those of the warehouse; what was dropped before one stays dropped.
    """

    def __init__(self, warehouse: CleanUpStore, tables: Tables) -> None:
        self._warehouse = warehouse
        self._tables = tables

    @returns_result
    def drop_merged(self, batch_id: str, merged: Mapping[str, MergedTable]) -> list[str]:
        """Drop the tables that are as they were when they were merged; returns the names of those that had to
        stay.

        `merged` is the receipt's: table name → rows and creation time. A table that is no staging table of
        this batch stays, whatever the receipt says of it: a receipt is a document, and documents can be
        wrong.
        """

        def drop(name: str) -> Result[bool]:
            return self._drop(name, created=merged[name].created_at, rows=merged[name].rows)

        ours = [
            name
            for name in merged
            if table_names.belongs_to(name, batch_id) or legacy_names.belongs_to(name, batch_id)
        ]
        # One that fails does not keep the others: all are tried, then the failure is told.
        gone = for_each(ours, drop, at_once=DROPS_AT_ONCE).unwrap()
        kept = [name for name in merged if not gone.get(name, False)]
        if kept:
            log.info("staging tables kept", action="staging_tables_kept", batch_id=batch_id, tables=kept)
        return kept

    @returns_result
    def drop_gathered(self, batch_id: str, *, up_to_fence: int) -> list[str]:
        """Drop what lock holders have gathered for this batch, up to the fence of who merged it; returns
        their names.

        Those with a lower fence were killed or overtaken: whatever they still do, they merge nothing, so
        their copies are of no use. A higher fence is a successor's, who may be merging from it right now.
        """
        listed = self._warehouse.list_tables(self._tables.predictions, table_names.gathered_prefix(batch_id))
        # By listing, not by the receipt: of a holder that was killed nobody has written down what it made.
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
        """Staging and gathered tables that are older than 24 h, told apart by what is known of their batch.

        Changes nothing. `batch_of` is asked once per batch; if it cannot answer for one, the whole call
        fails: a table is never judged by a question that was not answered.
        """
        # By the table's own time, not the batch's: a table that a retry made anew is young again.
        old = [
            table
            for prefix in (table_names.PREFIX, table_names.GATHERED_PREFIX)
            for table in self._warehouse.list_tables(self._tables.predictions, prefix).unwrap()
            if now - table.created > ORPHAN_AGE
        ]
        batch_ids = {table.name: _batch_id(table.name) for table in old}
        named = sorted({batch_id for batch_id in batch_ids.values() if batch_id is not None})
        # Each batch is asked once, however many tables it has.
        is_over = for_each(
            named, lambda batch_id: _is_over(batch_of(batch_id)), at_once=READS_AT_ONCE
        ).unwrap()
        over = [table for table in old if is_over.get(batch_ids[table.name] or "", False)]
        return Orphans(over=tuple(over), left_alone=tuple(table for table in old if table not in over))

    @returns_result
    def drop_orphans(self, orphans: Sequence[TableInfo]) -> list[str]:
        """Drop these very tables; returns the names of those that are gone now.

        One that was made anew since it was listed has another creation time and stays.
        """
        created = {table.name: table.created for table in orphans}

        def drop(name: str) -> Result[bool]:
            return self._drop(name, created=created[name])

        gone = for_each(list(created), drop, at_once=DROPS_AT_ONCE).unwrap()
        return [name for name in created if gone[name]]

    @returns_result
    def _drop(self, name: str, *, created: datetime | None, rows: int | None = None) -> bool:
        """Whether it is gone now; False for one that was created at another time, or has other rows.

        Looked at right before: BigQuery has no condition for a drop, so a table that is made anew in between
        is dropped all the same. Its writer finds it gone, and its consolidation misses it by name.
        """
        path = self._tables.path(name)
        facts = self._warehouse.look(path).unwrap()
        if facts is None:
            return True
        # An earlier release noted no creation time: None equals no table's, and the table stays.
        is_same_table = facts.created == created
        # Rows that are still streaming are not counted, but nobody streams into it.
        has_no_other_rows = rows is None or facts.rows == rows
        if not (is_same_table and has_no_other_rows):
            return False
        self._warehouse.delete_table(path).unwrap()
        return True


def _batch_id(table: str) -> str | None:
    """Whose a table is by its name; None for any other, which is left alone."""
    if parsed := table_names.parse(table):
        return parsed[0]
    gathered = table_names.parse_gathered(table)
    return None if gathered is None else gathered.batch_id


def _is_over(asked: Result[Batch]) -> Result[bool]:
    """Whether nobody needs the batch's tables any more.

    A batch that is not there, or whose document makes no sense, is not known to be over; one that could not
    be asked for is a failure.
    """
    if asked.error is not None and (asked.error.is_expected or NONSENSE in (asked.error.details or {})):
        return Result.success(False)
    return asked.map(lambda batch: batch.status in _OVER)
