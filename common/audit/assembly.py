"""The parts of the audit, put together: for the function that the scheduler wakes, and for operators."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from ..consolidation.clean_up import CleanUp
from ..consolidation.day_lock import DayLock
from ..consolidation.main_rows import MainRows
from ..consolidation.merge_sql import Tables
from ..findings import slack
from ..findings.store import FindingStore
from ..lock.lock import Lock
from ..maintenance.deadlines import OverdueBatches
from ..maintenance.requests import Requests
from ..phases.assembly import PhaseTransitions
from ..runtime.once import once
from ..runtime.wiring import WarehouseWiring
from ..sport import ZONE, DatasetRole
from .audit_log import AuditLog
from .auditor import Auditor
from .batch_reader import BatchReader
from .checks import Sight
from .every_document import collections
from .lock_checks import LockReader
from .phase_reader import Dispatches, PhaseReader
from .repairs import SafeRepairs
from .run_checks import RunReader
from .schedule import GameSchedule, NoSchedule
from .staging_checks import StagingTables
from .topology_checks import PubSubTopology


class Audit:
    """One deployment's audit; its clients are made when they are first needed.

    For the function that the scheduler wakes, for operators and for the local run. Making it calls nothing;
    `auditor` is made at its first call, and the same one is given ever after, to all threads.
    """

    def __init__(self, wiring: WarehouseWiring[Any]) -> None:
        """`wiring` is that of the function or the command: settings, clients and clock are shared with it."""
        self._wiring = wiring
        self._names = wiring.settings.names
        self._tables: Final = Tables(predictions=self._names.dataset(DatasetRole.PREDICTIONS))
        self.phases: Final = PhaseTransitions(wiring, self._names)
        """The phases as the audit reads and mends them; operators read them through this one as well."""
        self.auditor: Callable[[], Auditor] = once(self._auditor)
        """Gives the auditor of this deployment; raises what a client raises that cannot be made (no
        credentials)."""

    def today(self) -> date:
        """The date in the pipeline's zone."""
        return self._wiring.now().astimezone(ZONE).date()

    def _auditor(self) -> Auditor:
        """The parts that remember, tell and mend; what looks is made anew for each run, by `_sight`."""
        wiring = self._wiring
        return Auditor(
            sight=self._sight,
            store=FindingStore(wiring.documents()),
            channel=slack.channel(wiring.settings.findings_webhook_url),
            audit_log=AuditLog(wiring.documents()),
            repairs=self._repairs(),
            now=wiring.now,
            today=self.today,
        )

    def _sight(self, **of_this_run: Any) -> Sight:
        """What the checks of one run look through; `of_this_run` is its clock, its time limit and where it
        begins.
        """
        wiring, documents = self._wiring, self._wiring.documents()
        days, graph = self.phases.boundaries().days, self.phases.graph
        schedule = graph.schedule
        # A sport without a schedule table is audited all the same: it is then unknown whether silence is
        # wrong.
        dataset = self._names.dataset(schedule.role) if schedule else ""
        return Sight(
            sport=wiring.settings.sport,
            batches=BatchReader(documents),
            warehouse=wiring.warehouse(),
            tables=self._tables,
            staging=self._staging(),
            # Any date does: the locks of all dates are in one collection, whose name the key knows.
            locks=LockReader(documents, self._day_lock().key(wiring.now().date()).collection),
            phases=PhaseReader(days, graph, wiring.now),
            schedule=GameSchedule(wiring.warehouse(), dataset, schedule) if schedule else NoSchedule(),
            runs=RunReader(documents),
            documents=documents,
            collections=collections(wiring.settings.sport.value, graph),
            topology=PubSubTopology(
                wiring.publisher_client(), wiring.subscriber_client(), wiring.settings.gcp_project
            ),
            **of_this_run,
        )

    def _repairs(self) -> SafeRepairs:
        """Everything that a safe repair calls: the same parts that the functions use, so that the audit mends
        by the paths that are tested every day, and by no path of its own.
        """
        wiring = self._wiring
        batches, outbox = wiring.batches(), wiring.outbox()
        return SafeRepairs(
            batches=batches,
            outbox=outbox,
            overdue=OverdueBatches(batches, outbox),
            lock=Lock(wiring.database()),
            lock_key=self._day_lock().key,
            staging=self._staging(),
            main_rows=MainRows(wiring.warehouse(), self._day_lock(), self._tables, wiring.now),
            requests=Requests(wiring.warehouse(), self._names),
            publisher=wiring.publisher,
            dispatches=Dispatches(self.phases.boundaries, self.phases.graph),
            findings=FindingStore(wiring.documents()),
            now=wiring.now,
        )

    def _staging(self) -> StagingTables:
        """The same clean-up as a consolidation's; it keeps nothing between two calls."""
        clean_up = CleanUp(self._wiring.warehouse(), self._tables)
        return StagingTables(clean_up, self._wiring.batches().get, self._wiring.now)

    def _day_lock(self) -> DayLock:
        """The lock of a game date's consolidations, by the names of this deployment."""
        return DayLock(Lock(self._wiring.database()), self._names)
