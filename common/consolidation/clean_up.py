"""What becomes of staging tables: those that are merged to the last row go, and nothing else does.

A worker may append to its table for a player who is late. So a table is dropped only if it still has exactly
the rows that were gathered and merged, asked right before; else it stays for the next generation.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol

from ..batches.records import Batch, BatchStatus
from ..result import Result
from ..staging import table_names as staging_names
from ..warehouse.records import TableInfo
from .merge_sql import Tables

ORPHAN_AGE: Final = timedelta(hours=24)
DROPS_AT_ONCE: Final = 8

BatchOf = Callable[[str], Result[Batch]]

_OVER: Final = (BatchStatus.CONSOLIDATED, BatchStatus.ABANDONED)


class CleanUpStore(Protocol):
    def rows_if_exists(self, table: str) -> Result[int | None]: ...
    def delete_table(self, table: str) -> Result[bool]: ...
    def list_tables(self, dataset: str, prefix: str) -> Result[list[TableInfo]]: ...


@dataclass(frozen=True, kw_only=True)
class Orphans:
    """Old staging tables: those that may go, and those whose batch is not over or not known."""

    over: tuple[str, ...]
    left_alone: tuple[str, ...]


class CleanUp:
    """Drops the staging tables of one dataset. Every call may be repeated: what is gone is gone."""

    def __init__(self, warehouse: CleanUpStore, tables: Tables) -> None:
        self._warehouse = warehouse
        self._tables = tables

    def drop_merged(self, rows_by_table: Mapping[str, int]) -> Result[list[str]]:
        """Drop the tables that have exactly these rows; returns those that have others and were kept."""
        dropped = self._each(list(rows_by_table), lambda name: self._drop_if_has(name, rows_by_table[name]))
        return dropped.map(lambda gone: [name for name, is_gone in gone.items() if not is_gone])

    def drop(self, names: Sequence[str]) -> Result[None]:
        """Drop the tables whatever is in them."""
        return self._each(names, lambda name: self._warehouse.delete_table(self._tables.path(name))).map(
            lambda _: None
        )

    def orphans(self, batch_of: BatchOf, now: datetime) -> Result[Orphans]:
        """Tables that nobody will need: older than 24 h, and of a batch that is over.

        Those of a batch that is not, or of which nothing is known, are told apart and to be left alone.
        """
        prefixes = (staging_names.PREFIX, staging_names.GATHERED_PREFIX)
        listed = [self._warehouse.list_tables(self._tables.predictions, prefix) for prefix in prefixes]
        staging, gathered = listed
        return staging.and_then(
            lambda tables: gathered.and_then(
                lambda copies: _sort_out(_old(tables, now), _old(copies, now), batch_of)
            )
        )

    def _drop_if_has(self, name: str, rows: int) -> Result[bool]:
        path = self._tables.path(name)
        return self._warehouse.rows_if_exists(path).and_then(partial(self._drop_if_equal, path, rows))

    def _drop_if_equal(self, path: str, wanted: int, found: int | None) -> Result[bool]:
        if found is None:
            return Result.success(True)
        if found != wanted:
            return Result.success(False)
        return self._warehouse.delete_table(path).map(lambda _: True)

    def _each(self, names: Sequence[str], work: Callable[[str], Result[bool]]) -> Result[dict[str, bool]]:
        """Do it for all of them; the first failure is told when all were tried."""
        with ThreadPoolExecutor(DROPS_AT_ONCE) as pool:
            results = dict(zip(names, pool.map(work, names), strict=True))
        failed = next((result for result in results.values() if result.is_failure), None)
        if failed is not None and failed.error is not None:
            return Result.failure(failed.error)
        return Result.success({name: result.unwrap() for name, result in results.items()})


def _old(tables: Sequence[TableInfo], now: datetime) -> list[str]:
    return [table.name for table in tables if now - table.created > ORPHAN_AGE]


def _sort_out(staging: Sequence[str], copies: Sequence[str], batch_of: BatchOf) -> Result[Orphans]:
    """Copies may go in any case; staging tables with their batch, each of which is asked for once."""
    batch_ids = {name: parsed[0] for name in staging if (parsed := staging_names.parse(name))}
    is_over: dict[str, bool] = {}
    for batch_id in sorted(set(batch_ids.values())):
        asked = batch_of(batch_id)
        if asked.error is not None and not asked.error.is_expected:
            return Result.failure(asked.error)
        is_over[batch_id] = asked.is_success and asked.unwrap().status in _OVER
    may_go = [name for name in staging if is_over.get(batch_ids.get(name, ""), False)]
    left_alone = [name for name in staging if name not in may_go]
    return Result.success(Orphans(over=(*may_go, *copies), left_alone=tuple(left_alone)))
