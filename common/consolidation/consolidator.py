"""Consolidation: the staging tables of a batch become one set of rows in the main table, all or nothing.

Under the lock of the day, and under its fence: the lock keeps two from working at once, the fence keeps a
holder who was paused past its lease from writing. A generation is consolidated once; a late completion begins
the next one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Final

from ..batches.batches import Batches
from ..batches.records import Batch
from ..execution_log import Execution, ExecutionLog
from ..lock.lease import Lease
from ..lock.lock import Lock
from ..lock.rules import LockKey
from ..result import ErrorInfo, Result
from ..sport import DatasetRole, SportNames
from ..warehouse.jobs import MAY_STILL_RUN
from ..warehouse.warehouse import Warehouse
from .clean_up import CleanUp
from .fenced_merge import FencedMerge, Merged
from .merge_sql import Tables
from .receipt import PROCESSOR, Receipt
from .receipt_store import Receipts
from .staged_rows import Claims, claims_of

LOCK_TYPE: Final = "consolidation"


class Consolidator:
    """Consolidates the batches of one sport; safe to share between threads."""

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
        self._receipts = Receipts(batches.store)
        self._lock = lock
        self._names = names
        self._tables = Tables(predictions=names.dataset(DatasetRole.PREDICTIONS))
        self._clean_up = CleanUp(warehouse, self._tables)
        self._log = ExecutionLog(warehouse, names.dataset(DatasetRole.ORCHESTRATION))
        self._now = now

    def consolidate(self, batch_id: str, generation: int) -> Result[Receipt]:
        """Merge what the batch has staged up to `generation`; returns the stored receipt.

        Again: the same receipt, and nothing else happens. Failures: LOCK_HELD (another works on that day),
        not yet (no such batch), STAGED_ROWS_DIFFER and SCHEMA_DIFFERS (PERMANENT, nothing merged), LOCK_LOST
        (overtaken), or a fault of a store. After any of them the same call may be made again.
        """
        return self._batches.get(batch_id).and_then(partial(self._unless_done, generation))

    def tidy(self, receipt: Receipt) -> Result[list[str]]:
        """Drop the staging tables that were merged, and log the run; returns the tables that had to stay.

        Again: does what is left to do.
        """
        gathered = [receipt.gathered_table] if receipt.gathered_table else []
        dropped = self._clean_up.drop(gathered).and_then(lambda _: self._clean_up.drop_merged(receipt.tables))
        logged = self._log.write(_execution(receipt))
        return dropped.and_then(lambda kept: logged.map(lambda _: kept))

    def _unless_done(self, generation: int, batch: Batch) -> Result[Receipt]:
        if batch.dataset_prefix not in ("", self._names.dataset_prefix):
            return Result.failure(self._wrong_prefix(batch))
        if batch.consolidated_generation >= generation:
            return self._receipts.covering(batch, generation)
        key = self._lock_key(batch.game_date)
        acquired = self._lock.try_acquire(key, batch.batch_id)
        return acquired.and_then(partial(self._holding, batch.batch_id, generation))

    def _holding(self, batch_id: str, generation: int, lease: Lease) -> Result[Receipt]:
        with lease.heartbeat():
            result = self._start(batch_id, generation, lease)
        may_still_run = result.error is not None and MAY_STILL_RUN in (result.error.details or {})
        if not may_still_run:
            # If this fails, the lease has logged it, and the lock comes free when it expires.
            lease.release()
        return result

    def _start(self, batch_id: str, generation: int, lease: Lease) -> Result[Receipt]:
        started = self._batches.start_consolidation(batch_id, generation)
        return started.and_then(partial(self._consolidate, generation, lease))

    def _consolidate(self, generation: int, lease: Lease, batch: Batch) -> Result[Receipt]:
        if batch.consolidated_generation >= generation:
            # Another did it while we waited for the lock.
            return self._receipts.covering(batch, generation)
        run = _Run(batch=batch, generation=generation, lease=lease, started_at=self._now())
        return (
            self._batches.completions(batch.batch_id)
            .map(lambda completions: claims_of(batch, completions, generation))
            .and_then(lambda claims: self._merge(run, claims).and_then(partial(self._receipt, run, claims)))
            .and_then(partial(self._finish, run))
        )

    def _merge(self, run: "_Run", claims: Claims) -> Result[Merged]:
        return FencedMerge(
            warehouse=self._warehouse,
            tables=self._tables,
            holder=run.lease,
            lock_key=self._lock_key(run.batch.game_date).document_id,
            batch_id=run.batch.batch_id,
            generation=run.generation,
            game_date=run.batch.game_date,
            now=run.started_at,
        ).run(claims)

    def _receipt(self, run: "_Run", claims: Claims, merged: Merged) -> Result[Receipt]:
        latest = self._receipts.latest(run.batch)
        return latest.map(lambda earlier: _receipt(run, claims, merged, earlier, self._now()))

    def _finish(self, run: "_Run", receipt: Receipt) -> Result[Receipt]:
        finished = run.lease.check().and_then(
            lambda _: self._batches.finish_consolidation(
                receipt.batch_id, receipt.generation, receipt.fence, receipt.to_document()
            )
        )
        # Whoever was faster has stored a receipt of its own.
        return finished.and_then(lambda done: self._receipts.covering(done.batch, receipt.generation))

    def _wrong_prefix(self, batch: Batch) -> ErrorInfo:
        ours = self._names.dataset_prefix
        why = f"dataset_prefix: batch {batch.batch_id!r} has {batch.dataset_prefix!r}, we serve {ours!r}"
        return ErrorInfo.permanent("WrongPrefix", why)

    def _lock_key(self, game_date: date) -> LockKey:
        return LockKey(
            lock_type=LOCK_TYPE,
            game_date=game_date,
            sport=self._names.sport.value,
            dataset_prefix=self._names.dataset_prefix,
        )


@dataclass(frozen=True, kw_only=True)
class _Run:
    """One attempt at one generation."""

    batch: Batch
    generation: int
    lease: Lease
    started_at: datetime


def _receipt(
    run: _Run, claims: Claims, merged: Merged, earlier: Receipt | None, consolidated_at: datetime
) -> Receipt:
    counts = run.batch.counts
    before = 0 if earlier is None else earlier.total_predictions
    return Receipt(
        batch_id=run.batch.batch_id,
        generation=run.generation,
        fence=run.lease.fence,
        game_date=run.batch.game_date.isoformat(),
        expected_players=run.batch.expected_players,
        completed_players=counts.completed,
        skipped_players=counts.skipped,
        failed_players=counts.failed,
        timed_out_players=counts.timed_out,
        unstaged_players=len(claims.unstaged_players),
        tables=merged.droppable,
        gathered_table=merged.gathered_table,
        rows_staged=claims.rows,
        keys_staged=merged.keys_staged,
        keys_in_main=merged.keys_in_main,
        duplicate_keys=merged.duplicate_keys,
        rows_inserted=merged.rows_inserted,
        rows_updated=merged.rows_updated,
        total_predictions=before + merged.keys_in_main,
        job_id=merged.job_id,
        bytes_processed=merged.bytes_processed,
        started_at=run.started_at,
        consolidated_at=consolidated_at,
    )


def _execution(receipt: Receipt) -> Execution:
    return Execution(
        execution_id=receipt.execution_id,
        processor_name=PROCESSOR,
        phase=5,
        game_date=date.fromisoformat(receipt.game_date),
        started_at=receipt.started_at,
        completed_at=receipt.consolidated_at,
        status=receipt.status,
        record_count=receipt.keys_in_main,
        rows_inserted=receipt.rows_inserted,
        metadata=receipt.to_document(),
    )
