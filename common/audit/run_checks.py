"""Absence: a sweep or an audit that should have run and did not, and dead letters that nobody looked at.

What did not happen leaves no trace, so it is told by the last time that it did: each sweep notes its tick,
each audit writes its document, and the next one of either compares.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from ..documents.document import Document
from ..documents.port import Documents
from ..documents.query import Query
from ..entrypoint.dead_letters import COLLECTION as DEAD_LETTERS_COLLECTION
from ..findings import Finding, FindingClass, Scope, Severity, operator_command
from ..maintenance.sweep_ticks import COLLECTION as SWEEPS_COLLECTION
from ..maintenance.sweep_ticks import EVERY as SWEEP_EVERY
from ..result import Result, returns_result
from ..texts import counted
from .outcomes import Cost, Outcome, Unknown, outcome_of
from .stores import FIRESTORE
from .unreadable import unreadable_documents

RUNS: Final = "runs"
DEAD_LETTERS: Final = "dead_letter_documents"
FINDINGS: Final = "finding_documents"
AUDITS_COLLECTION: Final = "audits"

AUDIT_EVERY: Final = timedelta(hours=1)
"""How often the scheduler asks for an audit; `infra` has the same."""
GRACE: Final = timedelta(minutes=15)
"""A tick is delivered late, and a run takes its time: nobody is missed for that. Clocks differ by less."""
SWEEPERS: Final = ("completion_recorder", "phase_transitions")
"""Functions that hear the sweep's tick: each notes its own."""
AUDITOR: Final = "consistency_auditor"
"""The name under which the audit itself is missed."""
LATEST: Final = 5
"""Of the audits: one that nobody can read does not hide the others."""
MAX_DEAD_LETTERS: Final = 300
"""Documents that are looked at: a read each."""


@dataclass(frozen=True, kw_only=True)
class LastRuns:
    """When each ran last, by function; None: it never did. As of `read_time`."""

    by_function: Mapping[str, datetime | None]
    """Without those whose document makes no sense: of these nothing can be said."""
    read_time: datetime
    reads: int
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Documents that say no time, by path, with why: of whom they are, nothing is known."""


@dataclass(frozen=True, kw_only=True)
class DeadLettersSeen:
    """How many wait, by topic and reason."""

    counts: Mapping[tuple[str, str], int]
    reads: int


class Runs(Protocol):
    """Reads when things ran last, and what waits; a failure is "could not look"."""

    def last_runs(self) -> Result[LastRuns]:
        """When each sweep and the audit last ran."""

    def dead_letters(self) -> Result[DeadLettersSeen]:
        """How many dead letters wait for a person, of the newest ones."""


class RunReader:
    """Reads the documents; safe to share between threads."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    @returns_result
    def last_runs(self) -> LastRuns:
        """When each sweep and the audit last ran; None for one that never did. Two reads of the store."""
        paths = {f"{SWEEPS_COLLECTION}/{name}": name for name in SWEEPERS}
        newest_first = Query(order_by="started_at", descending=True, limit=LATEST)
        sweeps = self._documents.get(list(paths)).unwrap()
        latest = self._documents.find(AUDITS_COLLECTION, newest_first).unwrap()
        moment = self._moment(sweeps)
        # Two shapes, one question: a time, and whether it is one.
        times = {path: each.data.get("last_run") for path, each in sweeps.items()}
        own = {each.path: each.data.get("started_at") for each in latest}
        unreadable = {path: why for path, told in {**times, **own}.items() if (why := no_time(told, moment))}
        # Still in the order of the query, the newest first.
        runs = [told for path, told in own.items() if path not in unreadable]
        by_function = {
            **{name: times.get(path) for path, name in paths.items() if path not in unreadable},
            AUDITOR: runs[0] if runs else None,
        }
        return LastRuns(
            by_function=by_function,
            read_time=moment,
            reads=len(paths) + max(1, len(latest)),
            unreadable=unreadable,
        )

    def _moment(self, read: Mapping[str, Document]) -> datetime:
        """The server's clock; asked for only where no document has told it."""
        times = [each.read_time for each in read.values()]
        return min(times) if times else self._documents.time().unwrap()

    @returns_result
    def dead_letters(self) -> DeadLettersSeen:
        """Those that were neither published again nor discarded, of the newest MAX_DEAD_LETTERS."""
        # Documents stay once they are handled, and ids grow with time: without an order, so many handled ones
        # would hide whatever comes after them.
        newest_first = Query(
            order_by="dead_lettered_at",
            descending=True,
            limit=MAX_DEAD_LETTERS,
            only=("topic", "error_class", "replayed_at", "discarded_at"),
        )
        found = self._documents.find(DEAD_LETTERS_COLLECTION, newest_first).unwrap()
        # As text: a damaged letter is counted, too, under whatever it says.
        counts: dict[tuple[str, str], int] = {}
        for each in found:
            if not each.data.get("replayed_at") and not each.data.get("discarded_at"):
                key = (str(each.data.get("topic")), str(each.data.get("error_class")))
                counts[key] = counts.get(key, 0) + 1
        return DeadLettersSeen(counts=counts, reads=max(1, len(found)))


