"""The deployment's own auditor, but for the clocks: what takes hours elsewhere is hours older here.

No client sets the time at which a document was written or a table was made. So the reader of batches takes
some of them for older than they are, as do those of staging tables and of phases.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from common.audit.assembly import Audit
from common.audit.auditor import Auditor
from common.audit.batch_reader import BatchReader
from common.audit.batch_rules import CONSOLIDATION_TAKES
from common.audit.batches_seen import Seen, Wanted
from common.audit.phase_reader import PhaseReader
from common.audit.repairs import SafeRepairs
from common.audit.staging_checks import StagingTables
from common.consolidation.clean_up import ORPHAN_AGE, CleanUp
from common.consolidation.merge_sql import Tables
from common.result import Result
from common.runtime.wiring import WarehouseWiring
from common.settings import WarehouseSettings
from common.sport import DatasetRole
from common.staging import table_names

HOUR: Final = timedelta(hours=1)
SABOTEUR: Final = "sabotage"
STUCK: Final = "sabotage_stuck_consolidation"
"""The batch that has not been written for longer than a consolidation takes."""
PHASES_LATER: Final = timedelta(days=2)
"""Every deadline of the days that an audit looks at is over by then."""


class AgedBatches(BatchReader):
    """The batches as if `STUCK` had not been written for a while."""

    def seen(self, wanted: Wanted) -> Result[Seen]:
        """As the reader says, `STUCK` aside."""
        return super().seen(wanted).map(_aged)


def _aged(seen: Seen) -> Seen:
    """The batch `STUCK` as if it had been written long ago; the others as they are."""
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
        """Those of the saboteur that would be old enough a day from now."""
        found = super().orphans(now + ORPHAN_AGE + HOUR)
        return found.map(lambda names: [name for name in names if _is_left_on_purpose(name)])


def _is_left_on_purpose(table: str) -> bool:
    """By its name, which has the worker in it."""
    parsed = table_names.parse(table)
    return parsed is not None and parsed[1] == SABOTEUR


def auditor_of(
    wiring: WarehouseWiring[WarehouseSettings], audit: Audit, today: Callable[[], date]
) -> Auditor:
    """Audits and repairs by these clocks; `today` is the last game date that it looks at unasked."""
    auditor = audit.auditor()
    assert isinstance(auditor.repairs, SafeRepairs)
    tables = Tables(predictions=wiring.settings.names.dataset(DatasetRole.PREDICTIONS))
    staging = AgedStaging(
        CleanUp(wiring.warehouse(), tables),
        wiring.batches().get,
        lambda: wiring.now() + ORPHAN_AGE + HOUR,
    )
    batches = AgedBatches(wiring.documents())
    days, graph = audit.phases.boundaries().days, audit.phases.graph
    phases = PhaseReader(days, graph, lambda: wiring.now() + PHASES_LATER)
    # By the seam that the auditor has for its readers: its checks are those of the deployment.
    look_at = auditor.sight

    def aged(**of_this_run: Any) -> Any:
        return replace(look_at(**of_this_run), batches=batches, staging=staging, phases=phases)

    return replace(auditor, sight=aged, repairs=replace(auditor.repairs, staging=staging), today=today)
