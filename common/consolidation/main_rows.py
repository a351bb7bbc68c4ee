"""Rows of the main table that a person wants gone: removed under the lock of their day and its fence."""

from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import Final, Protocol

from ..result import LOCK_LOST, ErrorInfo, Result, ResultError, returns_result
from ..warehouse.records import Rows
from . import merge_sql
from .day_lock import DayLock
from .merge_sql import Tables

OPERATION: Final = "remove-rows"
"""Names the holder of the lock to whoever has to wait for it."""
REMOVE_SECONDS: Final = 60.0


class ScriptStore(Protocol):
    """Runs a script of BigQuery."""

    def execute(self, sql: str, *, timeout_seconds: float | None = None) -> Result[Rows]:
        """The rows of its last statement."""


class MainRows:
    """The rows of one sport's main table; safe to share between threads."""

    def __init__(
        self, warehouse: ScriptStore, day_lock: DayLock, tables: Tables, now: Callable[[], datetime]
    ) -> None:
        self._warehouse = warehouse
        self._day_lock = day_lock
        self._tables = tables
        self._now = now

    @returns_result
    def remove(self, game_date: date, players: Collection[str]) -> int:
        """Remove every row of these players on that day; how many.

        Safe to repeat: what is gone is gone. Failures: LOCK_HELD (TRANSIENT: a batch of the day is being
        consolidated), LOCK_LOST (TRANSIENT: overtaken, nothing was removed), or a fault of the warehouse.
        """
        # Neither lock nor job: a day that others wait for is not held for nothing.
        if not players:
            return 0
        with self._day_lock.held(game_date, OPERATION) as lease:
            sql = merge_sql.removal_script(
                self._tables,
                sorted(players),
                lock_key=self._day_lock.key(game_date).document_id,
                fence=lease.fence,
                game_date=game_date,
                now=self._now(),
            )
            # What follows cannot be taken back. A lease that ends after this look is the fence's to stop.
            lease.check().unwrap()
            done = self._warehouse.execute(sql, timeout_seconds=REMOVE_SECONDS).unwrap().rows[0]
            # Under a higher fence the script has removed nothing: its count is of somebody else's doing.
            if done["fence"] != lease.fence:
                why = f"fence {done['fence']} stands, ours is {lease.fence}"
                raise ResultError(ErrorInfo.transient(LOCK_LOST, why, fence=lease.fence))
            return int(done["rows_removed"])
