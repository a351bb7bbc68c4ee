"""The heartbeat of the sweeps: `sweeps/{function}` says when each ran last, and what it missed before that.

A tick that did not come is seen by the next one, and by whoever reads that the last is long ago.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from ..documents.port import Documents
from ..documents.writes import Merge
from ..result import returns_result

COLLECTION: Final = "sweeps"
EVERY: Final = timedelta(minutes=10)
"""How often the scheduler ticks; `infra` has the same."""


class SweepTicks:
    """Notes the ticks of one database; each function has a document of its own, so that none writes
    another's.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    @returns_result
    def note(self, function: str, now: datetime) -> int:
        """Note a tick; returns how many did not come before it. The same tick again has missed none.

        `last_gap` stays until the next gap: the auditor tells it even if ticks have come since. A failure is
        one of the store: the tick is delivered again.
        """
        path = f"{COLLECTION}/{function}"
        known = self._documents.get([path]).unwrap().get(path)
        last_run = known.data.get("last_run") if known else None
        number = missed(last_run, now)
        fields: dict[str, Any] = {"last_run": now, "missed": number}
        if number:
            fields["last_gap"] = {"from": last_run, "to": now, "missed": number}
        # Merged: `last_gap` outlives the tick.
        self._documents.commit([Merge(path=path, fields=fields)]).unwrap()
        return number


def missed(last_run: datetime | None, now: datetime) -> int:
    """Ticks that should have come between the two. One that is late by less than half is not missed."""
    # The first tick ever, or a redelivery of an old one.
    if last_run is None or now <= last_run:
        return 0
    return max(0, round((now - last_run) / EVERY) - 1)
