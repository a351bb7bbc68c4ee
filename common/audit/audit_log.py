"""The documents of the audits in Firestore: `audits/{run_id}`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from ..result import ErrorInfo, Result, returns_result
from .firestore_calls import CALL_TIMEOUT_SECONDS, FAULTS, RETRY
from .in_turn import Resume
from .report import AuditReport, resume_from
from .run_checks import AUDITS_COLLECTION, LATEST
from .unreadable import UNREADABLE


class AuditLog(Protocol):
    """Keeps what each audit did, and tells the next one where to go on."""

    def resume(self) -> Result[tuple[Resume, ...]]:
        """Where the last run had to stop, by check; empty where it came to its end."""

    def write(self, report: AuditReport) -> Result[None]:
        """Keep what a run did and found; again: the same document."""


class FirestoreAuditLog:
    """The documents `audits/{run_id}`; safe to share between threads."""

    def __init__(self, db: firestore.Client) -> None:
        self._audits = db.collection(AUDITS_COLLECTION)

    @returns_result
    def resume(self) -> tuple[Resume, ...]:
        """Where the last run had to stop; one that can be read, of the latest."""
        for each in self.since(None, limit=LATEST).unwrap():
            try:
                return resume_from(each)
            except UNREADABLE:
                # One damaged document must not make every later run begin at the first batch, where a long
                # list of batches is never walked to its end.
                continue  # the check of the runs names it
        return ()

    def since(self, since: datetime | None, *, limit: int) -> Result[list[Mapping[str, Any]]]:
        """The newest first, `limit` at most; `since` is the earliest beginning, None: any."""
        query: Any = self._audits
        if since is not None:
            query = query.where(filter=FieldFilter("started_at", ">=", since))
        newest_first = query.order_by("started_at", direction=firestore.Query.DESCENDING).limit(limit)
        try:
            found = newest_first.get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, collection=AUDITS_COLLECTION))
        return Result.success([each.to_dict() or {} for each in found])

    def write(self, report: AuditReport) -> Result[None]:
        """Write the run's document. Safe to repeat: it has the run's id."""
        document = report.to_document()
        try:
            self._audits.document(report.run_id).set(document, retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, run_id=report.run_id))
        return Result.success(None)
