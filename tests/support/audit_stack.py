"""An auditor on the emulators: batches and rows are real, what is not of this test is sound."""

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from google.cloud import firestore

from common.audit.audit_log import AuditLog
from common.audit.auditor import Auditor
from common.audit.batch_reader import BatchReader
from common.audit.checks import CHECKS, Check, Sight
from common.audit.every_document import collections
from common.audit.lock_checks import LockReader
from common.audit.phase_checks import PhaseDay, PhasesSeen
from common.audit.repairs import SafeRepairs
from common.audit.report import Asked, AuditReport, Mended
from common.audit.row_checks import QueryStore
from common.audit.run_checks import SWEEPERS, RunReader
from common.batches.batches import Batches
from common.batches.records import Batch, batch_path
from common.batches.trigger_outbox import TriggerOutbox
from common.documents.async_store import AsyncFirestoreDocuments
from common.documents.store import FirestoreDocuments
from common.findings import Finding
from common.findings.store import FindingStore
from common.lock.lock import Lock
from common.maintenance.deadlines import OverdueBatches
from common.maintenance.redrive import MakeRequest
from common.maintenance.sweep_ticks import COLLECTION as SWEEPS_COLLECTION
from common.phases.graph import GRAPHS
from common.recorder.recorder import Recorder
from common.result import Result
from common.sport import Sport
from common.warehouse.records import Rows
from tests.support.batch_helpers import GAME_DATE, Published, completion, request_for
from tests.support.consolidation_stack import LOCK_KEY, TABLES
from tests.support.findings import Heard
from tests.support.sound_topology import SoundTopology


class Phases:
    """The phases of the dates asked for, as a test has them."""

    def __init__(self) -> None:
        self.days: list[PhaseDay] = []

    def seen(self, dates: Sequence[date]) -> Result[PhasesSeen]:
        found = tuple(day for day in self.days if day.game_date in dates)
        return Result.success(PhasesSeen(days=found, now=datetime.now(UTC), reads=len(found)))


class Games:
    """A schedule."""

    def __init__(self) -> None:
        self.by_date: Mapping[date, int] | None = {}

    def games(self, first_day: date, last_day: date) -> Result[Mapping[date, int] | None]:
        return Result.success(self.by_date)


class StagingTables:
    """Staging tables, and those of them that are orphans."""

    def __init__(self) -> None:
        self.over: list[str] = []

    def orphans(self, now: datetime) -> Result[list[str]]:
        return Result.success(sorted(self.over))

    def remove(self, names: Collection[str]) -> Result[list[str]]:
        gone = sorted(set(names) & set(self.over))
        self.over = [each for each in self.over if each not in names]
        return Result.success(gone)


class AnyGame:
    """Analytics that know a game of everybody."""

    def of(self, batch: Batch, players: Collection[str]) -> Result[MakeRequest]:
        return Result.success(request_for)


class Dispatches:
    """Keeps what it was asked to resume; then it is dispatched."""

    def __init__(self, phases: Phases) -> None:
        self._phases = phases
        self.resumed: list[tuple[str, date]] = []

    def resume(self, boundary: str, game_date: date) -> Result[Mapping[str, Any]]:
        self.resumed.append((boundary, game_date))
        self._phases.days = []
        return Result.success({"state": "dispatched"})


class NoMainRows:
    """Nobody has said whose rows go."""

    def remove(self, game_date: date, players: Collection[str]) -> Result[int]:
        raise AssertionError(f"nobody asked to remove the rows of {players}")


class NoRepairs:
    def mend(self, finding: Finding) -> Mended:
        raise AssertionError(f"nobody asked to repair {finding}")


class NoRows:
    """A warehouse in which every day is as its receipts say."""

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[Rows]:
        return Result.success(Rows(rows=[], job_id="job", bytes_processed=0, affected_rows=None))


