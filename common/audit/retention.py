"""Removes batches that are over for long, with all that is below them, within a budget per run.

What is below goes first and the batch last: a run that is cut short leaves a batch that the next one finds
again. A batch that is neither consolidated nor given up is never removed, however old it is.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from ..batches.records import COLLECTION, BatchStatus
from ..documents.store import CALL_TIMEOUT_SECONDS, FAULTS, RETRY
from ..result import ErrorInfo, Result

BUDGET: Final = 5_000
"""Documents per run: a day's batch of 450 players is some 500."""
CHUNK: Final = 400
"""Per commit; Firestore takes 500 writes."""
BATCHES_PER_RUN: Final = 500
"""So many old batches are looked at; those that are not over are among them at every run."""

_OVER: Final = [BatchStatus.CONSOLIDATED.value, BatchStatus.ABANDONED.value]


@dataclass(frozen=True, kw_only=True)
class Removed:
    """What one run removed."""

    batches: tuple[str, ...]
    """Those that are gone with all that was below them."""
    documents: int
    is_complete: bool
    """False: the budget was used up, and the next run goes on."""


class Retention:
    """The old batches of one database; may run beside itself, and beside everything that works."""

    def __init__(self, db: firestore.Client, *, budget: int = BUDGET) -> None:
        self._db = db
        self._budget = budget

    def remove(self, before: date) -> Result[Removed]:
        """Remove batches of game dates before this one, the oldest first.

        Safe to repeat: what is gone is gone.

        Failures are those of the store; what was removed by then is in the details. Rows in the main table
        are not touched.
        """
        batches: list[str] = []
        spent = 0
        try:
            for snapshot in self._old(before):
                spent += self._below(snapshot.reference, self._budget - spent)
                # The batch's own document stays: by it the next run finds what is left below.
                if spent >= self._budget:
                    return Result.success(_removed(batches, spent, is_complete=False))
                # Written since it was found: somebody has brought it back to life.
                unchanged = self._db.write_option(last_update_time=snapshot.update_time)
                snapshot.reference.delete(option=unchanged, retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
                batches.append(snapshot.id)
                spent += 1
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, removed=batches))
        return Result.success(_removed(batches, spent, is_complete=True))

    def _old(self, before: date) -> list[Any]:
        # Those that are not over stay and are met at every run: with BATCHES_PER_RUN of them no other would
        # be reached, which their findings tell long before.
        found = (
            self._db.collection(COLLECTION)
            .where(filter=FieldFilter("game_date", "<", before.isoformat()))
            .order_by("game_date")
            .limit(BATCHES_PER_RUN)
            .select(["status"])
            .get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
        )
        return [each for each in found if (each.to_dict() or {}).get("status") in _OVER]

    def _below(self, batch: firestore.DocumentReference, budget: int) -> int:
        """How many documents below it were removed, at most `budget`."""
        removed = 0
        for collection in batch.collections(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS):
            while removed < budget:
                # Never more than the budget, and never more than a commit takes.
                size = min(CHUNK, budget - removed)
                page = collection.select([]).limit(size).get(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
                if not page:
                    break
                commit = self._db.batch()
                for each in page:
                    commit.delete(each.reference)
                commit.commit(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
                removed += len(page)
        return removed


def _removed(batches: list[str], documents: int, *, is_complete: bool) -> Removed:
    return Removed(batches=tuple(batches), documents=documents, is_complete=is_complete)
