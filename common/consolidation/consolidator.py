"""Consolidation: the staging tables of a batch become one set of rows in the main table, all or nothing.

Under the lock of the day, and under its fence: the lock keeps two from working at once, the fence keeps a
holder who was paused past its lease from writing. A generation is consolidated once; a late completion begins
the next one.

A crash at any point leaves a state that the same call continues from:

    marked consolidating ─ gathered ─ merged ─ receipt + consolidated ─ tables dropped ─ run logged
    └── again from the start: the same rows, nothing changes ┘└── again: the stored receipt ────┘
"""

from collections.abc import Callable
from datetime import date, datetime

from ..batches.batches import Batches
from ..batches.records import Batch
from ..execution_log import Execution, ExecutionLog
from ..lock.lease import Lease
from ..lock.lock import Lock
from ..result import ErrorInfo, ResultError, returns_result
from ..sport import DatasetRole, SportNames
from ..staging import legacy_names
from ..warehouse.warehouse import Warehouse
from .clean_up import CleanUp
from .day_lock import DayLock
from .fenced_merge import FencedMerge, Merged
from .jobs import Jobs
from .merge_sql import Tables
from .receipt import MAX_NAMED, PROCESSOR, Receipt
from .receipt_store import Receipts
from .staged_rows import StagedBatch, staged_of


class Consolidator:
    """Consolidates the batches of one sport; safe to share between threads.

    Called by the consolidation trigger's handler, which calls `consolidate`, then announces, then
    `drop_staging_tables` and `log_run`.
    """

    def __init__(
        self,
        *,
        warehouse: Warehouse,
        batches: Batches,
        lock: Lock,
        names: SportNames,
        now: Callable[[], datetime],
    ) -> None:
        self._warehouse = warehouse
        self._batches = batches
        self._receipts = Receipts(batches)
        self._day_lock = DayLock(lock, names)
        self._names = names
        self._tables = Tables(predictions=names.dataset(DatasetRole.PREDICTIONS))
        self._clean_up = CleanUp(warehouse, self._tables)
        self._log = ExecutionLog(warehouse, names.dataset(DatasetRole.ORCHESTRATION))
        self._now = now

    @returns_result
    def consolidate(self, batch_id: str, generation: int, *, seen: Batch | None = None) -> Receipt:
        """Merge what the batch has staged up to `generation`; returns the stored receipt.

        `seen`, the batch as the caller has read it, saves reading it again. Consolidating again: the same
        receipt, and nothing else happens. By two at once: one gets the lock, the other LOCK_HELD.

        Failures: LOCK_HELD (TRANSIENT: another works on that day), no such batch yet (TRANSIENT), LOCK_LOST
        (TRANSIENT: overtaken, or the lease ran out), what `FencedMerge.run` says, WrongPrefix for a batch of
        other datasets, a generation that the batch has not reached, or one that is abandoned (PERMANENT), or
        a fault of a store. After any of them the same call may be made again. Whatever is raised, the lock is
        given back, unless a merge may still run: then it is held until its lease expires.
        """
        batch = seen or self._batches.get(batch_id).unwrap()
        # What is done already is answered before the lock: a redelivery of it waits for nobody.
        self._refuse_other_datasets(batch)
        if batch.consolidated_generation >= generation:
            return self._receipts.covering(batch, generation).unwrap()
        with self._day_lock.held(batch.game_date, batch_id) as lease:
            # Written before the merge: a batch in this state may have rows in the main table already.
            batch = self._batches.start_consolidation(batch_id, generation, seen=batch).unwrap()
            if batch.consolidated_generation >= generation:  # another did it before the lock was ours
                return self._receipts.covering(batch, generation).unwrap()
            # Read before the merge: if it cannot be read, nothing has been merged yet.
            earlier = self._receipts.latest(batch).unwrap()
            merge = self._merge(batch, generation, lease)
            staged = self._staged(batch, generation)
            merged = merge.run(staged).unwrap()
            # Made before the last look at the lease: between that and the store nothing is to take time.
            receipt = _receipt(batch, merge, merged, earlier, staged=staged, consolidated_at=self._now())
            lease.check().unwrap()
            # With this commit the batch is consolidated: its staging tables are not needed any more.
            return self._receipts.store(batch, receipt).unwrap()

    @returns_result
    def drop_staging_tables(self, receipt: Receipt) -> list[str]:
        """Drop the tables that were merged, and what was gathered on the way; returns those that had to stay.

        To be called only with a stored receipt: until it is stored, the staging tables are the only way to
        merge again. Again: drops what is left. Failures are those of the warehouse.
        """
        # One that fails does not hold up the other: both are told by the next call, if not by this one.
        kept = self._clean_up.drop_merged(receipt.batch_id, receipt.tables)
        self._clean_up.drop_gathered(receipt.batch_id, up_to_fence=receipt.fence).unwrap()
        return kept.unwrap()

    @returns_result
    def log_run(self, receipt: Receipt) -> bool:
        """Write the run's row of the execution log; False if it is there already.

        Its id is that of the receipt.
        """
        return self._log.write(_execution(receipt)).unwrap()

    def _merge(self, batch: Batch, generation: int, lease: Lease) -> FencedMerge:
        """The merge under the fence of the lease, which begins now: its time marks the rows that it changes,
        and they are counted by it.
        """
        return FencedMerge(
            warehouse=self._warehouse,
            jobs=Jobs(self._warehouse, self._tables.predictions, batch.batch_id, generation),
            tables=self._tables,
            holder=lease,
            lock_key=self._day_lock.key(batch.game_date).document_id,
            batch_id=batch.batch_id,
            generation=generation,
            game_date=batch.game_date,
            now=self._now(),
        )

    def _staged(self, batch: Batch, generation: int) -> StagedBatch:
        """What is to be merged.

        Tables of the legacy system are listed only where a completed player's rows are named by no
        completion: listing costs a request per 1,000 tables.
        """
        staged = staged_of(batch, self._batches.ended(batch).unwrap(), generation)
        prefix = legacy_names.prefix(batch.batch_id)
        if prefix is None or not staged.unstaged_players:
            return staged
        listed = self._warehouse.list_tables(self._tables.predictions, prefix).unwrap()
        return staged.with_legacy(
            table.name for table in listed if legacy_names.belongs_to(table.name, batch.batch_id)
        )

    def _refuse_other_datasets(self, batch: Batch) -> None:
        """Equal prefixes only: a test never touches production, and production never a test."""
        ours = self._names.dataset_prefix
        if batch.dataset_prefix != ours:
            why = f"dataset_prefix: batch {batch.batch_id!r} has {batch.dataset_prefix!r}, we serve {ours!r}"
            raise ResultError(ErrorInfo.permanent("WrongPrefix", why, batch_id=batch.batch_id))


