"""What an audit mends: each repair may be repeated, and says what was before and what is now.

A finding is minutes or hours old when its repair begins, and others may mend the same: so every repair reads
first, and does what is due by then, or nothing. What it calls are the parts that the functions use every day;
none writes past the rules of the module that owns a document.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Protocol

from ..batches.batches import Batches
from ..batches.records import BatchStatus
from ..batches.trigger_outbox import TriggerOutbox
from ..findings import Finding, Repair
from ..findings.store import FindingStore
from ..lock.lock import Lock
from ..lock.rules import LockKey
from ..maintenance.deadlines import OverdueBatches
from ..maintenance.recount import recount
from ..maintenance.redrive import RequestPublisher
from ..result import ErrorInfo, Result, ResultError
from .asking_again import AskingAgain, MainRows, RequestMaker, State, state_of
from .report import Mended

WHO: Final = "consistency_auditor"
"""Who has taken a lock from its holder, as its document tells it."""


class StagingTables(Protocol):
    """Removes staging tables that may go."""

    def remove(self, names: Sequence[str]) -> Result[list[str]]:
        """Which of these were removed: those that may still go. Safe to repeat."""


class Dispatches(Protocol):
    """Resumes dispatches that were decided and not sent."""

    def resume(self, boundary: str, game_date: date) -> Result[State]:
        """Publish what was decided and not sent; the date's state afterwards."""
        ...


@dataclass(frozen=True, kw_only=True)
class SafeRepairs:
    """Mends the findings of one deployment, and nothing that is not found.

    Safe to share between threads, and to run beside another auditor: of two that mend the same, the second
    finds it mended, or is refused by the store and proposes it again.
    """

    batches: Batches
    outbox: TriggerOutbox
    overdue: OverdueBatches
    lock: Lock
    lock_key: Callable[[date], LockKey]
    staging: StagingTables
    main_rows: MainRows
    requests: RequestMaker
    publisher: Callable[[], RequestPublisher]
    dispatches: Dispatches
    findings: FindingStore
    now: Callable[[], datetime]

    def mend(self, finding: Finding) -> Mended:
        """Never raises for what a store answers: a repair that failed is in its error, and proposed again."""
        before: State = {}
        after: State = {}
        error: ErrorInfo | None = None
        assert finding.repair is not None
        try:
            before, after = _WORK[finding.repair](self, finding)
        except ResultError as exc:
            error = exc.error
        return Mended(
            finding_id=finding.finding_id,
            repair=finding.repair.value,
            before=before,
            after=after,
            error=error,
        )

    def _republish(self, finding: Finding) -> tuple[State, State]:
        """Claimed before it is sent: "not yet", and proposed again, while somebody else is publishing it.

        Consolidation and announcement endure repeats; a batch that needs neither is left alone.
        """
        batch = self.batches.get(finding.scope.name).unwrap()
        # Consolidated ones, too: the announcement of the end of a phase follows from a trigger that comes
        # again.
        closed = (BatchStatus.CONSOLIDATING, BatchStatus.CONSOLIDATED)
        if not (batch.status.wants_trigger or batch.status in closed):
            return state_of(batch), state_of(batch)
        message_id = self.outbox.send(self.outbox.claim(batch).unwrap()).unwrap()
        # Read again, and not reckoned: what is told as `after` is what the store says.
        now = self.batches.get(batch.batch_id).unwrap()
        return state_of(batch), {**state_of(now), "published": message_id}

    @property
    def _again(self) -> AskingAgain:
        """The repairs that ask workers; made of the same parts, and keeps nothing."""
        return AskingAgain(
            batches=self.batches,
            main_rows=self.main_rows,
            requests=self.requests,
            publisher=self.publisher,
            findings=self.findings,
            now=self.now,
        )

    def _redrive(self, finding: Finding) -> tuple[State, State]:
        """Ask the workers again for who is missing; the finding then waits for them."""
        return self._again.redrive(finding)

    def _replace(self, finding: Finding) -> tuple[State, State]:
        """Remove rows, and ask the workers for them anew; the finding then waits for them."""
        return self._again.replace(finding)

    def _consolidate_again(self, finding: Finding) -> tuple[State, State]:
        """Trigger it again.

        The finding is remembered to wait: an audit that comes while this attempt is under way asks for no
        other.
        """
        with self._again.awaited(finding, ()):
            return self._republish(finding)

    def _close(self, finding: Finding) -> tuple[State, State]:
        """What the sweep would do: time out and close, or publish, whatever the batch has come to since."""
        batch = self.batches.get(finding.scope.name).unwrap()
        self.overdue.resume(batch, self.now()).unwrap()
        return state_of(batch), state_of(self.batches.get(batch.batch_id).unwrap())

    def _recount(self, finding: Finding) -> tuple[State, State]:
        """Counters from the documents, which are what was recorded. Refused in a mode that has none."""
        batch = self.batches.get(finding.scope.name).unwrap()
        return state_of(batch), state_of(recount(self.batches, batch.batch_id).unwrap())

    def _release(self, finding: Finding) -> tuple[State, State]:
        """The next holder's fence makes whatever the old one still sends stale: nothing of it is merged."""
        key = self._lock_named(finding.scope.name)
        ended = self.lock.force_release(key, WHO, finding.summary).unwrap()
        return {"held_by": ended.operation_id if ended else None}, {"held_by": None}

    def _lock_named(self, name: str) -> LockKey:
        """Raises ResultError for a document that is no lock of this deployment."""
        refused = ErrorInfo.permanent("NotReleased", f"lock {name!r} is none of this deployment")
        try:
            # The finding names a document; what is released is a key. Only if the key leads back to that very
            # document is it the right one.
            key = self.lock_key(date.fromisoformat(name.rpartition("_")[2]))
        except ValueError as exc:
            raise ResultError(refused) from exc
        if key.document_id != name:
            raise ResultError(refused)
        return key

    def _remove(self, finding: Finding) -> tuple[State, State]:
        """Those of the tables that are orphans still; the others stay, and are told as they are then."""
        gone = self.staging.remove(finding.ids).unwrap()
        return {"tables": list(finding.ids)}, {"tables": sorted(set(finding.ids) - set(gone))}

    def _dispatch(self, finding: Finding) -> tuple[State, State]:
        """Looked at anew: a decided dispatch is then sent, under the id that it has; a repeat is dropped."""
        assert finding.scope.game_date is not None
        # The boundary is the subject of such a finding.
        after = self.dispatches.resume(finding.subject, finding.scope.game_date).unwrap()
        return {"state": "dispatching"}, after


# By the repair that the finding names: which one is safe was decided when it was found.
_WORK: Mapping[Repair, Callable[[SafeRepairs, Finding], tuple[State, State]]] = {
    Repair.REPUBLISH_TRIGGER: SafeRepairs._republish,
    Repair.CONSOLIDATE_AGAIN: SafeRepairs._consolidate_again,
    Repair.CLOSE_OVERDUE: SafeRepairs._close,
    Repair.RECOMPUTE_COUNTERS: SafeRepairs._recount,
    Repair.REDRIVE_MISSING: SafeRepairs._redrive,
    Repair.RELEASE_LOCK: SafeRepairs._release,
    Repair.REMOVE_ORPHANS: SafeRepairs._remove,
    Repair.REPLACE_ROWS: SafeRepairs._replace,
    Repair.REPUBLISH_DISPATCH: SafeRepairs._dispatch,
}
