"""Where lock documents are kept: the port, and its Firestore side.

Preconditions, never transactions: a transaction stalls under contention and hides it in a ValueError. The
in-memory side stands in `memory_store.py`; one suite of tests holds both to the same answers.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from google.api_core.exceptions import (
    GoogleAPIError,
    InternalServerError,
    ServiceUnavailable,
    TooManyRequests,
)
from google.api_core.retry import Retry, if_exception_type
from google.auth.exceptions import GoogleAuthError
from google.cloud import firestore

from ..result import ErrorInfo, Result
from .rules import LockKey, LockRecord

AUDIT: Final = "audit"
"""Collection below a lock document: who took it by force. Entries are created once and never changed."""

# Aborted is left out: on a commit it means a rival, and reading back tells who.
_WORTH_REPEATING: Final = if_exception_type(ServiceUnavailable, InternalServerError, TooManyRequests)


@dataclass(frozen=True, kw_only=True)
class LockSnapshot:
    """The lock document as one answer of the server showed it."""

    record: LockRecord | None
    """None: nobody ever held this lock."""
    update_time: datetime | None
    """Version of the document, for the precondition of the next write; None where there is no document."""
    server_now: datetime
    """The server's clock when it answered."""
    asked_at: float
    """Our monotonic clock, in seconds, before the question left: earlier than `server_now`."""

    def deadline(self) -> float:
        """When the lease ends, on our monotonic clock; early by no more than the time the answer took."""
        if self.record is None:
            return self.asked_at
        return self.asked_at + (self.record.expires_at - self.server_now).total_seconds()

    def has_expired(self) -> bool:
        """Whether the server's clock was past the lease when it answered."""
        return self.record is not None and self.record.expires_at <= self.server_now


class LockStore(ABC):
    """Reads and writes lock documents; safe to share between threads."""

    @abstractmethod
    def read(self, key: LockKey, *, at_most_seconds: float = math.inf) -> Result[LockSnapshot]:
        """The document now, with the server's time.

        `at_most_seconds` cuts the call shorter than the store's own limit. A document that does not exist is
        a success whose `record` is None. PERMANENT if it may not be read or is not that of a lock, TRANSIENT
        for a fault that may pass.
        """

    @abstractmethod
    def write(
        self,
        key: LockKey,
        record: LockRecord,
        *,
        over: LockSnapshot,
        audit: Mapping[str, Any] | None = None,
        at_most_seconds: float = math.inf,
    ) -> Result[LockSnapshot]:
        """Write `record` if the document is still as `over` shows it; `audit` is appended in the same commit.

        A success shows the document afterwards, whoever wrote it: we, even if the answer was lost and the
        repetition refused, or a rival who was faster. A failure: it was still as before when it was read
        back, or could not be. Safe to call again.
        """


class FirestoreLocks(LockStore):
    """Lock documents in Firestore.

    `call_timeout` bounds each call of the server with its retries; `at_most_seconds` cuts it shorter.
    """

    def __init__(self, db: firestore.Client, call_timeout: timedelta, monotonic: Callable[[], float]) -> None:
        self._db = db
        self._call_seconds = call_timeout.total_seconds()
        self._monotonic = monotonic

    def read(self, key: LockKey, *, at_most_seconds: float = math.inf) -> Result[LockSnapshot]:
        """As `LockStore.read`."""
        asked_at = self._monotonic()
        try:
            found = self._reference(key).get(**self._limits(at_most_seconds))
            record = LockRecord.from_fields(found.to_dict() or {}) if found.exists else None
        except (GoogleAPIError, GoogleAuthError, ValueError) as exc:
            return Result.failure(ErrorInfo.from_exception(exc, lock=str(key)))
        return Result.success(
            LockSnapshot(
                record=record,
                update_time=found.update_time,
                server_now=_plain(found.read_time),
                asked_at=asked_at,
            )
        )

    def write(
        self,
        key: LockKey,
        record: LockRecord,
        *,
        over: LockSnapshot,
        audit: Mapping[str, Any] | None = None,
        at_most_seconds: float = math.inf,
    ) -> Result[LockSnapshot]:
        """As `LockStore.write`: one commit, and a reading only if it was refused or its answer was lost."""
        asked_at = self._monotonic()
        try:
            results = self._batch(key, record, over, audit).commit(**self._limits(at_most_seconds))
        except (GoogleAPIError, GoogleAuthError) as exc:
            return self._read_back(key, exc, over, at_most_seconds)
        # The first write is that of the lock document: its update time is the server's clock.
        now = results[0].update_time
        return Result.success(
            LockSnapshot(record=record, update_time=now, server_now=_plain(now), asked_at=asked_at)
        )

    def _batch(
        self, key: LockKey, record: LockRecord, over: LockSnapshot, audit: Mapping[str, Any] | None
    ) -> firestore.WriteBatch:
        """The commit: create, or update with the version that was seen as its precondition; never an
        unconditional write.
        """
        reference, batch = self._reference(key), self._db.batch()
        if over.update_time is None:
            batch.create(reference, record.to_fields())
        else:
            unchanged = self._db.write_option(last_update_time=over.update_time)
            batch.update(reference, record.to_fields(beyond=over.record), option=unchanged)
        if audit is not None:
            batch.create(reference.collection(AUDIT).document(record.holder_id), dict(audit))
        return batch

    def _read_back(
        self, key: LockKey, exc: Exception, over: LockSnapshot, at_most_seconds: float
    ) -> Result[LockSnapshot]:
        """What the document shows after a write that was refused or whose answer was lost.

            we           create/update ── server applies it ── answer lost ✗
            the client          repeats ── refused: AlreadyExists or FailedPrecondition (for our own write)

        So a refusal alone says nothing: if the document has changed, whoever is in it now has won, we or a
        rival. If it has not, the write did not happen, and the fault is told.
        """
        failure: Result[LockSnapshot] = Result.failure(ErrorInfo.from_exception(exc, lock=str(key)))
        seen = self.read(key, at_most_seconds=at_most_seconds)
        # By version, not by content: that something was written since is all that a refusal tells.
        has_changed = seen.is_success and seen.unwrap().update_time != over.update_time
        return seen if has_changed else failure

    def _limits(self, at_most_seconds: float) -> dict[str, Any]:
        """Retry and time limit of one call.

        The client's own limit is 60 s, longer than a short lease would last.
        """
        seconds = min(self._call_seconds, at_most_seconds)
        retry = Retry(predicate=_WORTH_REPEATING, initial=0.05, maximum=1.0, timeout=seconds)
        return {"retry": retry, "timeout": seconds}

    def _reference(self, key: LockKey) -> firestore.DocumentReference:
        return self._db.collection(key.collection).document(key.document_id)


def _plain(moment: datetime) -> datetime:
    """Without the nanoseconds of the client's datetime, which a document would not keep."""
    return datetime.combine(moment.date(), moment.timetz())
