"""The heartbeat of the sweeps: `sweeps/{function}` says when each ran last, and what it missed before that.

A tick that did not come is seen by the next one, and by whoever reads that the last is long ago.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from google.api_core.exceptions import GoogleAPIError
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.cloud import firestore

from ..result import ErrorInfo, Result, is_transient

COLLECTION: Final = "sweeps"
EVERY: Final = timedelta(minutes=10)
"""How often the scheduler ticks; `infra` has the same."""
_FAULTS: Final = (GoogleAPIError, GoogleAuthError)
_LIMITS: Final[dict[str, Any]] = {
    "retry": Retry(predicate=is_transient, initial=0.05, maximum=2.0, timeout=20.0),
    "timeout": 10.0,
}


class SweepTicks:
    """Notes the ticks of one database; each function has a document of its own, so that none writes
    another's.
    """

    def __init__(self, db: firestore.Client) -> None:
        self._db = db

    def note(self, function: str, now: datetime) -> Result[int]:
        """Note a tick; returns how many did not come before it. The same tick again has missed none.

        `last_gap` stays until the next gap: the auditor tells it even if ticks have come since. A failure is
        one of the store: the tick is delivered again.
        """
        ref = self._db.collection(COLLECTION).document(function)
        try:
            last_run = (ref.get(**_LIMITS).to_dict() or {}).get("last_run")
            number = missed(last_run, now)
            fields: dict[str, Any] = {"last_run": now, "missed": number}
            if number:
                fields["last_gap"] = {"from": last_run, "to": now, "missed": number}
            # `merge` keeps `last_gap`, which outlives the tick.
            ref.set(fields, merge=True, **_LIMITS)
        except _FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, function=function))
        return Result.success(number)


def missed(last_run: datetime | None, now: datetime) -> int:
    """Ticks that should have come between the two. One that is late by less than half is not missed."""
    if last_run is None or now <= last_run:
        return 0
    return max(0, round((now - last_run) / EVERY) - 1)
