"""The records of operations in Firestore: `operations/{auto}`."""

from collections.abc import Mapping
from typing import Any

from google.api_core.exceptions import GoogleAPIError
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from common.result import ErrorInfo, Result, is_transient

from .operations import COLLECTION, CutShort, Record

# A person waits: after 20 s the command says that it could not.
_LIMITS: Mapping[str, Any] = {
    "retry": Retry(predicate=is_transient, initial=0.1, maximum=2.0, timeout=20.0),
    "timeout": 10.0,
}


class FirestoreLedger:
    """Keeps records of operations; nothing that was kept is ever removed. Safe to share between threads."""

    def __init__(self, db: firestore.Client) -> None:
        self._records = db.collection(COLLECTION)

    def cut_short(self, command: str) -> Result[CutShort | None]:
        """The record of this command that has no result yet; None where each has one.

        By two equality filters, which need no index of their own.
        """
        unfinished = self._records.where(filter=FieldFilter("command", "==", command)).where(
            filter=FieldFilter("result", "==", None)
        )
        try:
            found = unfinished.limit(1).get(**_LIMITS)
        except (GoogleAPIError, GoogleAuthError) as exc:
            return Result.failure(ErrorInfo.from_exception(exc, operation=command))
        if not found:
            return Result.success(None)
        kept = found[0].to_dict() or {}
        return Result.success(
            CutShort(
                record_id=found[0].id,
                at=kept["at"],
                plan=tuple(kept["plan"]),
                seen=kept.get("seen", {}),
            )
        )

    def begin(self, record: Record) -> Result[str]:
        """Keep it; returns its new id.

        Repeated by the client after a lost answer it is refused by its own write, and told as a failure:
        nothing has been done under it yet.
        """
        ref = self._records.document()
        try:
            ref.create(record.to_document(), **_LIMITS)
        except (GoogleAPIError, GoogleAuthError) as exc:
            return Result.failure(ErrorInfo.from_exception(exc, operation=record.command))
        return Result.success(ref.id)

    def end(self, record_id: str, result: Mapping[str, Any]) -> Result[None]:
        """Again with the same result: nothing changes."""
        return self._note(record_id, {"result": dict(result)})

    def interrupt(self, record_id: str, so_far: Mapping[str, Any]) -> Result[None]:
        """Keep how far it came; the record stays without a result. Again: the last one stands."""
        return self._note(record_id, {"interrupted": dict(so_far)})

    def _note(self, record_id: str, fields: Mapping[str, Any]) -> Result[None]:
        try:
            self._records.document(record_id).update(dict(fields), **_LIMITS)
        except (GoogleAPIError, GoogleAuthError) as exc:
            return Result.failure(ErrorInfo.from_exception(exc, operation=record_id))
        return Result.success(None)
