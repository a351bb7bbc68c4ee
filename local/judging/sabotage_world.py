"""The finished day as somebody breaks it: its stores, and the audit of them.

What takes hours elsewhere is older here by the clock that the audit looks at: staging tables, and one batch.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from google.cloud import firestore

from common.audit.assembly import Audit
from common.audit.auditor import Auditor
from common.audit.batch_reader import BatchReader, Seen, Wanted
from common.audit.batch_rules import CONSOLIDATION_TAKES
from common.audit.repairs import SafeRepairs
from common.audit.staging_checks import StagingTables
from common.batches.batches import Batches
from common.batches.records import Batch, BatchStatus, batch_path
from common.consolidation.clean_up import ORPHAN_AGE, CleanUp
from common.consolidation.day_lock import DayLock
from common.consolidation.merge_sql import Tables
from common.lock.lock import Lock
from common.lock.rules import LockKey
from common.result import Result
from common.runtime.wiring import WarehouseWiring
from common.settings import WarehouseSettings
from common.sport import DatasetRole
from common.staging import table_names

HOUR: Final = timedelta(hours=1)
SABOTEUR: Final = "sabotage"
STUCK: Final = "sabotage_stuck"
"""The batch that has not been written for longer than a consolidation takes."""


class AgedBatches(BatchReader):
    """The batches as if `STUCK` had not been written for a while: no client sets that time."""

    def seen(self, wanted: Wanted) -> Result[Seen]:
        return super().seen(wanted).map(_aged)


def _aged(seen: Seen) -> Seen:
    aged = (
        replace(batch, update_time=batch.update_time - CONSOLIDATION_TAKES)
        if batch.batch_id == STUCK
        else batch
        for batch in seen.batches
    )
    return replace(seen, batches=tuple(aged))


class AgedStaging(StagingTables):
    """The staging tables that `SABOTEUR` has left, as if a day had gone by; not those of workers: made
    anew, they would look just as old."""

    def orphans(self, now: datetime) -> Result[list[str]]:
        found = super().orphans(now + ORPHAN_AGE + HOUR)
        return found.map(lambda names: [name for name in names if _is_left_on_purpose(name)])


def _is_left_on_purpose(table: str) -> bool:
    parsed = table_names.parse(table)
    return parsed is not None and parsed[1] == SABOTEUR


class World:
    """One game date and its batch, on the stores of the wiring."""

    def __init__(self, wiring: WarehouseWiring[WarehouseSettings], game_date: date, batch_id: str) -> None:
        self.wiring: Final = wiring
        self.game_date: Final = game_date
        self.batch_id: Final = batch_id
        self.audit: Final = Audit(wiring)
        names = wiring.settings.names
        self.tables: Final = Tables(predictions=names.dataset(DatasetRole.PREDICTIONS))
        self.lock: Final = Lock(wiring.database())
        self.players: Final = tuple(
            one.player_lookup for one in self.batches.completions(batch_id).unwrap() if one.staged_rows
        )
        """Who has rows in the main table, in the order of their names."""

    @property
    def db(self) -> firestore.Client:
        return self.wiring.database()

    @property
    def batches(self) -> Batches:
        return self.wiring.batches()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def player(self, number: int) -> str:
        """Another one for each number, as long as there are so many."""
        return self.players[number % len(self.players)]

    def batch(self, batch_id: str) -> firestore.DocumentReference:
        found: firestore.DocumentReference = self.db.document(batch_path(batch_id))
        return found

    def lock_key(self, days_later: int = 0) -> LockKey:
        """That of the game date's consolidation, or of another date's."""
        key = DayLock(self.lock, self.wiring.settings.names).key
        return key(self.game_date + timedelta(days=days_later))

    def execute(self, sql: str, **parameters: Any) -> None:
        """A statement in which `{main}` and `{of_day}` are the main table and its rows of the date."""
        filled = sql.format(main=f"`{self.tables.main}`", of_day="game_date = @game_date")
        self.wiring.warehouse().execute(filled, {"game_date": self.game_date, **parameters}).unwrap()

    def auditor(self) -> Auditor:
        """The deployment's own, but for the clocks."""
        auditor = self.audit.auditor()
        assert isinstance(auditor.repairs, SafeRepairs)
        staging = AgedStaging(
            CleanUp(self.wiring.warehouse(), self.tables),
            self.batches.get,
            lambda: self.now() + ORPHAN_AGE + HOUR,
        )
        look_at, batches = auditor.sight, AgedBatches(self.db)

        def aged(**of_this_run: Any) -> Any:
            return replace(look_at(**of_this_run), batches=batches, staging=staging)

        return replace(
            auditor,
            sight=aged,
            repairs=replace(auditor.repairs, staging=staging),
            today=lambda: self.game_date,
        )

    def unsettled(self) -> Mapping[str, str]:
        """Batches that a repair has set in motion and that are not over yet, with what is missing."""
        asked = Wanted(game_date=self.game_date, since=self.game_date)
        seen = BatchReader(self.db).seen(asked).unwrap()
        waiting = {batch.batch_id: batch.status.value for batch in seen.batches if not _is_over(batch)}
        late = self.batches.get(self.batch_id).unwrap().counts.timed_out
        return {**waiting, self.batch_id: f"{late} players have not come again"} if late else waiting

    def lost_rows(self) -> tuple[str, ...]:
        """Players of the day who have not the rows in the main table that their completions tell of."""
        sql = f"SELECT player_lookup FROM `{self.tables.main}` WHERE game_date = @game_date"
        asked = self.wiring.warehouse().query(sql, {"game_date": self.game_date}).unwrap()
        there = Counter(row["player_lookup"] for row in asked.rows)
        completions = self.batches.completions(self.batch_id).unwrap()
        return tuple(
            each.player_lookup for each in completions if there[each.player_lookup] != (each.staged_rows or 0)
        )


def _is_over(batch: Batch) -> bool:
    return batch.status is BatchStatus.CONSOLIDATED and batch.phase_generation >= batch.generation
