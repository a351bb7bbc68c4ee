"""The BigQuery side of one consolidation: gather what was staged, merge it under the fence, verify it is in.

    holder A     fence 5 ── gathers ── paused past its lease ·········· BEGIN: 6 stands → MERGE of 0 rows
    fence's row  5 ··························· 6 ····························· 6
    holder B     lease of A is over: fence 6 ── BEGIN: writes 6, MERGE, COMMIT ── verifies

    both at once: A writes the row in its transaction, B writes it in its own → one of the two is aborted
    (a conflict, TRANSIENT); whichever commits last reads back the fence that stands.

Whatever happens to the lock, the row that holds the fence decides, in the transaction that writes. Without
that row two insert-only MERGEs do not conflict in BigQuery, and both insert. The copy that is verified is the
copy that is merged: rows that a worker appends meanwhile are in neither.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Protocol

import structlog

from ..parallel import for_each
from ..predictions import schema_check
from ..predictions.table import TABLE
from ..result import Result, returns_result
from ..staging.table_names import gathered_table
from ..staging.writer import EXPIRES_AFTER
from ..warehouse.records import Rows, TableFacts
from . import merge_sql, staged_rows, verification
from .gathering import Gathering
from .jobs import Jobs
from .merge_sql import Tables
from .receipt import MergedTable
from .staged_rows import Counted, StagedBatch
from .verification import Counts

MERGE_SECONDS: Final = 180.0
"""Of the merging job. With one gathering job, the waits for cancellation and the calls of the stores this
stays below the 540 s that a function may run."""
COMPARE_SECONDS: Final = 60.0
"""Of the job that compares suspected rows, which is seldom needed."""
LOOKS_AT_ONCE: Final = 8
"""Requests for metadata in flight: hundreds of tables one by one would take most of a minute."""

Facts = dict[str, TableFacts | None]
"""Metadata by table; None for one that is not there."""

log = structlog.get_logger()


class LookStore(Protocol):
    """What is needed to look at tables."""

    def look(self, table: str) -> Result[TableFacts | None]:
        """Creation time, rows and columns; None for a table that is not there."""


class Holder(Protocol):
    """The lock as its holder sees it; a `Lease` in production."""

    fence: int

    def check(self) -> Result[Any]:
        """LOCK_LOST if it is over; asked before what cannot be taken back."""


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What the merge did and what was found afterwards."""

    gathered_table: str | None = None
    """Where the rows were gathered; None where nothing was staged."""
    droppable: Mapping[str, MergedTable] = field(default_factory=dict)
    """Staging tables that are merged to the last row, as they were when they were merged."""
    unstaged_players: tuple[str, ...] = ()
    """Whose rows are nowhere."""
    rows_gathered: int = 0
    """Rows that were claimed, repeated keys included."""
    keys_staged: int = 0
    """Distinct business keys among the claimed rows; `keys_in_main` of them are in the main table."""
    keys_in_main: int = 0
    duplicate_keys: int = 0
    contradicting_rows: int = 0
    """Staged rows that equal a row of the main table in key, time and id, and differ from it in a value."""
    rows_inserted: int = 0
    rows_updated: int = 0
    job_id: str | None = None
    """Of the merging job."""


