"""Findings in Firestore: `findings/{finding_id}`, written under a precondition, so that two runs never both
believe that they have changed one."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Protocol

from google.api_core.exceptions import AlreadyExists, FailedPrecondition, GoogleAPIError, NotFound
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from ..result import ErrorInfo, Result, is_transient
from .tracked import Tracked

COLLECTION: Final = "findings"
"""`findings/{finding_id}`; the id is made of the finding, so every run writes the same document."""
CALL_TIMEOUT_SECONDS: Final = 10.0
"""Of one call with its repetitions."""
RETRY: Final = Retry(predicate=is_transient, initial=0.05, maximum=2.0, timeout=CALL_TIMEOUT_SECONDS)

_REFUSED = (AlreadyExists, FailedPrecondition, NotFound)
"""The document is not as it was read: somebody was faster, or our own earlier try of this very commit."""
_FAULTS = (GoogleAPIError, GoogleAuthError)
"""What the client raises; the caller gets it as a failure."""
_UNREADABLE = (KeyError, ValueError, TypeError, AttributeError)
"""What making sense of a document raises that nobody here has written."""


class FindingStore(Protocol):
    """What remembers findings; one contract suite holds for every implementation."""

    def unsettled(self) -> Result[dict[str, Tracked]]:
        """All that are open, or whose end somebody has yet to be told of, by id; without those that cannot be
        read."""
        ...

    def unreadable(self) -> Result[dict[str, str]]:
        """The paths of those that are not settled and make no sense, with why."""
        ...

    def get(self, finding_ids: Collection[str]) -> Result[dict[str, Tracked]]:
        """Those of them that were ever found, by id; without those that cannot be read."""
        ...

    def put(self, tracked: Tracked) -> Result[Tracked | None]:
        """Compare-and-set: write it if the store still has the version that it was read with.

        Returns it with its new version; None if somebody has written it since, perhaps this very call before
        its answer was lost: read it again, and decide anew. What cannot be read is nobody's version: it is
        written over.
        """
        ...


class FirestoreFindings:
    """Findings of one database. Safe to share between threads.

    A document that makes no sense hides no other and is never told to be over: it is named by the audit, and
    gives way where its finding is found again.
    """

    def __init__(self, db: firestore.Client) -> None:
        self._db = db

    def unsettled(self) -> Result[dict[str, Tracked]]:
        """As `FindingStore.unsettled`; one query."""
        return self._unsettled().map(_readable)

    def unreadable(self) -> Result[dict[str, str]]:
        """As `FindingStore.unreadable`; one query."""
        return self._unsettled().map(
            lambda found: {each.reference.path: why for each in found if (why := _nonsense(each)) is not None}
        )

    def _unsettled(self) -> "Result[list[firestore.DocumentSnapshot[Any]]]":
        query = self._db.collection(COLLECTION).where(filter=FieldFilter("is_settled", "==", False))
        try:
            return Result.success(list(query.get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)))
        except _FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, collection=COLLECTION))

    def get(self, finding_ids: Collection[str]) -> Result[dict[str, Tracked]]:
        """As `FindingStore.get`; nothing is asked for no ids."""
        if not finding_ids:
            return Result.success({})
        refs = [self._ref(each) for each in finding_ids]
        try:
            found = self._db.get_all(refs, retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
            return Result.success(_readable([each for each in found if each.exists]))
        except _FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, findings=sorted(finding_ids)))

    def put(self, tracked: Tracked) -> Result[Tracked | None]:
        """As `FindingStore.put`."""
        try:
            if (written := self._write(tracked)) is None and tracked.version is None:
                there = self._ref(tracked.finding_id).get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
                if there.exists and _nonsense(there) is not None:
                    written = self._write(tracked.stored_as(there.update_time))
        except _FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, finding_id=tracked.finding_id))
        return Result.success(written)

    def _write(self, tracked: Tracked) -> Tracked | None:
        """None if the store has another version."""
        ref, batch = self._ref(tracked.finding_id), self._db.batch()
        document = tracked.to_document()
        if tracked.version is None:
            batch.create(ref, document)
        else:
            unchanged = self._db.write_option(last_update_time=tracked.version)
            batch.update(ref, document, option=unchanged)
        try:
            written = batch.commit(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
        except _REFUSED:
            return None
        return tracked.stored_as(written[0].update_time)

    def _ref(self, finding_id: str) -> firestore.DocumentReference:
        ref: firestore.DocumentReference = self._db.collection(COLLECTION).document(finding_id)
        return ref


def _readable(found: "Sequence[firestore.DocumentSnapshot[Any]]") -> dict[str, Tracked]:
    return {each.id: _tracked(each) for each in found if _nonsense(each) is None}


def _nonsense(snapshot: "firestore.DocumentSnapshot[Any]") -> str | None:
    """Why the document is no finding; None where it is one, and the one that its id names."""
    try:
        named = _tracked(snapshot).finding_id
    except _UNREADABLE as exc:
        return f"{type(exc).__name__}: {exc}"
    return None if named == snapshot.id else f"it is the finding {named}"


def _tracked(snapshot: "firestore.DocumentSnapshot[Any]") -> Tracked:
    data: Mapping[str, Any] = snapshot.to_dict() or {}
    return Tracked.from_document(data, snapshot.update_time)
