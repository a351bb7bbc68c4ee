"""Staging tables that nobody will need: older than a day, and of a batch that is over."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from ..batches.records import Batch
from ..findings import Finding, FindingClass, Repair, Scope, Severity, operator_command
from ..result import Result
from .outcomes import Outcome, Unknown, outcome_of

CHECK: Final = "staging"
BIGQUERY: Final = "bigquery"


class OrphansSeen(Protocol):
    @property
    def over(self) -> Sequence[Any]: ...


class Staging(Protocol):
    def orphans(self, batch_of: Callable[[str], Result[Batch]], now: datetime) -> Result[Any]: ...


def check_staging(staging: Staging, batch_of: Callable[[str], Result[Batch]], now: datetime) -> Outcome:
    """One listing of tables, no query."""
    seen = staging.orphans(batch_of, now)
    if seen.error is not None:
        return Unknown(store=BIGQUERY, error=seen.error)
    names = tuple(sorted(table.name for table in seen.unwrap().over))
    if not names:
        return outcome_of(())
    finding = Finding(
        finding_class=FindingClass.ORPHANED_STAGING,
        severity=Severity.WARNING,
        check=CHECK,
        scope=Scope.of_system("staging tables"),
        summary=f"{len(names)} staging tables are older than a day, and their batches are over",
        ids=names,
        repair=Repair.REMOVE_ORPHANS,
        look=operator_command("status"),
        depends_on=frozenset({BIGQUERY}),
    )
    return outcome_of([finding])
