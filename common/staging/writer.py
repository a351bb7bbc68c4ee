"""Staging: a worker's rows go into a table of its own, by load job, before anybody hears of them.

    worker    rows ── checked ── loaded ── completion published (table, rows)
                                      ╰─ crash here: redelivered, the same rows load nothing twice

Load jobs, never DML: one table per worker, so that no table sees more than its 1,500 load jobs a day and the
main table sees none.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from ..predictions import rows as row_rules
from ..predictions.columns import Column
from ..predictions.rows import Row
from ..predictions.table import COLUMNS
from ..result import ErrorInfo, Result
from ..warehouse.records import Loaded
from . import table_names as staging_names

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
    ) -> Result[bool]: ...
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
        self._made: set[str] = set()
        self._written: dict[str, StagedWrite] = {}

    def write(self, rows: Sequence[Row], batch_id: str, worker_id: str) -> Result[StagedWrite]:
        """Load `rows` into the worker's table for the batch, which is created when first needed.

        `worker_id` is that of the worker's instance, the same over its life. `created_at` of the rows comes
        from the request, not from the clock: then a redelivered request has the same content, and that loads
        nothing twice (on BigQuery by the job's id; the instance also remembers what it has loaded). No rows:
        a success without a table. Failures: InvalidRows (PERMANENT, nothing loaded), or the warehouse's.
        """
        if not rows:
            return Result.success(StagedWrite(table=None, rows=0))
        try:
            table = staging_names.staging_table(batch_id, worker_id)
        except ValueError as exc:
            return Result.failure(ErrorInfo.from_exception(exc, batch_id=batch_id, worker_id=worker_id))
        return row_rules.encode(rows).and_then(lambda encoded: self._write_once(table, encoded))

    def _write_once(self, table: str, rows: list[dict[str, Any]]) -> Result[StagedWrite]:
        key = _job_key(self._dataset, table, rows)
        with self._guard:
            earlier = self._written.get(key)
        if earlier is not None:
            return Result.success(earlier)
        written = self._ensure_table(table).and_then(lambda _: self._load(table, rows, key))
        if written.is_success:
            self._remember(key, written.unwrap())
        return written

    def _ensure_table(self, table: str) -> Result[bool]:
        with self._guard:
            if table in self._made:
                return Result.success(False)
        made = self._warehouse.create_table(self._path(table), COLUMNS, expires=self._now() + EXPIRES_AFTER)
        if made.is_success:
            with self._guard:
                self._made.add(table)
        return made

    def _load(self, table: str, rows: list[dict[str, Any]], key: str) -> Result[StagedWrite]:
        loaded = self._warehouse.load(self._path(table), rows, COLUMNS, job_key=key)
        if loaded.is_failure:
            return self._not_loaded(table, loaded)
        return loaded.map(
            lambda done: StagedWrite(
                table=table, rows=done.rows, job_id=done.job_id, bytes_sent=done.bytes_sent
            )
        )

    def _not_loaded(self, table: str, loaded: Result[Loaded]) -> Result[StagedWrite]:
        """Why not. A table that was dropped meanwhile (its batch is over) is made anew by the retry."""
        with self._guard:
            self._made.discard(table)
        exists = self._warehouse.table_exists(self._path(table))
        if exists.is_success and not exists.unwrap():
            return Result.failure(
                ErrorInfo.transient(
                    "StagingTableGone", f"{table} was dropped", table=table, cause=str(loaded.error)
                )
            )
        assert loaded.error is not None
        return Result.failure(loaded.error)

    def _remember(self, key: str, written: StagedWrite) -> None:
        with self._guard:
            if len(self._written) >= MAX_REMEMBERED:
                self._written.pop(next(iter(self._written)))
            self._written[key] = written

    def _path(self, table: str) -> str:
        return f"{self._dataset}.{table}"


def _job_key(dataset: str, table: str, rows: list[dict[str, Any]]) -> str:
    """The id of a load, made from where and what: equal content is the same job."""
    content = json.dumps([dataset, table, rows], sort_keys=True, allow_nan=False)
    return "stage-" + hashlib.sha256(content.encode()).hexdigest()
