"""The lock document in Firestore: a read that tells the server's time, and a write whose outcome is known.

Preconditions, never transactions: a transaction stalls under contention and hides it in a ValueError.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

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
from .rules import Claim, LockKey

# Aborted is left out: on a commit it means a rival, and reading back tells who.
_WORTH_REPEATING = if_exception_type(ServiceUnavailable, InternalServerError, TooManyRequests)
# Long enough to be of use, too short for our clock to run away from the server's.
_RECENT_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """The lock document as one answer of the server showed it."""

    claim: Claim | None
    """None: nobody ever held this lock."""
    update_time: datetime | None
    """Version of the document, for the precondition of the next write."""
    server_now: datetime
    """The server's clock when it answered."""
    asked_at: float
    """Our monotonic clock, in seconds, before the question left: earlier than `server_now`."""

    def deadline(self) -> float:
        """When the claim ends, on our monotonic clock; early by no more than the time the answer took."""
        if self.claim is None:
            return self.asked_at
        return self.asked_at + (self.claim.expires_at - self.server_now).total_seconds()


class LockStore:
    """Reads and writes lock documents; safe to share between threads.

    `call_timeout` bounds each call of the server with its retries; `at_most_seconds` cuts it shorter.
    """

    def __init__(self, db: firestore.Client, call_timeout: timedelta, monotonic: Callable[[], float]) -> None:
        self._db = db
        self._call_seconds = call_timeout.total_seconds()
        self._monotonic = monotonic
        self._left_free: dict[LockKey, Sighting] = {}

    def read(self, key: LockKey, *, at_most_seconds: float = math.inf) -> Result[Sighting]:
        """The document now. PERMANENT if it may not be read, or is not that of a lock."""
        asked_at = self._monotonic()
        try:
            snapshot = self._reference(key).get(**self._limits(at_most_seconds))
            claim = Claim.from_fields(snapshot.to_dict() or {}) if snapshot.exists else None
        except (GoogleAPIError, GoogleAuthError, ValueError) as exc:
            return Result.failure(ErrorInfo.from_exception(exc, lock=str(key)))
        return Result.success(
            Sighting(
                claim=claim,
                update_time=snapshot.update_time,
                server_now=_plain(snapshot.read_time),
                asked_at=asked_at,
            )
        )

    def write(
        self,
        key: LockKey,
        claim: Claim,
        *,
        over: Sighting,
        audit: Mapping[str, Any] | None = None,
        at_most_seconds: float = math.inf,
    ) -> Result[Sighting]:
        """Write `claim` if the document is still as `over` shows it; `audit` is appended in the same commit.

        A success shows the document afterwards, whoever wrote it: we, even if the answer was lost and the
        repetition refused, or a rival who was faster. A failure: it was still as before when it was read
        back, or could not be. Safe to call again.
        """
        asked_at = self._monotonic()
        try:
            results = self._batch(key, claim, over, audit).commit(**self._limits(at_most_seconds))
        except (GoogleAPIError, GoogleAuthError) as exc:
            return self._read_back(key, exc, over, at_most_seconds)
        now = results[0].update_time
        after = Sighting(claim=claim, update_time=now, server_now=_plain(now), asked_at=asked_at)
        if not claim.is_held:
            self._left_free[key] = after
        return Result.success(after)

    def recall_free(self, key: LockKey) -> Sighting | None:
        """The lock as we lately left it, if we left it free: saves the read before the next claim, once.

        If it is outdated, the precondition of that claim refuses it. The server's time is moved on by our
        monotonic clock.
        """
        left = self._left_free.pop(key, None)
        if left is None or self._monotonic() - left.asked_at > _RECENT_SECONDS:
            return None
        age = timedelta(seconds=self._monotonic() - left.asked_at)
        return replace(left, server_now=left.server_now + age)

    def _batch(
        self, key: LockKey, claim: Claim, over: Sighting, audit: Mapping[str, Any] | None
    ) -> firestore.WriteBatch:
        reference, batch = self._reference(key), self._db.batch()
        if over.update_time is None:
            batch.create(reference, claim.to_fields())
        else:
            unchanged = self._db.write_option(last_update_time=over.update_time)
            batch.update(reference, claim.to_fields(beyond=over.claim), option=unchanged)
        if audit is not None:
            batch.create(reference.collection("audit").document(claim.holder_id), dict(audit))
        return batch

    def _read_back(
        self, key: LockKey, exc: Exception, over: Sighting, at_most_seconds: float
    ) -> Result[Sighting]:
        failure: Result[Sighting] = Result.failure(ErrorInfo.from_exception(exc, lock=str(key)))
        seen = self.read(key, at_most_seconds=at_most_seconds)
        has_changed = seen.is_success and seen.unwrap().update_time != over.update_time
        return seen if has_changed else failure

    def _limits(self, at_most_seconds: float) -> dict[str, Any]:
        seconds = min(self._call_seconds, at_most_seconds)
        retry = Retry(predicate=_WORTH_REPEATING, initial=0.05, maximum=1.0, timeout=seconds)
        return {"retry": retry, "timeout": seconds}

    def _reference(self, key: LockKey) -> firestore.DocumentReference:
        return self._db.collection(key.collection).document(key.document_id)


def _plain(moment: datetime) -> datetime:
    """Without the nanoseconds of the client's datetime, which a document would not keep."""
    return datetime.combine(moment.date(), moment.timetz())
