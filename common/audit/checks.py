"""Every check of an audit, one line each. To add one: write its function, and its line here.

The order is that of a run. Each check is given the sight whole and takes of it what it asks for, so that none
depends on what another has read, but for the batches, which are read once for all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from ..batches import differences
from ..consolidation.merge_sql import Tables
from ..documents.port import Documents
from ..findings import Finding, ScopeKind, Tracked
from ..result import Result
from ..sport import Sport
from . import (
    batch_checks,
    batch_rules,
    every_document,
    lock_checks,
    phase_checks,
    repair_checks,
    row_checks,
    row_rules,
    rule_sql,
    run_checks,
    staging_checks,
    stores,
    topology_checks,
)
from .batches_seen import Batches, Seen
from .in_turn import Turn
from .lock_checks import Locks
from .outcomes import Outcome
from .phase_checks import Phases, Schedule
from .row_checks import QueryStore
from .run_checks import Findings, Runs
from .staging_checks import Staging
from .topology_checks import Topology


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What the checks of one run look at. Each port is the narrow one that its check declares."""

    sport: Sport
    """Whose topics are asked for; the stores are those of its deployment."""
    now: datetime
    """The auditor's own clock, at the beginning of the run; rules about batches use the store's instead."""
    dates: Sequence[date]
    """The game dates that a run looks at where nothing else is asked, in their order."""
    seen: Result[Seen]
    """All batches of the run, read once for every check, or why they could not be read."""
    findings: Findings
    """What is remembered of earlier findings, as documents: whether each can be read."""
    documents: Documents
    """Firestore, for the one check that walks over whole collections."""
    collections: Sequence[every_document.Collection]
    """Whose every document is met, slice by slice."""
    open_findings: Result[Sequence[Finding]]
    """What was found before this run and is not over, or why that could not be read."""
    pending: Sequence[Tracked]
    """The findings whose repair was asked for and is waited for."""
    seconds_left: Callable[[], float]
    """Seconds that are left to all checks of this run together; negative when the time is up."""
    resume_after: Mapping[str, str | None]
    """By check that the last runs had to stop: the last batch that it came to."""
    batches: Batches
    """What lies below the batches that were seen, as of the same moment."""
    warehouse: QueryStore
    """BigQuery; a check sends it one statement, however many batches there are."""
    tables: Tables
    """Names of the warehouse's tables, and as of what moment they are read; None: now."""
    staging: Staging
    """Which staging tables nobody needs any more, judged by the batches that they are of."""
    locks: Locks
    """The locks of the consolidations, judged by the server's clock."""
    phases: Phases
    """The boundaries between phases on the dates of the run."""
    schedule: Schedule
    """Which dates have games; says so where it does not know."""
    runs: Runs
    """When the sweeps and the audits ran last, and which dead letters wait."""
    topology: Topology
    """What Pub/Sub has; asked once for each of the two checks of it."""

    def turn(self, check: str) -> Turn:
        """What is granted to this check: the time that is left to all, and where it stopped the last time."""
        return Turn(seconds_left=self.seconds_left, after=self.resume_after.get(check))


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check of the audit, as its table lists it."""

    name: str
    of: ScopeKind
    """What it looks at: a run for one batch leaves out what is not of batches."""
    stores: tuple[str, ...]
    """Names of the stores that it asks: a store that was down is found to be up by a check that asked it."""
    run: Callable[[Sight], Outcome]
    """Called once in a run, in its thread; returns Unknown rather than raises, and what it raises is
    caught."""


FIRESTORE, BIGQUERY, PUBSUB = (stores.FIRESTORE,), (stores.BIGQUERY,), (stores.PUBSUB,)
BOTH = (*FIRESTORE, *BIGQUERY)
BATCH, DATE, SYSTEM = ScopeKind.BATCH, ScopeKind.DATE, ScopeKind.SYSTEM


def _each(rule: batch_checks.Rule) -> Callable[[Sight], Outcome]:
    """A check that judges each batch by its document alone: all of them were read, so it costs nothing."""
    return lambda at: batch_checks.check_each(at.seen, rule)


CHECKS: Final[tuple[Check, ...]] = (
    Check(
        name=batch_checks.DOCUMENTS,
        of=BATCH,
        stores=FIRESTORE,
        run=lambda at: batch_checks.check_documents(at.seen),
    ),
    # These four judge what was read for all checks, and read nothing themselves.
    Check(name=batch_rules.TRIGGERS, of=BATCH, stores=FIRESTORE, run=_each(batch_rules.trigger_findings)),
    Check(name=batch_rules.DEADLINES, of=BATCH, stores=FIRESTORE, run=_each(batch_rules.deadline_findings)),
    Check(
        name=batch_rules.CONSOLIDATIONS,
        of=BATCH,
        stores=FIRESTORE,
        run=_each(batch_rules.consolidation_findings),
    ),
    Check(name=batch_rules.ARRAYS, of=BATCH, stores=FIRESTORE, run=_each(batch_rules.array_findings)),
    Check(
        name=rule_sql.CHECK,
        of=DATE,
        stores=BIGQUERY,
        # One statement over all dates between the first and the last: it prunes by a range.
        run=lambda at: rule_sql.check_row_rules(at.warehouse, at.tables, min(at.dates), max(at.dates)),
    ),
    Check(
        name=phase_checks.PHASES,
        of=DATE,
        stores=BOTH,
        run=lambda at: phase_checks.check_phases(at.phases, at.schedule, at.dates),
    ),
    Check(
        name=staging_checks.CHECK,
        of=SYSTEM,
        stores=BOTH,
        run=lambda at: staging_checks.check_staging(at.staging, at.now),
    ),
    Check(
        name=lock_checks.CHECK, of=SYSTEM, stores=FIRESTORE, run=lambda at: lock_checks.check_locks(at.locks)
    ),
    Check(name=run_checks.RUNS, of=SYSTEM, stores=FIRESTORE, run=lambda at: run_checks.check_runs(at.runs)),
    Check(
        name=run_checks.FINDINGS,
        of=SYSTEM,
        stores=FIRESTORE,
        run=lambda at: run_checks.check_findings(at.findings),
    ),
    Check(
        name=run_checks.DEAD_LETTERS,
        of=SYSTEM,
        stores=FIRESTORE,
        run=lambda at: run_checks.check_dead_letters(at.runs),
    ),
    Check(
        name=every_document.CHECK,
        of=SYSTEM,
        stores=FIRESTORE,
        run=lambda at: every_document.check_every_document(
            at.documents,
            at.collections,
            seen=at.seen,
            dates=at.dates,
            known=at.open_findings,
            turn=at.turn(every_document.CHECK),
        ),
    ),
    Check(
        # What should be there, apart from what waits there: the second takes rights that the first does not.
        name=topology_checks.TOPOLOGY,
        of=SYSTEM,
        stores=PUBSUB,
        run=lambda at: topology_checks.check_topology(at.topology, at.sport),
    ),
    Check(
        name=topology_checks.WAITING,
        of=SYSTEM,
        stores=PUBSUB,
        run=lambda at: topology_checks.check_dead_letter_subscriptions(at.topology, at.sport),
    ),
    Check(
        # From here on each check reads something of every batch, and may be stopped: behind those that
        # cannot.
        name=repair_checks.REPAIRS,
        of=BATCH,
        stores=FIRESTORE,
        run=lambda at: repair_checks.check_repairs(
            at.batches, at.seen, at.pending, at.turn(repair_checks.REPAIRS)
        ),
    ),
    Check(
        name=batch_checks.PACE,
        of=BATCH,
        stores=FIRESTORE,
        run=lambda at: batch_checks.check_pace(at.batches, at.seen, at.turn(batch_checks.PACE)),
    ),
    Check(
        name=differences.CHECK,
        of=BATCH,
        stores=FIRESTORE,
        run=lambda at: batch_checks.check_counts(at.batches, at.seen, at.turn(differences.CHECK)),
    ),
    Check(
        name=row_rules.CHECK,
        of=BATCH,
        stores=BOTH,
        run=lambda at: row_checks.check_rows(
            at.warehouse, at.tables, batches=at.batches, seen=at.seen, turn=at.turn(row_rules.CHECK)
        ),
    ),
)
"""In their order; the last ones read something of every batch, and may need more time than there is."""
