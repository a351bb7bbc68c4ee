"""Removes batches that are over for long, with all that is below them, within a budget per run.

What is below goes first and the batch last: a run that is cut short leaves a batch that the next one finds
again. A batch that is neither consolidated nor given up is never removed, however old it is.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from ..batches.records import COLLECTION, BatchStatus
from ..documents.document import Document
from ..documents.port import Documents, is_refused
from ..documents.query import Query, below
from ..documents.writes import Delete
from ..result import Result, ResultError

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

    def __init__(self, documents: Documents, *, budget: int = BUDGET) -> None:
        self._documents = documents
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
            for batch in self._old(before):
                spent += self._remove_below(batch.path, self._budget - spent)
                # The batch's own document stays: by it the next run finds what is left below.
                if spent >= self._budget:
                    return Result.success(_removed(batches, spent, is_complete=False))
                # Written since it was found: somebody has brought it back to life.
                gone = self._documents.commit([Delete(path=batch.path, unchanged_since=batch.update_time)])
                if is_refused(gone):
                    continue
                gone.unwrap()
                batches.append(batch.id)
                spent += 1
        except ResultError as exc:
            details = {**(exc.error.details or {}), "removed": batches}
            return Result.failure(replace(exc.error, details=details))
        return Result.success(_removed(batches, spent, is_complete=True))

    def _old(self, before: date) -> list[Document]:
        # Those that are not over stay and are met at every run: with BATCHES_PER_RUN of them no other would
        # be reached, which their findings tell long before.
        old = Query(
            where=(below("game_date", before.isoformat()),),
            order_by="game_date",
            limit=BATCHES_PER_RUN,
            only=("status",),
        )
        found = self._documents.find(COLLECTION, old).unwrap()
        return [each for each in found if each.data.get("status") in _OVER]

    def _remove_below(self, batch: str, budget: int) -> int:
        """How many documents below it were removed, at most `budget`."""
        removed = 0
        for collection in self._documents.collections(batch).unwrap():
            while removed < budget:
                # Never more than the budget, and never more than a commit takes.
                page = Query(limit=min(CHUNK, budget - removed), only=())
                found = self._documents.find(collection, page).unwrap()
                if not found:
                    break
                self._documents.commit([Delete(path=each.path) for each in found]).unwrap()
                removed += len(found)
        return removed


def _removed(batches: list[str], documents: int, *, is_complete: bool) -> Removed:
    return Removed(batches=tuple(batches), documents=documents, is_complete=is_complete)
