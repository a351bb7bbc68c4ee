"""While a batch writes both schemas: do array, documents and counters say the same?

A sample of the events of such a batch asks. What differs is named, and told once per batch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog
from google.api_core.exceptions import AlreadyExists
from google.cloud import firestore

from ..result import ErrorInfo, ErrorType, Result
from .records import COMPLETIONS, Batch
from .store import CALL_TIMEOUT_SECONDS, FAULTS, RETRY, BatchStore

ALERT: Final = "dual-write-mismatch"

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """What differs, as of one moment."""

    batch_id: str
    array_count: int
    document_count: int
    counter: int
    only_in_array: tuple[str, ...]
    only_in_documents: tuple[str, ...]


Notify = Callable[[Mismatch], Result[None]]


class ConsistencyCheck:
    """Compares the two schemas of one batch; safe to share between threads."""

    def __init__(self, store: BatchStore, notify: Notify) -> None:
        self._store = store
        self._notify = notify

    def check(self, batch_id: str) -> Result[Mismatch | None]:
        """What differs, or None; a failure if it could not be found out, or could not be told.

        Array, counters and documents are read as of the same moment, so a recording in between cannot look
        like a mismatch.
        """
        return self._store.get(batch_id).and_then(self._compare).and_then(self._tell)

    def _compare(self, batch: Batch) -> Result[Mismatch | None]:
        completions = self._store.ref(batch.batch_id).collection(COMPLETIONS)
        try:
            counted = completions.count().get(
                retry=RETRY, timeout=CALL_TIMEOUT_SECONDS, read_time=batch.read_time
            )
            number = int(counted[0][0].value)
            if len(batch.in_array) == number == batch.counter:
                return Result.success(None)
            found = completions.select([]).get(
                retry=RETRY, timeout=CALL_TIMEOUT_SECONDS, read_time=batch.read_time
            )
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, batch_id=batch.batch_id))
        return Result.success(_mismatch(batch, {snapshot.id for snapshot in found}))

    def _tell(self, mismatch: Mismatch | None) -> Result[Mismatch | None]:
        """Log always; notify once per batch, whoever of all instances finds it first."""
        if mismatch is None:
            return Result.success(None)
        log.error("array and documents differ", action="dual_write_mismatch", **vars(mismatch))
        ref = self._store.ref(mismatch.batch_id).collection("alerts").document(ALERT)
        try:
            ref.create(_document(mismatch), retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
        except AlreadyExists:
            return Result.success(mismatch)
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, batch_id=mismatch.batch_id))
        told = self._notify(mismatch)
        return told.map(lambda _: mismatch) if told.is_success else self._withdraw(ref, told)

    def _withdraw(self, ref: firestore.DocumentReference, untold: Result[None]) -> Result[Mismatch | None]:
        """Nobody was notified: the next sample shall try again."""
        try:
            ref.delete(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
        except FAULTS as exc:
            log.error("alert not withdrawn", action="alert_not_withdrawn", alert=ref.path, error=str(exc))
        return untold.map(lambda _: None)


def slack(webhook_url: str | None) -> Notify:
    """Tells a Slack channel; without a webhook the log has to do."""

    def notify(mismatch: Mismatch) -> Result[None]:
        if webhook_url is None:
            return Result.success(None)
        from slack_sdk.errors import SlackClientError
        from slack_sdk.webhook import WebhookClient

        try:
            answer = WebhookClient(webhook_url, timeout=10).send_dict(slack_message(mismatch))
        except (SlackClientError, OSError) as exc:
            return Result.failure(ErrorInfo.from_exception(exc, batch_id=mismatch.batch_id))
        if answer.status_code != 200:
            return Result.failure(_slack_error(answer.status_code, answer.body, mismatch.batch_id))
        return Result.success(None)

    return notify


def _slack_error(status: int, body: str, batch_id: str) -> ErrorInfo:
    """Whoever is refused (a webhook that was revoked, a channel that is gone) stays refused."""
    is_permanent = 400 <= status < 500 and status != 429
    error_type = ErrorType.PERMANENT if is_permanent else ErrorType.TRANSIENT
    return ErrorInfo(error_type, "SlackError", f"Slack answered {status}: {body}", {"batch_id": batch_id})


def slack_message(mismatch: Mismatch) -> dict[str, Any]:
    facts = {
        "Batch": mismatch.batch_id,
        "Array count": mismatch.array_count,
        "Subcollection count": mismatch.document_count,
        "Counter": mismatch.counter,
        "Difference": abs(mismatch.array_count - mismatch.document_count),
        "Only in array": ", ".join(mismatch.only_in_array) or "nobody",
        "Only in subcollection": ", ".join(mismatch.only_in_documents) or "nobody",
    }
    lines = "\n".join(f"*{name}:* {value}" for name, value in facts.items())
    return {
        "username": "Prediction Coordinator",
        "icon_emoji": ":rotating_light:",
        "text": f"*Dual-Write Consistency Mismatch*\n{lines}\nPlease investigate.",
    }


def _mismatch(batch: Batch, documents: set[str]) -> Mismatch:
    return Mismatch(
        batch_id=batch.batch_id,
        array_count=len(batch.in_array),
        document_count=len(documents),
        counter=batch.counter,
        only_in_array=tuple(sorted(batch.in_array.keys() - documents)),
        only_in_documents=tuple(sorted(documents - batch.in_array.keys())),
    )


def _document(mismatch: Mismatch) -> dict[str, Any]:
    return {
        **vars(mismatch),
        "only_in_array": list(mismatch.only_in_array),
        "only_in_documents": list(mismatch.only_in_documents),
        "found_at": firestore.SERVER_TIMESTAMP,
    }
