"""While a batch writes both schemas: do array, documents and counters say the same?

A sample of the events of such a batch asks. What differs is a finding, as if an audit had found it.
"""

from collections.abc import Callable
from typing import Any

from ..findings import Finding
from ..result import ErrorInfo, Result, returns_result
from .differences import differences
from .records import COMPLETIONS, Batch, Completion
from .store import CALL_TIMEOUT_SECONDS, FAULTS, RETRY, UNREADABLE, BatchStore

Report = Callable[[Finding], Result[Any]]
"""Remembers a finding and tells it if nobody was told; a partial where it could not be told."""


class ConsistencyCheck:
    """Compares the two schemas of one batch; safe to share between threads."""

    def __init__(self, store: BatchStore, report: Report) -> None:
        self._store = store
        self._report = report

    @returns_result
    def check(self, batch_id: str) -> tuple[Finding, ...]:
        """What differs; a failure if it could not be found out, or could not be remembered.

        Array, counters and documents are read as of the same moment, so a recording in between cannot look
        like a difference. Safe to repeat: what is known already is not told again.
        """
        batch = self._store.get(batch_id).unwrap()
        if self._count(batch).unwrap() == len(batch.in_array) == batch.counter:
            return ()
        found = differences(batch, self._documents(batch).unwrap(), None)
        for finding in found:
            self._report(finding).unwrap()
        return found

    def _count(self, batch: Batch) -> Result[int]:
        completions = self._store.ref(batch.batch_id).collection(COMPLETIONS)
        try:
            counted = completions.count().get(
                retry=RETRY, timeout=CALL_TIMEOUT_SECONDS, read_time=batch.read_time
            )
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, batch_id=batch.batch_id))
        return Result.success(int(counted[0][0].value))

    def _documents(self, batch: Batch) -> Result[dict[str, Completion]]:
        completions = self._store.ref(batch.batch_id).collection(COMPLETIONS)
        try:
            found = completions.get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS, read_time=batch.read_time)
            return Result.success({each.id: Completion.from_document(each.to_dict() or {}) for each in found})
        except (*FAULTS, *UNREADABLE) as exc:
            return Result.failure(ErrorInfo.from_exception(exc, batch_id=batch.batch_id))