def no_time(told: Any, now: datetime) -> str | None:
    """Why that is no time at which something ran; None where it is one. Pure.

    A time to come says nothing: whoever's clock is wrong would never be missed.
    """
    if not isinstance(told, datetime):
        return f"{told!r} is no time"
    return f"{told:%Y-%m-%d %H:%M} UTC is yet to come" if told > now + GRACE else None


def check_runs(runs: Runs) -> Outcome:
    """The sweeps and the auditor itself ran when they should have."""
    seen = runs.last_runs()
    if seen.error is not None:
        return Unknown(store=FIRESTORE, error=seen.error)
    known = seen.unwrap()
    found = [*run_findings(known), *unreadable_documents(RUNS, known.unreadable)]
    return outcome_of(found, cost=Cost(reads=known.reads))


def run_findings(seen: LastRuns) -> list[Finding]:
    """Pure. The auditor's own first run has none before it; a sweep that never ran is absent."""
    found = []
    for function, last_run in seen.by_function.items():
        every = AUDIT_EVERY if function == AUDITOR else SWEEP_EVERY
        # The first audit of a deployment looks at a store without any: else it would find itself missing.
        if last_run is None and function == AUDITOR:
            continue
        # By the store's clock: the functions run on many machines.
        silent_for = None if last_run is None else seen.read_time - last_run
        # A whole period and a grace: less would miss whoever is only about to run.
        if silent_for is not None and silent_for <= every + GRACE:
            continue
        told = "never" if silent_for is None else f"{int(silent_for.total_seconds() // 60)} min ago"
        found.append(
            Finding(
                finding_class=FindingClass.ABSENT_RUN,
                severity=Severity.CRITICAL,
                check=RUNS,
                scope=Scope.of_system(function),
                summary=f"due every {int(every.total_seconds() // 60)} min, last run {told}",
                look=operator_command("status"),
                depends_on=frozenset({FIRESTORE, "pubsub"}),
            )
        )
    return found


class Findings(Protocol):
    """Reads what is remembered of findings."""

    def unreadable(self) -> Result[dict[str, str]]:
        """Paths of documents that make no sense, with why."""


def check_findings(findings: Findings) -> Outcome:
    """What is remembered of findings can be read: of one that cannot, nobody would be told any more."""
    seen = findings.unreadable()
    if seen.error is not None:
        return Unknown(store=FIRESTORE, error=seen.error)
    return outcome_of(unreadable_documents(FINDINGS, seen.unwrap()), cost=Cost(reads=1))


def check_dead_letters(runs: Runs) -> Outcome:
    """What could not be handled and waits for a person, by topic and reason."""
    seen = runs.dead_letters()
    if seen.error is not None:
        return Unknown(store=FIRESTORE, error=seen.error)
    letters = seen.unwrap()
    # By reason, not one by one: a thousand messages of one broken publisher are one thing to mend.
    found = [
        Finding(
            finding_class=FindingClass.WAITING_DEAD_LETTERS,
            severity=Severity.WARNING,
            check=DEAD_LETTERS,
            scope=Scope.of_system(topic),
            subject=reason,
            summary=f"{counted(count, 'message')} of {topic} could not be handled: {reason}",
            look=operator_command("dead-letters"),
            depends_on=frozenset({FIRESTORE}),
        )
        for (topic, reason), count in sorted(letters.counts.items())
    ]
    return outcome_of(found, cost=Cost(reads=letters.reads))
