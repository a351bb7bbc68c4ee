"""Which batches a command is about: one by its id, or all that `--where` chooses."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from common.batches.batches import Batches
from common.batches.records import COLLECTION, Batch, BatchStatus
from common.chunks import chunks
from common.documents.document import Document
from common.documents.query import Query, one_of
from common.result import Result
from common.schema_mode import SchemaMode

from ..bulk import plan_for_each, refuse_unless_one_is_named
from ..plan import Plan
from ..selection import Fields, Selection, day, number, text, time

DAYS_SEARCHED: Final = 30
"""Game dates back from today: older batches are removed or of no interest to a bulk command."""
VALUES_PER_QUERY: Final = 30
"""What one Firestore query takes of alternatives."""

SEARCHED: Final = f"Where neither a game_date nor a status is named, over the last {DAYS_SEARCHED} days."
FIELDS: Final[Fields[Batch]] = {
    "batch_id": text(lambda batch: batch.batch_id),
    "game_date": day(lambda batch: batch.game_date),
    "status": text(lambda batch: batch.status, choices=BatchStatus),
    "schema_mode": text(lambda batch: batch.schema_mode, choices=SchemaMode),
    "generation": number(lambda batch: batch.generation),
    "expected": number(lambda batch: batch.expected_players),
    "ended": number(lambda batch: batch.counts.ended),
    "missing": number(lambda batch: batch.expected_players - batch.counts.reported),
    "failed": number(lambda batch: batch.counts.failed),
    "predictions": number(lambda batch: batch.total_predictions),
    "deadline": time(lambda batch: batch.deadline),
    "closed_at": time(lambda batch: batch.closed_at),
}
"""What `--where` may ask of a batch."""


def of_days(batches: Batches, first: date, last: date) -> dict[str, Result[Batch]]:
    """The batches of these game dates by id; a failure for one that cannot be read. Raises ResultError.

    One query for every VALUES_PER_QUERY dates, one after the other and not as of one moment.
    """
    found: dict[str, Result[Batch]] = {}
    for some in chunks(_dates(first, last), VALUES_PER_QUERY):
        found |= batches.store.where("game_date", some).unwrap()
    return found


def documents_of_days(batches: Batches, first: date, last: date) -> list[Document]:
    """The same as they are stored: for who needs more of them than a batch.

    Whether a document is a batch at all is left to the caller. Raises ResultError.
    """
    return [
        document
        for some in chunks(_dates(first, last), VALUES_PER_QUERY)
        for document in batches.store.documents.find(
            COLLECTION, Query(where=(one_of("game_date", some),))
        ).unwrap()
    ]


def _dates(first: date, last: date) -> list[str]:
    """Both ends included, as the documents spell them."""
    return [(first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]


def chosen(batches: Batches, where: Selection[Batch], today: date) -> list[Batch]:
    """In the order of their ids. One query where a status or a game date is named, else over the game dates
    from DAYS_SEARCHED days ago to tomorrow. What nobody can read is never chosen: the auditor finds it."""
    read = _candidates(batches, where, today)
    return where.of([read[key].unwrap() for key in sorted(read) if read[key].is_success])


def plan(
    verb: str,
    batches: Batches,
    batch_id: str | None,
    *,
    where: Selection[Batch],
    today: date,
    plan_of: Callable[[str], Plan],
) -> Plan:
    """The plan of one batch, or of each that was chosen. Raises ResultError unless one of both is said.

    With an id no query is made: `plan_of` reads the batch and says whether it is there. With conditions, the
    set is that of one query, and each batch of it is read again by its own plan: one that has moved since is
    planned as it is by then.
    """
    refuse_unless_one_is_named("a batch", batch_id, where)
    if batch_id is not None:
        return plan_of(batch_id)
    # Their ids alone: each plan reads its batch itself, as it is by then.
    ids = [batch.batch_id for batch in chosen(batches, where, today)]
    return plan_for_each(verb, "batch", ids, where, name=str, plan_of=plan_of)


def _candidates(batches: Batches, where: Selection[Batch], today: date) -> dict[str, Result[Batch]]:
    """The fewest batches that a query can name among which all that are wanted are."""
    # One of the two is enough for one query; the other conditions are then judged here. The date first: it
    # chooses fewer.
    for field in ("game_date", "status"):
        value = where.exactly(field)
        if value is not None:
            return batches.store.where(field, [value]).unwrap()
    # To tomorrow: a batch may be opened on the eve of its games.
    return of_days(batches, today - timedelta(days=DAYS_SEARCHED), today + timedelta(days=1))
