"""Locks that nobody gives back: expired and never released, or held for longer than any work takes.

An expired lock stops nobody: whoever comes next takes it, under a higher fence. It tells that a holder has
died, whose work may be half done. One that is renewed for too long does stop everybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from ..documents.port import Documents
from ..findings import Finding, FindingClass, Repair, Scope, Severity, operator_command
from ..lock.rules import LockRecord
from ..result import Result, returns_result
from .batch_rules import minutes
from .outcomes import Cost, Outcome, Unknown, outcome_of
from .stores import FIRESTORE
from .unreadable import unreadable_documents

CHECK: Final = "locks"
EXPIRED_FOR: Final = timedelta(minutes=15)
"""A lease that ended so long ago was not given back by its holder: it died."""
HELD_FOR: Final = timedelta(minutes=30)
"""Longer than any consolidation takes: whoever renews a lock for so long hangs."""


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

    def __init__(self, documents: Documents, collection: str) -> None:
        self._documents = documents
        self._collection = collection

    @returns_result
    def held(self) -> LocksSeen:
        """Locks that are held, by the server's clock.

        A lock is one document per day: few enough to be read whole. One that makes no sense is among the
        unreadable.
        """
        moment = self._documents.time().unwrap()
        found = self._documents.find(self._collection).unwrap()
        held, unreadable = [], []
        for document in found:
            try:
                record = LockRecord.from_fields(document.data)
            # One document that is no lock must not hide those that are: it is named, and the others are
            # judged.
            except ValueError:
                unreadable.append(document.path)
                continue
            if record.is_held:
                held.append((document.id, record))
        return LocksSeen(
            held=tuple(held), unreadable=tuple(unreadable), read_time=moment, reads=len(found) + 1
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
    """Pure; `now` is the server's.

    At most one for a lock: expired for EXPIRED_FOR, or alive and held for HELD_FOR. For the second no repair
    is named: its holder may be at work, and only a person can tell.
    """
    found = []
    for lock_id, record in held:
        expired_for, held_for = now - record.expires_at, now - record.acquired_at
        # Expired comes first: who holds a lock for long and has let it lapse blocks nobody any more.
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
    """A warning in either case: what waits behind the lock is told by findings of its own."""
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
