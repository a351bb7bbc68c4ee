"""The BigQuery side of one consolidation: verify what was staged, merge it under the fence, prove it is in.

    a holder   fence 5 ── verifies ── paused ·································· merges: fence 6 stands, 0 rows
    the next                             fence 6 ── verifies ── merges ── proves

Whatever happens to the lock, the row that holds the fence decides, in the transaction that writes.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Protocol

from . import merge_sql, schema_check, staged, staging_names
from .chunks import chunks
from .lease import LOCK_LOST
from .merge_sql import Slice, Tables
from .predictions import COLUMNS, TABLE
from .result import ErrorInfo, ErrorType, Result
from .staged import Claims
from .staging import EXPIRES_AFTER
from .table_schema import Column
from .warehouse import Rows

MERGE_SECONDS: Final = 180.0
GATHER_SECONDS: Final = 90.0
NOT_PROVED: Final = "NotProved"


class MergeStore(Protocol):
    def execute(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        job_key: str | None = None,
        timeout_seconds: float | None = None,
    ) -> Result[Rows]: ...
    def create_table(
        self, table: str, columns: Sequence[Column], *, expires: datetime | None = None
    ) -> Result[bool]: ...


class Holder(Protocol):
    """The lock as its holder sees it."""

    fence: int

    def check(self) -> Result[Any]: ...


@dataclass(frozen=True, kw_only=True)
class Source:
    """What the merge reads: the staging tables, or the one where they were gathered."""

    slices: Sequence[Slice]
    gathered_table: str | None = None


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What the merge did and what was found afterwards."""

    gathered_table: str | None = None
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
        """Verify, gather if need be, merge, prove. All or nothing: a failure before the commit has changed
        nothing, and merging again after it changes nothing more."""
        return (
            self._check_schema(claims)
            .and_then(lambda _: self._verify(claims))
            .and_then(lambda _: self._gather_if_many(claims))
            .and_then(self._merge_and_prove)
        )

    def _check_schema(self, claims: Claims) -> Result[None]:
        names = [*claims.tables, TABLE]
        asked = self.warehouse.execute(merge_sql.columns(self.tables), {"tables": names})
        return asked.and_then(lambda found: schema_check.check(claims.tables, found.rows))

    def _verify(self, claims: Claims) -> Result[None]:
        counted: list[dict[str, Any]] = []
        for names in chunks(claims.tables, merge_sql.MAX_TABLES):
            asked = self.warehouse.execute(merge_sql.staged_counts(self.tables, names, self.game_date))
            if asked.is_failure:
                return asked.map(lambda _: None)
            counted.extend(asked.unwrap().rows)
        return staged.compare(claims, counted)

    def _gather_if_many(self, claims: Claims) -> Result[Source]:
        if _fits(self.tables, claims.slices):
            return Result.success(Source(slices=claims.slices))
        into = staging_names.gathered_table(self.batch_id, self.generation, self.holder.fence)
        made = self.holder.check().and_then(
            lambda _: self.warehouse.create_table(
                self.tables.path(into), COLUMNS, expires=self.now + EXPIRES_AFTER
            )
        )
        return made.and_then(lambda _: self._gather(claims, into))

    def _gather(self, claims: Claims, into: str) -> Result[Source]:
        gathered = 0
        for number, slices in enumerate(_fitting(self.tables, claims.slices)):
            sql = merge_sql.gather(self.tables, slices, into)
            key = self._job_key(f"gather-{self.holder.fence}-{number}")
            done = self.warehouse.execute(sql, job_key=key, timeout_seconds=GATHER_SECONDS)
            if done.error is not None:
                return Result.failure(done.error)
            gathered += done.unwrap().affected_rows or 0
        if gathered != claims.rows:
            why = f"{into}: {gathered} rows gathered of {claims.rows}"
            return Result.failure(ErrorInfo.transient(NOT_PROVED, why))
        players = tuple(sorted(claim.player for claim in claims.claims))
        return Result.success(Source(slices=(Slice(table=into, players=players),), gathered_table=into))

    def _merge_and_prove(self, source: Source) -> Result[Merged]:
        return (
            self._ensure_fence()
            .and_then(lambda _: self.holder.check())
            .and_then(lambda _: self._merge(source))
            .and_then(lambda merged: self._prove(source, merged))
        )

    def _ensure_fence(self) -> Result[Rows]:
        sql = merge_sql.ensure_fence(self.tables, self.lock_key, self.game_date, self.now)
        return self.warehouse.execute(sql)

    def _merge(self, source: Source) -> Result[Merged]:
        sql = merge_sql.merge_script(
            self.tables,
            source.slices,
            lock_key=self.lock_key,
            fence=self.holder.fence,
            game_date=self.game_date,
            now=self.now,
        )
        done = self.warehouse.execute(sql, job_key=self._job_key("merge"), timeout_seconds=MERGE_SECONDS)
        return done.and_then(lambda rows: self._merged(source, rows))

    def _merged(self, source: Source, done: Rows) -> Result[Merged]:
        counts = done.rows[0]
        if counts["fence"] != self.holder.fence:
            why = f"{self.lock_key}: fence {counts['fence']} stands, ours is {self.holder.fence}"
            return Result.failure(ErrorInfo.transient(LOCK_LOST, why, fence=self.holder.fence))
        inserted = counts["rows_after"] - counts["rows_before"]
        return Result.success(
            Merged(
                gathered_table=source.gathered_table,
                rows_inserted=inserted,
                rows_updated=counts["rows_changed"] - inserted,
                job_id=done.job_id,
                bytes_processed=done.bytes_processed,
            )
        )

    def _prove(self, source: Source, merged: Merged) -> Result[Merged]:
        sql = merge_sql.receipt(self.tables, source.slices, self.game_date)
        return self.warehouse.execute(sql).and_then(lambda found: _proved(merged, found.rows[0]))

    def _job_key(self, step: str) -> str:
        """The same for every attempt at this generation: a retry finds the job that an earlier one left."""
        whole = f"{self.tables.predictions}/{self.batch_id}/{self.generation}"
        return f"{step}-{hashlib.sha256(whole.encode()).hexdigest()}"


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


def _fits(tables: Tables, slices: Sequence[Slice]) -> bool:
    """Whether one statement can take them all in."""
    is_short = len(merge_sql.source(tables, slices)) <= merge_sql.MAX_SOURCE_BYTES
    return len(slices) <= merge_sql.MAX_TABLES and is_short


def _fitting(tables: Tables, slices: Sequence[Slice]) -> Iterator[Sequence[Slice]]:
    """Cut the slices into runs of which each fits into one statement."""
    if _fits(tables, slices) or len(slices) == 1:
        yield slices
        return
    half = min(len(slices) // 2, merge_sql.MAX_TABLES)
    yield from _fitting(tables, slices[:half])
    yield from _fitting(tables, slices[half:])
