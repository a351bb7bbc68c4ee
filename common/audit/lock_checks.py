"""Locks that nobody gives back: expired and never released, or held for longer than any work takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from google.cloud import firestore

from ..findings import Finding, FindingClass, Repair, Scope, Severity, operator_command
from ..lock.rules import LockRecord
from ..result import ErrorInfo, Result
from .batch_rules import minutes
from .firestore_calls import CALL_TIMEOUT_SECONDS, FAULTS, RETRY
from .outcomes import Cost, Outcome, Unknown, outcome_of
from .unreadable import unreadable_documents

CHECK: Final = "locks"
EXPIRED_FOR: Final = timedelta(minutes=15)
"""A lease that ended so long ago was not given back by its holder: it died."""
HELD_FOR: Final = timedelta(minutes=30)
"""Longer than any consolidation takes: whoever renews a lock for so long hangs."""
FIRESTORE: Final = "firestore"


@dataclass(frozen=True, kw_only=True)
class LocksSeen:
    """The lock documents that are held, by id, as of `read_time`."""

    held: tuple[tuple[str, LockRecord], ...]
    unreadable: tuple[str, ...]
    """Ids of documents that are no lock's."""
    read_time: datetime
    reads: int


class Locks(Protocol):
    """Reads the locks; a failure is "could not look"."""

    def held(self) -> Result[LocksSeen]:
        """The locks that are held, with the server's time."""


class LockReader:
    """The locks of one type: `LockKey.collection` names where they are."""

    def __init__(self, db: firestore.Client, collection: str) -> None:
        self._collection = db.collection(collection)

    def held(self) -> Result[LocksSeen]:
        """Locks that are held, by the server's clock.

        A lock is one document per day: few enough to be read whole. One that makes no sense is among the
        unreadable.
        """
        try:
            # A document need not exist to tell the server's time.
            moment = self._collection.document("-").get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS).read_time
            snapshots = self._collection.get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc))
        held, unreadable = [], []
        for snapshot in snapshots:
            try:
                record = LockRecord.from_fields(snapshot.to_dict() or {})
            except ValueError:
                unreadable.append(snapshot.reference.path)
                continue
            if record.is_held:
                held.append((snapshot.id, record))
        return Result.success(
            LocksSeen(
                held=tuple(held), unreadable=tuple(unreadable), read_time=moment, reads=len(snapshots) + 1
            )
        )


def check_locks(locks: Locks) -> Outcome:
    """Every lock that is held, judged by the server's clock; a document that is none is a finding, too."""
    seen = locks.held()
    if seen.error is not None:
        return Unknown(store=FIRESTORE, error=seen.error)
    known = seen.unwrap()
    unreadable = unreadable_documents(CHECK, dict.fromkeys(known.unreadable, "it is no lock"))
    found = [*lock_findings(known.held, known.read_time), *unreadable]
    return outcome_of(found, cost=Cost(reads=known.reads))


def lock_findings(held: Sequence[tuple[str, LockRecord]], now: datetime) -> list[Finding]:
    """Pure; `now` is the server's."""
    found = []
    for lock_id, record in held:
        expired_for, held_for = now - record.expires_at, now - record.acquired_at
        if expired_for >= EXPIRED_FOR:
            found.append(
                _finding(
                    FindingClass.EXPIRED_LOCK,
                    lock_id,
                    f"expired {minutes(expired_for)} ago and was not given back by {record.operation_id}",
                    repair=Repair.RELEASE_LOCK,
                )
            )
        # Between the two, just expired: its holder may be giving it back, or another taking it.
        elif expired_for < timedelta(0) and held_for >= HELD_FOR:
            found.append(
                _finding(
                    FindingClass.LONG_HELD_LOCK,
                    lock_id,
                    f"held for {minutes(held_for)} by {record.operation_id}, and still renewed",
                )
            )
    return found


def _finding(
    finding_class: FindingClass, lock_id: str, summary: str, *, repair: Repair | None = None
) -> Finding:
    return Finding(
        finding_class=finding_class,
        severity=Severity.WARNING,
        check=CHECK,
        scope=Scope.of_system(lock_id),
        summary=summary,
        repair=repair,
        look=operator_command("locks"),
        depends_on=frozenset({FIRESTORE}),
    )
