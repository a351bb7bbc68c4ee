"""The BigQuery side of one consolidation: gather what was staged, merge it under the fence, prove it is in.

    a holder   fence 5 ── gathers ── paused ································ merges: fence 6 stands, 0 rows
    the next                            fence 6 ── gathers ── merges ── proves

Whatever happens to the lock, the row that holds the fence decides, in the transaction that writes. The copy
that is verified is the copy that is merged: rows that a worker appends meanwhile are in neither.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final, Protocol

from ..predictions import schema_check
from ..predictions.table import TABLE
from ..result import LOCK_LOST, ErrorInfo, ErrorType, Result
from ..staging import table_names as staging_names
from ..staging.writer import EXPIRES_AFTER
from ..warehouse.records import Rows
from . import merge_sql
from . import staged_rows as staged
from .merge_sql import Slice, Tables
from .staged_rows import Claims, Counted

GATHER_SECONDS: Final = 90.0
MERGE_SECONDS: Final = 180.0
LOOKS_AT_ONCE: Final = 8
NOT_PROVED: Final = "NotProved"


class MergeStore(Protocol):
    def execute(
        self, sql: str, *, job_key: str | None = None, timeout_seconds: float | None = None
    ) -> Result[Rows]: ...
    def columns(self, table: str) -> Result[Mapping[str, str] | None]: ...


class Holder(Protocol):
    """The lock as its holder sees it."""

    fence: int

    def check(self) -> Result[Any]: ...


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What the merge did and what was found afterwards."""

    gathered_table: str | None = None
    droppable: Mapping[str, int] = field(default_factory=dict)
    """Staging tables that are merged to the last row, and their rows."""
    keys_staged: int = 0
    keys_in_main: int = 0
    duplicate_keys: int = 0
    rows_inserted: int = 0
    rows_updated: int = 0
    job_id: str | None = None
    bytes_processed: int = 0