def _receipt(
    batch: Batch,
    merge: FencedMerge,
    merged: Merged,
    earlier: Receipt | None,
    *,
    staged: StagedBatch,
    consolidated_at: datetime,
) -> Receipt:
    """What is stored of a merge, beside what is known of the batch and of its earlier generations."""
    # As they were when the consolidation was started: who comes later is of the next generation.
    counts = batch.counts
    return Receipt(
        batch_id=batch.batch_id,
        generation=merge.generation,
        fence=merge.holder.fence,
        game_date=batch.game_date.isoformat(),
        expected_players=batch.expected_players,
        completed_players=counts.completed,
        skipped_players=counts.skipped,
        failed_players=counts.failed,
        timed_out_players=counts.timed_out,
        unstaged_players=len(merged.unstaged_players),
        tables=merged.droppable,
        gathered_table=merged.gathered_table,
        rows_staged=merged.rows_gathered,
        keys_staged=merged.keys_staged,
        keys_in_main=merged.keys_in_main,
        duplicate_keys=merged.duplicate_keys,
        rows_inserted=merged.rows_inserted,
        rows_updated=merged.rows_updated,
        total_predictions=_total(earlier, merged.keys_in_main, staged.rows_claimed),
        job_id=merged.job_id,
        bytes_processed=merge.jobs.bytes_processed,
        started_at=merge.now,
        consolidated_at=consolidated_at,
        correlation_id=batch.correlation_id,
        unstaged_names=merged.unstaged_players[:MAX_NAMED],
        contradicting_rows=merged.contradicting_rows,
        previous_digest=None if earlier is None else earlier.digest,
        bytes_billed=merge.jobs.bytes_billed,
        jobs=merge.jobs.count,
        previous_fence=None if earlier is None else earlier.fence,
    )


def _total(earlier: Receipt | None, keys_in_main: int, rows_claimed: int | None) -> int:
    """Predictions of the batch in the main table: those of the earlier receipt, and those of this merge.

    Not more than all its completions claim. Who was lost after a merge and asked for again brings rows that
    the earlier receipt has counted:

        generation 1   a: 2 keys, b: 2 keys                          receipt: 4
                       a's document is lost: timed out, asked for again
        generation 2   a: 2 keys, which are there already            receipt: 4, and not 6
    """
    if earlier is None:
        return keys_in_main
    total = earlier.total_predictions + keys_in_main
    # Not less than before either: who is lost and has not come again claims nothing, and his rows may be
    # there.
    return total if rows_claimed is None else min(total, max(earlier.total_predictions, rows_claimed))


def _execution(receipt: Receipt) -> Execution:
    """The run as the log of all processors has it; a repeat has the same id, and so no second row."""
    return Execution(
        execution_id=receipt.execution_id,
        processor_name=PROCESSOR,
        phase=5,
        correlation_id=receipt.correlation_id,
        game_date=date.fromisoformat(receipt.game_date),
        started_at=receipt.started_at,
        completed_at=receipt.consolidated_at,
        status=receipt.status,
        # Of this merge, and not of the batch: what the log's rows of a batch add up to stays true.
        record_count=receipt.keys_in_main,
        rows_inserted=receipt.rows_inserted,
        metadata=receipt.to_document(),
    )
