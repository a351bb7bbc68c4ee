"""The findings of one process, by the same contract as those in Firestore."""

from collections.abc import Collection
from itertools import count
from threading import Lock

from ..result import Result
from .tracked import Tracked


class MemoryFindings:
    """Keeps documents, as Firestore does: what does not survive being written is lost here, too.

    Each write gives a document a new version.
    """

    def __init__(self) -> None:
        self._documents: dict[str, tuple[dict[str, object], int]] = {}
        self._versions = count(1)
        self._lock = Lock()

    def unsettled(self) -> Result[dict[str, Tracked]]:
        """As `FindingStore.unsettled`."""
        with self._lock:
            found = {
                key: Tracked.from_document(document, version)
                for key, (document, version) in self._documents.items()
                if not document["is_settled"]
            }
        return Result.success(found)

    def unreadable(self) -> Result[dict[str, str]]:
        """None: only findings are put."""
        return Result.success({})

    def get(self, finding_ids: Collection[str]) -> Result[dict[str, Tracked]]:
        """As `FindingStore.get`."""
        with self._lock:
            found = {
                key: Tracked.from_document(*self._documents[key])
                for key in finding_ids
                if key in self._documents
            }
        return Result.success(found)

    def put(self, tracked: Tracked) -> Result[Tracked | None]:
        """As `FindingStore.put`: compare and write under one lock."""
        with self._lock:
            _, version = self._documents.get(tracked.finding_id, ({}, None))
            if version != tracked.version:
                return Result.success(None)
            written = next(self._versions)
            self._documents[tracked.finding_id] = (tracked.to_document(), written)
        return Result.success(tracked.stored_as(written))
