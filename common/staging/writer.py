"""Staging: a worker's rows go into a table of its own, by load job, before anybody hears of them.

    worker    rows ── checked ── loaded ── completion published (table, rows)
                                      ╰─ crash here: redelivered, the same rows load nothing twice

Load jobs, never DML: one table per worker, so that no table sees more than its 1,500 load jobs a day and the
main table sees none.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from ..job_keys import job_key
from ..predictions import rows as row_rules
from ..predictions.columns import Column
from ..predictions.rows import Row
from ..predictions.table import COLUMNS
from ..result import ErrorInfo, Result, ResultError, returns_result
from ..warehouse.records import Loaded, TableFacts
from . import table_names

EXPIRES_AFTER: Final = timedelta(hours=48)
"""The net below the clean-up: whatever nobody dropped goes by itself."""

MAX_REMEMBERED: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class StagedWrite:
    """What a worker reports with its completion."""

    table: str | None
    """Name without its dataset; None where there was nothing to write."""
    rows: int
    job_id: str = ""
    bytes_sent: int = 0


class StagingStore(Protocol):
    def create_table(
        self, table: str, columns: Sequence[Column], *, expires: datetime | None = None
    ) -> Result[datetime]: ...
    def look(self, table: str) -> Result[TableFacts | None]: ...
    def table_exists(self, table: str) -> Result[bool]: ...
    def load(
        self, table: str, rows: Sequence[Row], columns: Sequence[Column], *, job_key: str
    ) -> Result[Loaded]: ...


class StagingWriter:
    """Writes the staging tables of one dataset; safe to share between threads."""

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

        `worker_id` is that of the worker's instance, the same over its life. `created_at` of the rows comes
        from the request, not from the clock: then a redelivered request has the same content, and that loads
        nothing twice. On BigQuery that is so by the job's id, made from the content and the creation time of
        the table, so that a table made anew is loaded anew; the instance also remembers what it has loaded.
        No rows: a success without a table. Failures: InvalidRows (PERMANENT, nothing loaded), a table that
        was dropped meanwhile (TRANSIENT), or the warehouse's.
        """
        if not rows:
            return StagedWrite(table=None, rows=0)
        table = _table_name(batch_id, worker_id)
        encoded = row_rules.encode(rows).unwrap()
        created = self._created(table).unwrap()
        key = job_key("stage", self._dataset, table, created.isoformat(), encoded)
        with self._guard:
            earlier = self._written.get(key)
        if earlier is not None and self._is_there_still(table, created):
            return earlier
        written = self._load(table, encoded, key)
        self._remember(key, written)
        return written

    def _created(self, table: str) -> Result[datetime]:
        """When the table was created, by now at the latest."""
        with self._guard:
            known = self._made.get(table)
        if known is not None:
            return Result.success(known)
        made = self._warehouse.create_table(self._path(table), COLUMNS, expires=self._now() + EXPIRES_AFTER)
        if made.is_success:
            with self._guard:
                self._made[table] = made.unwrap()
        return made

    def _is_there_still(self, table: str, created: datetime) -> bool:
        """Raises for a table that was dropped: that a load succeeded does not say that its rows are there."""
        facts = self._warehouse.look(self._path(table)).unwrap()
        if facts is None or facts.created != created:
            self._forget(table)
            raise ResultError(_gone(table))
        return True

    def _load(self, table: str, rows: list[dict[str, Any]], key: str) -> StagedWrite:
        loaded = self._warehouse.load(self._path(table), rows, COLUMNS, job_key=key)
        if loaded.is_failure:
            self._forget(table)
            # Was it dropped meanwhile, because its batch is over? Then the retry makes it anew.
            exists = self._warehouse.table_exists(self._path(table))
            if exists.is_success and not exists.unwrap():
                raise ResultError(_gone(table, cause=str(loaded.error)))
        done = loaded.unwrap()
        return StagedWrite(table=table, rows=done.rows, job_id=done.job_id, bytes_sent=done.bytes_sent)

    def _forget(self, table: str) -> None:
        with self._guard:
            self._made.pop(table, None)

    def _remember(self, key: str, written: StagedWrite) -> None:
        with self._guard:
            if len(self._written) >= MAX_REMEMBERED:
                self._written.pop(next(iter(self._written)))
            self._written[key] = written

    def _path(self, table: str) -> str:
        return f"{self._dataset}.{table}"


def _table_name(batch_id: str, worker_id: str) -> str:
    try:
        return table_names.staging_table(batch_id, worker_id)
    except ValueError as exc:
        raise ResultError(ErrorInfo.from_exception(exc, batch_id=batch_id, worker_id=worker_id)) from exc


def _gone(table: str, **details: str) -> ErrorInfo:
    return ErrorInfo.transient("StagingTableGone", f"{table} was dropped", table=table, **details)