class AuditStack:
    """Batches on the emulator, and auditors of them."""

    def __init__(
        self, batches: Batches, db: firestore.Client, *, warehouse: QueryStore | None = None
    ) -> None:
        self.batches = batches
        self.db = db
        self.lock = Lock(self.db)
        self.warehouse = warehouse or NoRows()
        self.heard = Heard()
        self.store = FindingStore(FirestoreDocuments(self.db))
        self.topology = SoundTopology()
        self.phases = Phases()
        self.games = Games()
        self.repairs: Any = NoRepairs()
        self.staging: Any = StagingTables()
        self.main_rows: Any = NoMainRows()
        self.checks: tuple[Check, ...] = CHECKS
        self.tick()

    def can_repair(self, published: Published, *, now: Callable[[], datetime] | None = None) -> None:
        """Repairs are real from now on; what they publish is kept."""
        outbox = TriggerOutbox(self.batches.store, lambda: published)
        self.repairs = SafeRepairs(
            batches=self.batches,
            outbox=outbox,
            overdue=OverdueBatches(self.batches, outbox),
            lock=self.lock,
            lock_key=lambda game_date: replace(LOCK_KEY, game_date=game_date),
            staging=self.staging,
            main_rows=self.main_rows,
            requests=AnyGame(),
            publisher=lambda: published,
            dispatches=Dispatches(self.phases),
            findings=self.store,
            now=now or (lambda: datetime.now(UTC)),
        )

    def tick(self) -> None:
        """The sweeps have just run."""
        for name in SWEEPERS:
            self.db.collection(SWEEPS_COLLECTION).document(name).set({"last_run": datetime.now(UTC)})

    def sight(self, **of_this_run: Any) -> Sight:
        return Sight(
            sport=Sport.NBA,
            batches=BatchReader(FirestoreDocuments(self.db)),
            warehouse=self.warehouse,
            tables=TABLES,
            staging=self.staging,
            locks=LockReader(FirestoreDocuments(self.db), LOCK_KEY.collection),
            phases=self.phases,
            schedule=self.games,
            runs=RunReader(FirestoreDocuments(self.db)),
            documents=FirestoreDocuments(self.db),
            collections=collections("nba", GRAPHS["nba"]),
            topology=self.topology,
            **of_this_run,
        )

    def auditor(self, **other: Any) -> Auditor:
        parts: dict[str, Any] = {
            "sight": self.sight,
            "store": self.store,
            "channel": self.heard,
            "audit_log": AuditLog(FirestoreDocuments(self.db)),
            "repairs": self.repairs,
            "now": lambda: datetime.now(UTC),
            "today": lambda: GAME_DATE,
            "checks": self.checks,
        }
        return Auditor(**{**parts, **other})

    def audit(self, **asked: Any) -> AuditReport:
        return self.auditor().run(Asked(**asked)).unwrap()

    def found(self, report: AuditReport | None = None) -> set[tuple[str, tuple[str, ...]]]:
        """Class and players of what an audit finds."""
        told = self.audit() if report is None else report
        return {(each.finding_class.value, each.ids) for each in told.findings}

    def ref(self, batch_id: str) -> firestore.DocumentReference:
        found: firestore.DocumentReference = self.db.document(batch_path(batch_id))
        return found

    def change(self, batch_id: str, **fields: Any) -> None:
        """As nobody should."""
        self.ref(batch_id).update(fields)

    async def play(
        self, batch_id: str, *players: str, game_date: date = GAME_DATE, deadline: datetime
    ) -> None:
        """Open a batch and record all its players."""
        self.batches.open(batch_id, game_date, players, deadline=deadline).unwrap()
        await self.record(batch_id, *players, game_date=game_date)

    async def record(self, batch_id: str, *players: str, game_date: date = GAME_DATE) -> None:
        db = firestore.AsyncClient(project=self.db.project)
        recorder = Recorder(AsyncFirestoreDocuments(db), self.batches)
        for player in players:
            event = completion(player, batch_id=batch_id, game_date=game_date)
            event_id = f"event-{player}-{uuid.uuid4().hex}"
            (await recorder.record(event, event_id=event_id)).unwrap()
        db.close()
