"""Staging tables that nobody will need: older than a day, and of a batch that is over."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol

from ..batches.records import Batch
from ..consolidation.clean_up import BatchOf, CleanUp
from ..findings import Finding, FindingClass, Repair, Scope, Severity, operator_command
from ..result import Result, returns_result
from ..texts import counted
from ..warehouse.records import TableInfo
from .outcomes import Outcome, Unknown, outcome_of
from .stores import BIGQUERY, FIRESTORE

CHECK: Final = "staging"
"""Name of the check."""
STORE: Final = "store"
"""The detail of a failure that tells which of the two did not answer."""


class Staging(Protocol):
    """Tells which staging tables may go."""

    def orphans(self, now: datetime) -> Result[list[str]]:
        """The names of the tables that may go, sorted."""
        ...


class StagingTables:
    """The staging tables of one dataset, as an audit sees and removes them."""

    def __init__(self, clean_up: CleanUp, batch_of: BatchOf, now: Callable[[], datetime]) -> None:
        # The same clean-up as a consolidation's: what may go is decided in one place.
        self._clean_up = clean_up
        self._batch_of = batch_of
        self._now = now

    def orphans(self, now: datetime) -> Result[list[str]]:
        """Names of tables whose batch is over and that are old enough to go, sorted; one listing."""
        return self._over(now).map(lambda found: sorted(found))

    @returns_result
    def remove(self, names: Sequence[str]) -> list[str]:
        """Remove those of them that are orphans still; returns which. What is gone already is gone."""
        # Looked up again: since the finding was written a batch may have been brought back to life.
        found = self._over(self._now()).unwrap()
        going = [found[name] for name in sorted(found.keys() & set(names))]
        return self._clean_up.drop_orphans(going).unwrap()

    def _over(self, now: datetime) -> Result[dict[str, TableInfo]]:
        """Tables that may go, by name."""
        orphans = self._clean_up.orphans(self._known_batch, now)
        return orphans.map(lambda found: {table.name: table for table in found.over})

    def _known_batch(self, batch_id: str) -> Result[Batch]:
        """Its failure names the store: the listing is of another."""
        found = self._batch_of(batch_id)
        if found.error is None:
            return found
        details = {**(found.error.details or {}), STORE: FIRESTORE}
        return Result.failure(replace(found.error, details=details))


def check_staging(staging: Staging, now: datetime) -> Outcome:
    """Staging tables that may go, as one finding; one listing of tables, no query.

    Unknown names the store that did not answer: BigQuery for the listing, Firestore for a batch. A batch
    that cannot be read makes the check unknown: its tables are never taken for orphans.
    """
    seen = staging.orphans(now)
    if seen.error is not None:
        return Unknown(store=(seen.error.details or {}).get(STORE, BIGQUERY), error=seen.error)
    # One finding for all: they cost storage, and nobody waits for any of them.
    names = tuple(seen.unwrap())
    if not names:
        return outcome_of(())
    finding = Finding(
        finding_class=FindingClass.ORPHANED_STAGING,
        severity=Severity.WARNING,
        check=CHECK,
        scope=Scope.of_system("staging tables"),
        summary=f"{counted(len(names), 'staging table')} older than a day, of batches that are over",
        ids=names,
        repair=Repair.REMOVE_ORPHANS,
        look=operator_command("status"),
        depends_on=frozenset({BIGQUERY}),
    )
    return outcome_of([finding])