@dataclass(frozen=True, kw_only=True)
class FencedMerge:
    """Merges the staged rows of one batch, once, for one holder of the lock.

    Two jobs for up to 500 tables: one gathers and counts, one merges and verifies. Between them stands
    everything that may still refuse; until then the main table is untouched. A third compares values, where
    a key was staged before or more than once.
    """

    warehouse: LookStore
    jobs: Jobs
    tables: Tables
    holder: Holder
    lock_key: str
    """Names the fence's row, as it names the lock: a day of a sport in one set of datasets."""
    batch_id: str
    generation: int
    """The closing of the batch that is merged; with batch and fence it names the gathered table."""
    game_date: date
    """The day of every row: the partition of the main table that is read and written."""
    now: datetime
    """When this merge began, to the microsecond: marks the rows that it changes."""

    @returns_result
    def run(self, staged: StagedBatch) -> Merged:
        """Merge all that was staged, or nothing; returns what was merged and what may be dropped.

        A failure before the commit has changed nothing; merging again after the commit finds every row in
        place and changes nothing more. Where nothing was staged, BigQuery is not asked.

        Failures: FOREIGN_TABLE, SCHEMA_DIFFERS, STAGED_ROWS_DIFFER (PERMANENT, nothing merged), LOCK_LOST
        (TRANSIENT: overtaken, nothing merged), NOT_VERIFIED (merged, and not as staged: PERMANENT for
        duplicates, UNKNOWN for missing rows), or a fault of the warehouse, a conflict with another day's
        merge (TRANSIENT) among them.
        """
        staged_rows.check_names(staged, self.batch_id).unwrap()
        if not staged.slices:
            return Merged(unstaged_players=staged.unstaged_players)
        # Metadata is free; INFORMATION_SCHEMA takes seconds and is billed.
        looked_at = [*(part.table for part in staged.slices), TABLE]
        facts = look_at(self.warehouse, self.tables, looked_at).unwrap()
        staged = staged.with_legacy(_mergeable(staged.legacy_tables, facts))
        # Before any job: a drifted column would fail the script, or silently leave values out.
        schema_check.check(_columns(facts, [*(part.table for part in staged.slices), TABLE])).unwrap()
        # Counted in the copy, not in the staging tables: nobody appends to the copy.
        counted = self._gathering().gather(staged)
        staged_rows.verify(staged, counted).unwrap()
        # From here on nothing can be taken back. A lease that ends after this look is the fence's to stop.
        self.holder.check().unwrap()
        done = self._merge(counted)
        counts = verification.verify(Counts(**done.rows[0]), fence=self.holder.fence).unwrap()
        contradicting_rows = self._contradicting_rows() if counts.suspected_keys else 0
        return self._merged(
            staged, counted, facts=facts, done=done, counts=counts, contradicting_rows=contradicting_rows
        )

    @property
    def gathered_table(self) -> str:
        """Its name holds the fence: no other holder writes there."""
        return gathered_table(self.batch_id, self.generation, self.holder.fence)

    def _gathering(self) -> Gathering:
        return Gathering(
            jobs=self.jobs,
            tables=self.tables,
            into=self.gathered_table,
            fence=self.holder.fence,
            game_date=self.game_date,
            expires=self.now + EXPIRES_AFTER,
        )

    def _merge(self, counted: Sequence[Counted]) -> Rows:
        """Run the merge's script: the one DML job that the main table sees, however many staging tables there
        are.
        """
        sql = merge_sql.merge_script(
            self.tables,
            self.gathered_table,
            # The copy is as it was counted: nobody else writes to it.
            has_repeated_keys=staged_rows.has_repeated_keys(counted),
            lock_key=self.lock_key,
            fence=self.holder.fence,
            game_date=self.game_date,
            now=self.now,
        )
        # No fence in the job's name: the next attempt meets the job that an earlier one left running, waits
        # for its end, and then, for its own text has another fence, runs under the next number.
        return self.jobs.run("merge", sql, timeout_seconds=MERGE_SECONDS)

    def _contradicting_rows(self) -> int:
        """Staged rows that equal a row of the main table in key, time and id, and differ from it in a value.

        Asked after the commit, of the same copy: should it fail, the next attempt merges nothing more, and
        asks again.
        """
        sql = merge_sql.contradicting(self.tables, self.gathered_table, self.game_date)
        step = f"contradicting-{self.holder.fence}"
        [found] = self.jobs.run(step, sql, timeout_seconds=COMPARE_SECONDS).rows
        return int(found["contradicting_rows"])

    def _merged(
        self,
        staged: StagedBatch,
        counted: Sequence[Counted],
        *,
        facts: Facts,
        done: Rows,
        counts: Counts,
        contradicting_rows: int,
    ) -> Merged:
        """What the receipt is made of."""
        return Merged(
            gathered_table=self.gathered_table,
            droppable=_droppable(staged, counted, facts),
            unstaged_players=staged_rows.still_unstaged(staged, counted),
            rows_gathered=sum(one.found_rows for one in counted if one.is_claimed),
            keys_staged=counts.keys_staged,
            keys_in_main=counts.keys_in_main,
            duplicate_keys=counts.duplicate_keys,
            contradicting_rows=contradicting_rows,
            rows_inserted=counts.rows_inserted,
            rows_updated=counts.rows_updated,
            job_id=done.job_id,
        )


def _droppable(staged: StagedBatch, counted: Sequence[Counted], facts: Facts) -> dict[str, MergedTable]:
    """As they were when they were looked at; a table that is not there any more is not to be dropped."""
    rows_of = staged_rows.droppable(staged, counted)
    # Looked at before it was gathered: one that was made anew in between no longer has that time, and stays.
    found = {table: known for table in rows_of if (known := facts[table]) is not None}
    return {
        table: MergedTable(rows=rows_of[table], created_at=known.created) for table, known in found.items()
    }


def look_at(warehouse: LookStore, tables: Tables, names: Sequence[str]) -> Result[Facts]:
    """Metadata of these tables; one request each, and free of charge."""
    return for_each(names, lambda name: warehouse.look(tables.path(name)), at_once=LOOKS_AT_ONCE)


def _columns(facts: Facts, names: Sequence[str]) -> dict[str, Mapping[str, str] | None]:
    return {name: known.columns if (known := facts[name]) else None for name in names}


def _mergeable(legacy_tables: Sequence[str], facts: Facts) -> Iterator[str]:
    """Legacy tables with our columns. Another release made them, so a difference is no fault of the batch's:
    the table is left alone, and its players stay unstaged, which the receipt says."""
    for table in legacy_tables:
        differs = schema_check.check(_columns(facts, [table])).error
        if differs is None:
            yield table
        else:
            log.warning(
                "legacy table left alone", action="legacy_table_left", table=table, why=differs.message
            )
