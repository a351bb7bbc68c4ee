"""Batches, staging and consolidation on the emulators: staged, recorded and consolidated in a line each."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from google.cloud import bigquery, firestore

from common.batches.batches import Batches
from common.batches.records import BatchStatus, batch_path
from common.batches.trigger_outbox import TriggerOutbox
from common.consolidation.consolidator import Consolidator
from common.consolidation.day_lock import LOCK_TYPE
from common.consolidation.fenced_merge import FencedMerge, Holder, Merged
from common.consolidation.jobs import Jobs
from common.consolidation.merge_sql import FENCES, Tables
from common.consolidation.staged_rows import staged_of
from common.documents.async_store import AsyncFirestoreDocuments
from common.documents.store import FirestoreDocuments
from common.execution_log import TABLE as LOG_TABLE
from common.lock.lock import Lock
from common.lock.rules import LockKey
from common.maintenance.deadlines import OverdueBatches
from common.messages import PlayerCompletion, PlayerOutcome
from common.predictions import rows as row_rules
from common.predictions.table import COLUMNS, TABLE
from common.recorder.answers import Recorded
from common.recorder.recorder import Recorder
from common.result import Result
from common.sport import DatasetRole, Sport, SportNames
from common.staging.writer import StagedWrite, StagingWriter
from common.warehouse.warehouse import Warehouse, connect
from infra.tables.statements import fill
from tests.support.batch_helpers import DEADLINE, GAME_DATE, Published

NAMES = SportNames(sport=Sport.NBA)
TABLES = Tables(predictions=NAMES.dataset(DatasetRole.PREDICTIONS))
BATCH = "batch_2026-01-17_1768690800"
LOCK_KEY = LockKey(lock_type=LOCK_TYPE, game_date=GAME_DATE, sport=NAMES.sport.value)
SQL_FOLDER = Path(__file__).parents[2] / "infra" / "sql"


def completion_of(player: str, staged: StagedWrite | None, **fields: Any) -> PlayerCompletion:
    """What a worker reports after staging; `fields` as the test wants them."""
    outcome = fields.get("outcome", PlayerOutcome.COMPLETED)
    table = staged.table if staged else None
    known = {
        "batch_id": BATCH,
        "player_lookup": player,
        "game_date": GAME_DATE,
        "outcome": outcome,
        "predictions_generated": staged.rows if staged else 0,
        "reason": None if outcome is PlayerOutcome.COMPLETED else "told to",
        "staging_table": table,
        "staged_rows": staged.rows if staged and table else None,
    }
    return PlayerCompletion(**{**known, **fields})


class Stack:
    """One project of the emulators with everything that a consolidation touches."""

    def __init__(
        self,
        project: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        lease: timedelta = timedelta(seconds=300),
        client: bigquery.Client | None = None,
    ) -> None:
        self.project = project
        self.now = now
        self.db = firestore.Client(project=project)
        self.client = client or connect(project, os.environ)
        self.warehouse = Warehouse(self.client)
        self.batches = Batches(FirestoreDocuments(self.db))
        self.lock = Lock(self.db, lease=lease, renew_every=lease / 5)
        self.writer = StagingWriter(self.warehouse, TABLES.predictions, now)
        self.consolidator = self.make_consolidator()

    def make_consolidator(self, **other: Any) -> Consolidator:
        """One with some of its parts replaced."""
        parts = {
            "warehouse": self.warehouse,
            "batches": self.batches,
            "lock": self.lock,
            "names": NAMES,
            "now": self.now,
        }
        return Consolidator(**{**parts, **other})

    def create_tables(self) -> "Stack":
        for role in (DatasetRole.PREDICTIONS, DatasetRole.ORCHESTRATION):
            self.client.create_dataset(NAMES.dataset(role), timeout=30)
        for name in (TABLE, FENCES, LOG_TABLE):
            self.create_table(name)
        return self

    def create_table(self, name: str) -> None:
        sql = (SQL_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
        self.warehouse.execute(fill(sql, NAMES)).unwrap()

    def open(
        self,
        players: Sequence[str],
        batch_id: str = BATCH,
        *,
        game_date: date = GAME_DATE,
        **options: Any,
    ) -> None:
        self.batches.open(batch_id, game_date, players, deadline=DEADLINE, **options).unwrap()

    def time_out(self, now: datetime) -> None:
        """Close the batches that are past their deadline."""
        outbox = TriggerOutbox(self.batches.store, Published)
        OverdueBatches(self.batches, outbox).close_overdue(now).unwrap()

    def stage(
        self, rows: Sequence[Mapping[str, Any]], *, worker: str = "w1", batch_id: str = BATCH
    ) -> StagedWrite:
        return self.writer.write(rows, batch_id, worker).unwrap()

    def load(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Put rows into a table of that very name, as another system would."""
        self.warehouse.create_table(TABLES.path(table), COLUMNS).unwrap()
        encoded = row_rules.encode(rows).unwrap()
        self.warehouse.load(TABLES.path(table), encoded, COLUMNS, job_key=table).unwrap()

    def complete(self, player: str, staged: StagedWrite | None = None, **fields: Any) -> Recorded:
        """Record one player's completion."""
        return self.record([completion_of(player, staged, **fields)])[0].unwrap()

    def record(self, events: Sequence[PlayerCompletion]) -> list[Result[Recorded]]:
        """Record completions, all at once."""
        return asyncio.run(self._record(events))

    async def complete_within(self, player: str, staged: StagedWrite | None = None, **fields: Any) -> None:
        """`complete`, for a test that runs in an event loop itself."""
        [recorded] = await self._record([completion_of(player, staged, **fields)])
        recorded.unwrap()

    async def _record(self, events: Sequence[PlayerCompletion]) -> list[Result[Recorded]]:
        db = firestore.AsyncClient(project=self.project)
        recorder = Recorder(AsyncFirestoreDocuments(db), self.batches)
        records = (recorder.record(event, event_id=f"event-{event.player_lookup}") for event in events)
        return await asyncio.gather(*records)

    def play(
        self,
        rows: Mapping[str, Sequence[Mapping[str, Any]]],
        *,
        worker: Callable[[str], str] = lambda _: "w1",
        batch_id: str = BATCH,
        game_date: date = GAME_DATE,
        **options: Any,
    ) -> None:
        """Open a batch, stage every player's rows and record every completion: the batch is complete."""
        self.open(list(rows), batch_id, game_date=game_date, **options)
        staged = {
            player: self.stage(own, worker=worker(player), batch_id=batch_id) for player, own in rows.items()
        }
        same = {"batch_id": batch_id, "game_date": game_date}
        events = [completion_of(player, written, **same) for player, written in staged.items()]
        for recorded in self.record(events):
            recorded.unwrap()

    def consolidate(self, batch_id: str = BATCH, generation: int = 1) -> Any:
        return self.consolidator.consolidate(batch_id, generation)

    def merge_as(self, holder: Holder, batch_id: str = BATCH) -> Result[Merged]:
        """Merge a complete batch as that holder of the lock, whatever the lock says."""
        batch = self.batches.get(batch_id).unwrap()
        staged = staged_of(batch, self.batches.completions(batch_id).unwrap(), batch.generation)
        return FencedMerge(
            warehouse=self.warehouse,
            jobs=Jobs(self.warehouse, TABLES.predictions, batch_id, batch.generation),
            tables=TABLES,
            holder=holder,
            lock_key=LOCK_KEY.document_id,
            batch_id=batch_id,
            generation=batch.generation,
            game_date=batch.game_date,
            now=self.now(),
        ).run(staged)

    def forget_consolidation(self, batch_id: str = BATCH) -> None:
        """As if a consolidation had died after its merge: its batch does not know that it took place."""
        unknown = {"status": BatchStatus.CONSOLIDATING.value, "consolidated_generation": 0}
        ref = self.db.document(batch_path(batch_id))
        for receipt in ref.collection("receipts").get():
            receipt.reference.delete()
        ref.update(unknown)

    def insert_again(self, player: str) -> None:
        """Duplicate a player's rows in the main table, as a second writer did."""
        where = f"game_date = DATE '{GAME_DATE}' AND player_lookup = '{player}'"
        sql = f"INSERT INTO `{TABLES.main}` SELECT * FROM `{TABLES.main}` WHERE {where}"
        self.warehouse.execute(sql).unwrap()

    def insert_fences(self, *fences: int) -> None:
        """Fence rows of the day, as many as a race of their creation may leave."""
        sql = (
            f"INSERT INTO `{TABLES.fences}` (lock_key, fence, game_date, updated_at) "
            f"SELECT '{LOCK_KEY.document_id}', fence, DATE '{GAME_DATE}', CURRENT_TIMESTAMP() "
            "FROM UNNEST(@fences) AS fence"
        )
        self.warehouse.execute(sql, {"fences": list(fences)}).unwrap()

    def lock_document(self) -> dict[str, Any]:
        return self.db.document(str(LOCK_KEY)).get().to_dict() or {}

    def log_rows(self) -> list[dict[str, Any]]:
        table = f"{NAMES.dataset(DatasetRole.ORCHESTRATION)}.{LOG_TABLE}"
        return self.warehouse.query(f"SELECT * FROM `{table}`").unwrap().rows

    def main_rows(self, day: date = GAME_DATE) -> list[dict[str, Any]]:
        """The day's rows in the main table, by key."""
        sql = (
            f"SELECT * FROM `{TABLES.main}` WHERE game_date = DATE '{day}' "
            "ORDER BY player_lookup, system_id, current_points_line"
        )
        return self.warehouse.query(sql).unwrap().rows

    def rows_of_all_days(self, table: str) -> list[dict[str, Any]]:
        """Of a partitioned table. Asked once for all, for it is the emulator that takes the time."""
        sql = f"SELECT * FROM `{table}` WHERE game_date >= DATE '2026-01-01' ORDER BY game_date"
        return self.warehouse.query(sql).unwrap().rows

    def staging_tables(self) -> list[str]:
        return sorted(table.name for table in self.warehouse.list_tables(TABLES.predictions, "_").unwrap())

    def fences(self, day: date = GAME_DATE) -> list[int]:
        found = self.warehouse.query(f"SELECT fence FROM `{TABLES.fences}` WHERE game_date = DATE '{day}'")
        return [row["fence"] for row in found.unwrap().rows]

    def receipts(self, batch_id: str = BATCH) -> list[dict[str, Any]]:
        documents = self.db.document(batch_path(batch_id)).collection("receipts").get()
        return [document.to_dict() or {} for document in documents]

    def close(self) -> None:
        self.db.close()
        self.client.close()
