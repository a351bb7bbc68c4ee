"""Staging: a worker's rows go into a table of its own, by load job, before anybody hears of them.

    worker    rows ── checked ── loaded ── completion published (table, rows)
                                      ╰─ crash here: redelivered, the same rows load nothing twice

Load jobs, never DML: DML allows 2 running and 20 queued statements a table, and rows that were streamed
cannot be changed for 30 to 90 minutes. One table per worker: a table takes 1,500 load jobs a day, failed ones
included, and the main table sees none.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from ..predictions import rows as row_rules
from ..predictions.columns import Column
from ..predictions.rows import Row
from ..predictions.table import COLUMNS
from ..result import ErrorInfo, Result, ResultError, returns_result
from ..warehouse.job_keys import job_key
from ..warehouse.records import Loaded, TableFacts
from . import table_names

EXPIRES_AFTER: Final = timedelta(hours=48)
"""After this BigQuery drops the table by itself: catches whatever no clean-up dropped."""

MAX_REMEMBERED: Final = 10_000
"""Writes that an instance keeps in memory; the oldest goes first, and then its job's id alone prevents a
second load."""


@dataclass(frozen=True, kw_only=True)
class StagedWrite:
    """What a worker reports with its completion: `staging_table` and `staged_rows` of its message."""

    table: str | None
    """Name without its dataset; None where there was nothing to write."""
    rows: int
    job_id: str = ""
    """Of the load job; empty where there was none."""
    bytes_sent: int = 0


class StagingStore(Protocol):
    """What the writer needs of the warehouse."""

    def create_table(
        self, table: str, columns: Sequence[Column], *, expires: datetime | None = None
    ) -> Result[datetime]:
        """When the table was created, by now or before."""

    def look(self, table: str) -> Result[TableFacts | None]:
        """Its creation time and rows; None for one that is not there."""

    def load(
        self, table: str, rows: Sequence[Row], columns: Sequence[Column], *, job_key: str
    ) -> Result[Loaded]:
        """Append rows once per key."""


class StagingWriter:
    """Writes the staging tables of one dataset; safe to share between threads.

    Keeps in memory which tables it has made and what it has loaded. Losing that (a new instance) costs a look
    at the table and an attempt at a job whose id is taken, and never loads rows twice.
    """

    def __init__(self, warehouse: StagingStore, dataset: str, now: Callable[[], datetime]) -> None:
        self._warehouse = warehouse
        self._dataset = dataset
        self._now = now
        self._guard = threading.Lock()
        self._made: dict[str, datetime] = {}
        """When the tables that this instance knows of were created."""
        self._written: dict[str, StagedWrite] = {}

    @returns_result
    def write(self, rows: Sequence[Row], batch_id: str, worker_id: str) -> StagedWrite:
        """Load `rows` into the worker's table for the batch, which is created when first needed.

        `worker_id` is that of the worker's instance, the same over its life: a new one per call would make a
        table per call. `created_at` of the rows comes from the request, not from the clock: then a
        redelivered request has the same content, and the same content loads nothing twice. On BigQuery that
        is so by the job's id, made from the content and the creation time of the table, so that a table made
        anew is loaded anew; the instance also remembers what it has loaded.

        No rows: a success without a table. Failures: InvalidRows (PERMANENT, nothing loaded), ValueError for
        an id that makes no table name (PERMANENT), StagingTableGone (the table was dropped meanwhile:
        TRANSIENT, a retry makes it anew), or the warehouse's.
        """
        if not rows:
            return StagedWrite(table=None, rows=0)
        table = _table_name(batch_id, worker_id)
        encoded = row_rules.encode(rows).unwrap()
        created = self._created(table).unwrap()
        # The creation time is part of it: rows that went with a dropped table are not "loaded already".
        key = job_key("stage", self._dataset, table, created.isoformat(), encoded)
        with self._guard:
            earlier = self._written.get(key)
        if earlier is not None and self._is_there_still(table, created):
            return earlier
        # Outside the guard: two threads with the same rows both try, and the job's id lets one of them load.
        written = self._load(table, encoded, key, created)
        self._remember(key, written)
        return written

    def _created(self, table: str) -> Result[datetime]:
        """When the table was created; it exists from here on, though it may be dropped again."""
        with self._guard:
            known = self._made.get(table)
        if known is not None:
            return Result.success(known)
        # Outside the lock: two threads may both ask, and both learn the time of the one table.
        made = self._warehouse.create_table(self._path(table), COLUMNS, expires=self._now() + EXPIRES_AFTER)
        if made.is_success:
            with self._guard:
                self._made[table] = made.unwrap()
        return made

    def _is_there_still(self, table: str, created: datetime) -> bool:
        """True, or StagingTableGone is raised: that a load once succeeded does not say that its rows are
        still there.

            worker         loads ─────────────────── redelivered: "loaded already"? looks
            consolidation           merges, drops ┘               made anew, or gone: loads again
        """
        if not _is_of(self._warehouse.look(self._path(table)).unwrap(), created):
            self._forget(table)
            raise ResultError(_gone(table))
        return True

    def _load(self, table: str, rows: list[dict[str, Any]], key: str, created: datetime) -> StagedWrite:
        """Load once.

            request 1        created? yes ────────────────── loads: no such table ── looks: another one
            consolidation                   merges, drops ┘
            request 2                                          makes it anew ┘

        A load that fails for a missing table is PERMANENT as the warehouse says it. A retry makes the table
        anew, or finds the new one: it is told as TRANSIENT. Where it cannot be shown that our table is gone
        the failure stays as it is.
        """
        loaded = self._warehouse.load(self._path(table), rows, COLUMNS, job_key=key)
        if loaded.is_failure:
            self._forget(table)
            looked = self._warehouse.look(self._path(table))
            if looked.is_success and not _is_of(looked.unwrap(), created):
                raise ResultError(_gone(table, cause=str(loaded.error)))
        done = loaded.unwrap()
        return StagedWrite(table=table, rows=done.rows, job_id=done.job_id, bytes_sent=done.bytes_sent)

    def _forget(self, table: str) -> None:
        with self._guard:
            self._made.pop(table, None)

    def _remember(self, key: str, written: StagedWrite) -> None:
        with self._guard:
            # A dict keeps the order of insertion: its first key is the oldest.
            if len(self._written) >= MAX_REMEMBERED:
                self._written.pop(next(iter(self._written)))
            self._written[key] = written

    def _path(self, table: str) -> str:
        return f"{self._dataset}.{table}"


def _table_name(batch_id: str, worker_id: str) -> str:
    """The name, or the PERMANENT failure that tells which ids make none."""
    try:
        return table_names.staging_table(batch_id, worker_id)
    except ValueError as exc:
        raise ResultError(ErrorInfo.from_exception(exc, batch_id=batch_id, worker_id=worker_id)) from exc


def _is_of(facts: TableFacts | None, created: datetime) -> bool:
    """Whether a table is there, and is the one that was created then."""
    return facts is not None and facts.created == created


def _gone(table: str, **details: str) -> ErrorInfo:
    return ErrorInfo.transient("StagingTableGone", f"{table} was dropped", table=table, **details)
