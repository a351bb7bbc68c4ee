"""While a batch writes both schemas: do array, documents and counters say the same?

A sample of the events of such a batch asks. What differs is a finding, as if an audit had found it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..documents.query import Query
from ..result import Result, returns_result
from .batch_store import BatchStore
from .records import COMPLETIONS, batch_path

if TYPE_CHECKING:
    from ..findings import Finding

Report = Callable[["Finding"], Result[Any]]
"""Remembers a finding and tells it if nobody was told; a partial where it could not be told."""


class ConsistencyCheck:
    """Compares the two schemas of one batch; safe to share between threads."""

    def __init__(self, store: BatchStore, report: Report) -> None:
        self._store = store
        self._report = report

    @returns_result
    def check(self, batch_id: str) -> "tuple[Finding, ...]":
        """What differs; a failure if it could not be found out, or could not be remembered.

        Array, counters and documents are read as of the same moment, so a recording in between cannot look
        like a difference. Idempotent: what is known already is not told again.
        """
        batch = self._store.get(batch_id).unwrap()
        collection = f"{batch_path(batch_id)}/{COMPLETIONS}"
        # As of the moment at which the batch was read: array and counter are of that moment, too.
        number = self._store.documents.count(collection, Query(as_of=batch.read_time)).unwrap()
        # Three numbers, one read: who differs is looked up only where they do.
        if number == len(batch.in_array) == batch.counter:
            return ()
        # With all that findings are made of: a function that only might compare does not start with it.
        from .differences import differences

        documents = self._store.completions(batch_id, as_of=batch.read_time).unwrap()
        found = differences(batch, documents, None)
        for finding in found:
            self._report(finding).unwrap()
        return found
