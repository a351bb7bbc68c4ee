"""Removes batches that are over for long, with all that is below them, within a budget per run.

    retention    finds it consolidated ── gives it up ── removes what is below ── removes the batch
    late player                        ╰─ before: revives it, and giving up is refused: nothing is lost
                                                      ╰─ after: kept for nobody, and removed by the next run

A batch that is given up is never revived or merged, so what is below it is needed by nobody. The batch goes
last: a run that is cut short leaves a batch that the next one finds again. One that is neither consolidated
nor given up is never removed, however old it is.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from ..batches.records import COLLECTION, BatchStatus
from ..batches.timeline import entry
from ..documents.document import Document
from ..documents.port import Documents, is_refused
from ..documents.query import Query, below
from ..documents.writes import SERVER_TIME, Delete, Set, Update
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
                given_up_at = self._given_up(batch)
                if given_up_at is None:
                    continue
                spent += self._remove_below(batch.path, self._budget - spent)
                # The batch's own document stays: by it the next run finds what is left below.
                if spent >= self._budget:
                    return Result.success(_removed(batches, spent, is_complete=False))
                # Written since: something has come that lies below it now.
                gone = self._documents.commit([Delete(path=batch.path, unchanged_since=given_up_at)])
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
        """Batches of earlier dates that are over, the oldest first; one query. Raises ResultError."""
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

    def _given_up(self, batch: Document) -> datetime | None:
        """The version as which the batch is given up; None, and nothing is written, if it is not as it was
        found: somebody has brought it back to life.
        """
        if batch.data["status"] == BatchStatus.ABANDONED.value:
            return batch.update_time
        fields = {"status": BatchStatus.ABANDONED.value, "updated_at": SERVER_TIME}
        story = entry("abandoned", "its retention is over: it is being removed")
        given_up = self._documents.commit(
            [
                Update(path=batch.path, fields=fields, unchanged_since=batch.update_time),
                *(Set(path=f"{batch.path}/{below}", fields=told) for below, told in story.items()),
            ]
        )
        return None if is_refused(given_up) else given_up.unwrap()[0].update_time

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
