"""The batches of a date in one look: their documents alone, by one query, however many there are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from common.audit.batch_rules import document_findings
from common.batches.batch_document import read_batch
from common.batches.batch_store import readable
from common.batches.records import COLLECTION, Batch, BatchStatus
from common.documents.document import Document
from common.documents.port import Documents
from common.documents.query import Condition, Query, equal, one_of
from common.findings.records import operator_command
from common.result import Result

from ..answer import Answer
from ..exit_status import ExitStatus
from ..wording import moment

READ: Final = 200
"""More batches than that are no day that anybody reads line by line."""
SHOWN: Final = 20
"""Lines of a screen; the others are counted."""

NOT_OVER: Final = tuple(
    status.value for status in BatchStatus if status not in (BatchStatus.CONSOLIDATED, BatchStatus.ABANDONED)
)
"""Statuses of batches from which something may still come."""


@dataclass(frozen=True, kw_only=True)
class DayBatches:
    """The batches of a date, by id; a failure for each that cannot be read."""

    found: Mapping[str, Result[Batch]]
    is_whole: bool
    """Whether these are all; else the first of those that are not over."""


def of(documents: Documents, game_date: date) -> DayBatches:
    """One query; a second one on a day that has too many. Raises ResultError.

    What it lists of such a day is no count of the day, and the two readings are not of one moment: a batch
    that ends between them is not listed.
    """
    on_the_day = equal("game_date", game_date.isoformat())
    found = _read(documents, on_the_day)
    if len(found) <= READ:
        return DayBatches(found=found, is_whole=True)
    # What is over needs nobody; the rest is what somebody has to look at.
    found = _read(documents, on_the_day, one_of("status", NOT_OVER))
    return DayBatches(found=dict(list(found.items())[:READ]), is_whole=False)


def listed(day: DayBatches, here: Callable[[str], str]) -> Answer:
    """One line for each, those first that somebody has to look at; what their documents alone do not tell,
    `explain` does.

    Judged by the documents alone: a counter that disagrees with the completions below it is not seen here.
    Exit status 1 where any is wrong or unreadable, also where its line is not shown.
    """
    wrong = {batch_id: wrong_with(result) for batch_id, result in day.found.items()}
    # Ids break the tie, so that the same day makes the same list twice.
    in_order = sorted(day.found, key=lambda batch_id: (not wrong[batch_id], batch_id))
    table = Table("batch", "status", "ended", "predictions", "deadline (UTC)", box=None, header_style="bold")
    shown: list[RenderableType] = [table] if day.found else ["No batch."]
    for batch_id in in_order[:SHOWN]:
        table.add_row(*_cells(batch_id, day.found[batch_id]))
    if len(in_order) > SHOWN or not day.is_whole:
        more = f"{len(in_order) - SHOWN} more" if len(in_order) > SHOWN else "more"
        what = (
            "" if day.is_whole else f"; more than {READ} are of this date: those that are over are left out"
        )
        shown.append(f"… and {more}{what}.")
    for batch_id in in_order[:SHOWN]:
        if wrong[batch_id]:
            shown.append(Text.assemble((f"{batch_id}: ", "bold"), (wrong[batch_id], "red")))
            shown.append(Text(f"    {here(operator_command('explain', batch_id))}", style="bold"))
    data = {
        batch_id: {"unreadable": result.error.message} if result.error else _data(result.unwrap())
        for batch_id, result in day.found.items()
    }
    return Answer(
        data={"batches": data, "is_whole": day.is_whole, "wrong": {k: v for k, v in wrong.items() if v}},
        shown=shown,
        status=ExitStatus.FOUND if any(wrong.values()) else ExitStatus.WELL,
    )


def wrong_with(result: Result[Batch]) -> str:
    """What an audit would say of the document; "" where it is well."""
    if result.error is not None:
        return f"unreadable: {result.error.message}"
    return "; ".join(finding.summary for finding in document_findings(result.unwrap()))


def _read(documents: Documents, *where: Condition) -> dict[str, Result[Batch]]:
    """Batches that fulfil the conditions, by id, one more than are shown."""
    # One more than are shown tells that there are more, without counting them.
    found = documents.find(COLLECTION, Query(where=where, limit=READ + 1)).unwrap()
    return {document.id: _batch(document) for document in found}


def _batch(document: Document) -> Result[Batch]:
    """A failure for a document that is no batch."""
    return readable(document, lambda _: read_batch(document))


def _cells(batch_id: str, result: Result[Batch]) -> tuple[RenderableType, ...]:
    """One row; a batch that cannot be read has a row, too."""
    if result.error is not None:
        # Nothing of such a document is trusted, not even a field that looks right.
        return Text(batch_id), Text("unreadable", style="red"), "", "", ""
    batch = result.unwrap()
    return (
        Text(batch_id),
        batch.status.value,
        f"{batch.counts.ended} / {batch.expected_players}",
        f"{batch.total_predictions:,}",
        "" if batch.deadline is None else moment(batch.deadline),
    )


def _data(batch: Batch) -> Mapping[str, Any]:
    """What the table tells; `explain` has the whole document."""
    return {
        "status": batch.status,
        "ended": batch.counts.ended,
        "expected": batch.expected_players,
        "predictions": batch.total_predictions,
        "generation": batch.generation,
        "deadline": batch.deadline,
    }
