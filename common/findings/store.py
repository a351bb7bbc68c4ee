"""Findings as documents: `findings/{finding_id}`, written under a precondition, so that two runs never both
believe that they have changed one."""

from collections.abc import Collection, Iterable
from typing import Final

from ..documents.document import Document
from ..documents.port import UNREADABLE, Documents, is_refused
from ..documents.query import Query, equal
from ..documents.writes import Create, Update, Write
from ..result import Result, returns_result
from .tracked import Tracked

COLLECTION: Final = "findings"
"""`findings/{finding_id}`; the id is made of the finding, so every run writes the same document."""


class FindingStore:
    """What remembers findings. Safe to share between threads.

    A document that makes no sense hides no other and is never told to be over: it is named by the audit, and
    gives way where its finding is found again.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def unsettled(self) -> Result[dict[str, Tracked]]:
        """All that are open, or whose end somebody has yet to be told of, by id; without those that cannot be
        read. One query."""
        return self._unsettled().map(_readable)

    def unreadable(self) -> Result[dict[str, str]]:
        """The paths of those that are not settled and make no sense, with why. One query."""
        return self._unsettled().map(
            lambda found: {each.path: why for each in found if (why := _nonsense(each)) is not None}
        )

    def get(self, finding_ids: Collection[str]) -> Result[dict[str, Tracked]]:
        """Those of them that were ever found, by id; without those that cannot be read. Nothing is asked for
        no ids."""
        if not finding_ids:
            return Result.success({})
        found = self._documents.get([_path(each) for each in finding_ids])
        return found.map(lambda documents: _readable(documents.values()))

    @returns_result
    def put(self, tracked: Tracked) -> Tracked | None:
        """Compare-and-set: write it if the store still has the version that it was read with.

        Returns it with its new version; None if somebody has written it since, perhaps this very call before
        its answer was lost: read it again, and decide anew. What cannot be read is nobody's version: it is
        written over.
        """
        written = self._write(tracked)
        # Refused as new: it is there, and whoever found it could not read it. A readable one is somebody's.
        if written is None and tracked.version is None:
            path = _path(tracked.finding_id)
            there = self._documents.get([path]).unwrap().get(path)
            if there is not None and _nonsense(there) is not None:
                written = self._write(tracked.stored_as(there.update_time))
        return written

    def _unsettled(self) -> Result[list[Document]]:
        """By a field that is kept for this query alone: what is over and owed to nobody is not read again."""
        return self._documents.find(COLLECTION, Query(where=(equal("is_settled", False),)))

    def _write(self, tracked: Tracked) -> Tracked | None:
        """None if the store has another version. Raises ResultError."""
        path, fields = _path(tracked.finding_id), tracked.to_document()
        write: Write = (
            Create(path=path, fields=fields)
            if tracked.version is None
            else Update(path=path, fields=fields, unchanged_since=tracked.version)
        )
        written = self._documents.commit([write])
        return None if is_refused(written) else tracked.stored_as(written.unwrap()[0].update_time)


def _path(finding_id: str) -> str:
    """An id is a valid document id whatever the finding names: see `Finding.finding_id`."""
    return f"{COLLECTION}/{finding_id}"


def _readable(found: Iterable[Document]) -> dict[str, Tracked]:
    """By id, those that make sense; the others are named by the audit, not here."""
    return {each.id: _tracked(each) for each in found if _nonsense(each) is None}


def _nonsense(document: Document) -> str | None:
    """Why the document is no finding; None where it is one, and the one that its id names."""
    try:
        named = _tracked(document).finding_id
    except UNREADABLE as exc:
        return f"{type(exc).__name__}: {exc}"
    return None if named == document.id else f"it is the finding {named}"


def read_findable(document: Document) -> None:
    """Raises ValueError for a finding that no query would find again: it makes no sense, or `is_settled` says
    that it is over and it is not. One that the query of the unsettled finds is named by `unreadable`.
    """
    settled = document.data.get("is_settled")
    if settled is False:
        return
    why = _nonsense(document)
    if why is None and (settled is None or not _tracked(document).is_settled):
        why = f"is_settled: {settled!r}, and no query finds it by that"
    if why is not None:
        raise ValueError(why)


def _tracked(document: Document) -> Tracked:
    return Tracked.from_document(document.data, document.update_time)
