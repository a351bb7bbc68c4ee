"""The documents of the audits: `audits/{run_id}`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..documents.port import UNREADABLE, Documents
from ..documents.query import Query, at_least
from ..documents.writes import Set
from ..result import Result, returns_result
from .in_turn import Resume
from .report import AuditReport, resume_from
from .run_checks import AUDITS_COLLECTION, LATEST


class AuditLog:
    """Keeps what each audit did, and tells the next one where to go on. Safe to share between threads."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

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
        begun = () if since is None else (at_least("started_at", since),)
        newest_first = Query(where=begun, order_by="started_at", descending=True, limit=limit)
        found = self._documents.find(AUDITS_COLLECTION, newest_first)
        return found.map(lambda documents: [each.data for each in documents])

    def write(self, report: AuditReport) -> Result[None]:
        """Write the run's document. Safe to repeat: it has the run's id."""
        kept = Set(path=f"{AUDITS_COLLECTION}/{report.run_id}", fields=report.to_document())
        return self._documents.commit([kept]).map(lambda _: None)
