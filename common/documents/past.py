"""The documents as they were at one moment, for whoever only reads.

What reads of now reads of then by being given these: no query has to be told. Firestore keeps every version
for an hour, and those of whole minutes for seven days where point-in-time recovery is on; of an earlier
moment every reading is REFUSED.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ..result import ErrorInfo, Result
from .document import Document
from .port import Documents, Written
from .query import ALL, Query
from .writes import Write


@dataclass(frozen=True, kw_only=True)
class PastDocuments:
    """Another moment that a call asks for itself stays that of the call. Safe to share between threads."""

    documents: Documents
    at: datetime
    """A time of the server's that is over."""

    def get(
        self, paths: Sequence[str], *, as_of: datetime | None = None, only: tuple[str, ...] | None = None
    ) -> Result[dict[str, Document]]:
        """As `Documents.get`."""
        return self.documents.get(paths, as_of=as_of or self.at, only=only)

    def find(self, collection: str, query: Query = ALL) -> Result[list[Document]]:
        """As `Documents.find`."""
        return self.documents.find(collection, self._then(query))

    def count(self, collection: str, query: Query = ALL) -> Result[int]:
        """As `Documents.count`."""
        return self.documents.count(collection, self._then(query))

    def count_and_sum(self, collection: str, field: str, query: Query = ALL) -> Result[tuple[int, float]]:
        """As `Documents.count_and_sum`."""
        return self.documents.count_and_sum(collection, field, self._then(query))

    def collections(self, path: str) -> Result[list[str]]:
        """PERMANENT: the store tells of no moment but now which collections there are."""
        return Result.failure(
            ErrorInfo.permanent("OnlyNow", "collections are known as of now alone", path=path)
        )

    def time(self) -> Result[datetime]:
        """The moment itself: whoever reads on as of it reads the same."""
        return Result.success(self.at)

    def commit(self, writes: Sequence[Write]) -> Result[Sequence[Written]]:
        """PERMANENT: nothing is written into the past."""
        return Result.failure(
            ErrorInfo.permanent("ReadOnly", "the past is only read", document=writes[0].path)
        )

    def _then(self, query: Query) -> Query:
        return query if query.as_of is not None else replace(query, as_of=self.at)
