"""What becomes of staging tables: those that are merged go, and nothing else does.

A table is dropped only if right before every row in it belongs to a player whose rows are merged. A worker
may append to its table for a player who is late: then it stays for the next generation.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from . import merge_sql, staging_names
from .batch_records import Batch, BatchStatus, Completion
from .chunks import chunks
from .merge_sql import Tables
from .messages import PlayerOutcome
from .query_parameters import Typed
from .result import Result
from .warehouse import Rows, TableInfo

ORPHAN_AGE: Final = timedelta(hours=24)
DROPS_AT_ONCE: Final = 8

BatchOf = Callable[[str], Result[Batch]]

_OVER: Final = (BatchStatus.CONSOLIDATED, BatchStatus.ABANDONED)


class CleanUpStore(Protocol):
    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[Rows]: ...
    def delete_table(self, table: str) -> Result[bool]: ...
    def list_tables(self, dataset: str, prefix: str) -> Result[list[TableInfo]]: ...


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """Tables that are gone, and tables that hold rows which are not merged."""

    dropped: tuple[str, ...]
    kept: tuple[str, ...]


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

    def drop_merged(self, completions: Iterable[Completion], generation: int) -> Result[Dropped]:
        """Drop the tables of the players that are merged up to `generation`."""
        merged = [
            one
            for one in completions
            if one.outcome is PlayerOutcome.COMPLETED and one.generation <= generation and one.staging_table
        ]
        names = sorted({str(one.staging_table) for one in merged})
        players = sorted({one.player_lookup for one in merged})
        existing = self._existing(names)
        return existing.and_then(lambda found: self._drop_finished(found, players))

    def drop_gathered(self, table: str) -> Result[bool]:
        """Drop the table where one consolidation gathered its rows: a copy, no matter what is in it."""
        return self._warehouse.delete_table(self._tables.path(table))

    def orphans(self, batch_of: BatchOf, now: datetime) -> Result[Orphans]:
        """Staging tables that nobody will need: older than 24 h, and of a batch that is over.

        Of a batch that is not (or of which nothing is known) they are told apart and left alone.
        """
        staging = self._warehouse.list_tables(self._tables.predictions, staging_names.PREFIX)
        gathered = self._warehouse.list_tables(self._tables.predictions, staging_names.GATHERED_PREFIX)
        return staging.and_then(
            lambda found: gathered.and_then(
                lambda copies: _sort(_old(found, now), batch_of).map(
                    lambda sorted_out: replace(sorted_out, over=sorted_out.over + _old(copies, now))
                )
            )
        )

    def drop(self, names: Sequence[str]) -> Result[tuple[str, ...]]:
        """Drop tables by their names; the first failure is told after all were tried."""
        paths = [self._tables.path(name) for name in names]
        with ThreadPoolExecutor(DROPS_AT_ONCE) as pool:
            results = list(pool.map(self._warehouse.delete_table, paths))
        failed = next((result.error for result in results if result.error is not None), None)
        return Result.success(tuple(names)) if failed is None else Result.failure(failed)

    def _existing(self, names: Sequence[str]) -> Result[list[str]]:
        asked = self._warehouse.query(merge_sql.existing(self._tables), {"tables": Typed("STRING", names)})
        return asked.map(lambda found: sorted(row["table_name"] for row in found.rows))

    def _drop_finished(self, names: Sequence[str], players: Sequence[str]) -> Result[Dropped]:
        kept: set[str] = set()
        for chunk in chunks(names, merge_sql.MAX_TABLES):
            sql = merge_sql.unfinished_counts(self._tables, chunk)
            asked = self._warehouse.query(sql, {"players": Typed("STRING", players)})
            if asked.error is not None:
                return Result.failure(asked.error)
            kept |= {row["staging_table"] for row in asked.unwrap().rows if row["kept_rows"]}
        finished = [name for name in names if name not in kept]
        return self.drop(finished).map(lambda dropped: Dropped(dropped=dropped, kept=tuple(sorted(kept))))


def _old(tables: Sequence[TableInfo], now: datetime) -> tuple[str, ...]:
    return tuple(table.name for table in tables if now - table.created > ORPHAN_AGE)


def _sort(names: Sequence[str], batch_of: BatchOf) -> Result[Orphans]:
    """Which tables belong to a batch that is over; each batch is asked for once."""
    over: dict[str, bool] = {}
    for batch_id in sorted({found[0] for name in names if (found := staging_names.parse(name))}):
        asked = batch_of(batch_id)
        if asked.error is not None and not asked.error.is_expected:
            return Result.failure(asked.error)
        over[batch_id] = asked.is_success and asked.unwrap().status in _OVER
    known = {name: over[found[0]] for name in names if (found := staging_names.parse(name))}
    return Result.success(
        Orphans(
            over=tuple(name for name in names if known.get(name)),
            left_alone=tuple(name for name in names if not known.get(name)),
        )
    )