@dataclass(frozen=True, kw_only=True)
class FencedMerge:
    """Merges the claims of one batch, once, for one holder of the lock."""

    warehouse: MergeStore
    tables: Tables
    holder: Holder
    lock_key: str
    batch_id: str
    generation: int
    game_date: date
    now: datetime
    """When this merge began, to the microsecond: marks the rows that it changes."""

    def run(self, claims: Claims) -> Result[Merged]:
        """All or nothing: a failure before the commit has changed nothing, and merging again after it changes
        nothing more. Claims that are empty are merged at once."""
        if not claims.claims:
            return Result.success(Merged())
        return (
            self._check_schema(claims)
            .and_then(lambda _: self._gather(claims))
            .and_then(lambda _: self._count())
            .and_then(lambda counted: self._merge_if_complete(claims, counted))
        )

    @property
    def gathered_table(self) -> str:
        """Its name holds the fence: no other holder writes there."""
        return staging_names.gathered_table(self.batch_id, self.generation, self.holder.fence)

    def _check_schema(self, claims: Claims) -> Result[None]:
        """Look at every table: its metadata is free, where INFORMATION_SCHEMA takes seconds and is billed."""
        names = [*(part.table for part in claims.slices), TABLE]
        with ThreadPoolExecutor(LOOKS_AT_ONCE) as pool:
            results = list(pool.map(self.warehouse.columns, map(self.tables.path, names)))
        failed = next((result.error for result in results if result.error is not None), None)
        if failed is not None:
            return Result.failure(failed)
        return schema_check.check({name: result.data for name, result in zip(names, results, strict=True)})

    def _gather(self, claims: Claims) -> Result[None]:
        for number, sql in enumerate(self._gather_statements(claims.slices)):
            key = self._job_key(f"gather-{self.holder.fence}-{number}")
            done = self.warehouse.execute(sql, job_key=key, timeout_seconds=GATHER_SECONDS)
            if done.error is not None:
                return Result.failure(done.error)
        return Result.success(None)

    def _gather_statements(self, slices: Sequence[Slice]) -> Iterator[str]:
        first, *others = runs(slices)
        into = self.gathered_table
        yield merge_sql.gather(self.tables, first, into, self.now + EXPIRES_AFTER)
        for run in others:
            yield merge_sql.gather_more(self.tables, run, into)

    def _count(self) -> Result[list[Counted]]:
        sql = merge_sql.gathered_counts(self.tables, self.gathered_table, self.game_date)
        return self.warehouse.execute(sql).map(lambda found: [Counted(**row) for row in found.rows])

    def _merge_if_complete(self, claims: Claims, counted: Sequence[Counted]) -> Result[Merged]:
        return (
            staged.compare(claims, counted)
            .and_then(lambda _: self._ensure_fence())
            .and_then(lambda _: self.holder.check())
            .and_then(lambda _: self._merge(staged.droppable(claims, counted)))
            .and_then(self._prove)
        )

    def _ensure_fence(self) -> Result[Rows]:
        sql = merge_sql.ensure_fence(self.tables, self.lock_key, self.game_date, self.now)
        return self.warehouse.execute(sql)

    def _merge(self, droppable: Mapping[str, int]) -> Result[Merged]:
        sql = merge_sql.merge_script(
            self.tables,
            self.gathered_table,
            lock_key=self.lock_key,
            fence=self.holder.fence,
            game_date=self.game_date,
            now=self.now,
        )
        done = self.warehouse.execute(sql, job_key=self._job_key("merge"), timeout_seconds=MERGE_SECONDS)
        return done.and_then(lambda rows: self._merged(rows, droppable))

    def _merged(self, done: Rows, droppable: Mapping[str, int]) -> Result[Merged]:
        counts = done.rows[0]
        if counts["fence"] != self.holder.fence:
            why = f"{self.lock_key}: fence {counts['fence']} stands, ours is {self.holder.fence}"
            return Result.failure(ErrorInfo.transient(LOCK_LOST, why, fence=self.holder.fence))
        inserted = counts["rows_after"] - counts["rows_before"]
        return Result.success(
            Merged(
                gathered_table=self.gathered_table,
                droppable=droppable,
                rows_inserted=inserted,
                rows_updated=counts["rows_changed"] - inserted,
                job_id=done.job_id,
                bytes_processed=done.bytes_processed,
            )
        )

    def _prove(self, merged: Merged) -> Result[Merged]:
        sql = merge_sql.receipt(self.tables, self.gathered_table, self.game_date)
        return self.warehouse.execute(sql).and_then(lambda found: _proved(merged, found.rows[0]))

    def _job_key(self, step: str) -> str:
        """The same for every attempt at this generation: a retry finds the job that an earlier one left."""
        whole = f"{self.tables.predictions}/{self.batch_id}/{self.generation}"
        return f"{step}-{hashlib.sha256(whole.encode()).hexdigest()}"


def runs(slices: Sequence[Slice]) -> list[Sequence[Slice]]:
    """Cut the slices so that one statement can take each run."""
    cut: list[list[Slice]] = [[]]
    chars = 0
    for part in slices:
        length = sum(len(player) + 4 for player in part.players) + 3 * len(part.table) + 200
        is_full = len(cut[-1]) == merge_sql.MAX_TABLES or chars + length > merge_sql.MAX_SQL_CHARS
        if is_full:
            cut.append([])
            chars = 0
        cut[-1].append(part)
        chars += length
    return list(cut)


def _proved(merged: Merged, counts: Mapping[str, Any]) -> Result[Merged]:
    if counts["duplicate_keys"]:
        why = f"{counts['duplicate_keys']} of the merged keys are in the main table more than once"
        return Result.failure(ErrorInfo.permanent(NOT_PROVED, why, **counts))
    if counts["keys_in_main"] != counts["keys_staged"] or counts["outdated_keys"]:
        why = f"not all staged keys are in the main table as staged: {dict(counts)}"
        return Result.failure(ErrorInfo(ErrorType.UNKNOWN, NOT_PROVED, why, dict(counts)))
    return Result.success(
        replace(
            merged,
            keys_staged=counts["keys_staged"],
            keys_in_main=counts["keys_in_main"],
            duplicate_keys=counts["duplicate_keys"],
        )
    )
