"""`verify`: what was coordinated on a date against what is in the warehouse, key by key."""

from collections.abc import Sequence
from datetime import date

from rich.console import RenderableType
from rich.text import Text

from common.audit.batch_reader import BatchReader, Wanted
from common.audit.outcomes import Outcome, Unknown
from common.audit.row_checks import QueryStore, check_row_rules, check_rows
from common.batches.batches import Batches
from common.batches.records import RECEIPTS, Batch
from common.consolidation.merge_sql import Tables
from common.consolidation.receipt import Receipt, changed_receipts
from common.result import ResultError

from ..answer import Answer
from ..exit_status import ExitStatus
from ..wording import names


def verify(
    reader: BatchReader, batches: Batches, warehouse: QueryStore, tables: Tables, game_date: date
) -> Answer:
    """Rows against receipts, rows against their rules, and receipts against each other.

    Raises ResultError where a store could not be read: nothing is verified by half.
    """
    seen = reader.seen(Wanted(game_date=game_date, since=game_date))
    rows = _known(check_rows(warehouse, tables, reader, seen))
    rules = _known(check_row_rules(warehouse, tables, game_date, game_date))
    found = [*getattr(rows, "findings", ()), *getattr(rules, "findings", ())]
    read = seen.unwrap().batches
    receipts = {batch.batch_id: _receipts(batches, batch) for batch in read}
    changed = [each for one in receipts.values() for each in changed_receipts(one)]
    shown: list[RenderableType] = [_line(batch, receipts[batch.batch_id]) for batch in read]
    shown += [Text(f"{each.finding_class.value}: {each.summary} {names(each.ids)}", "red") for each in found]
    shown += [
        Text(f"receipt {each.batch_id}/{each.fence} was changed after it was written", "red")
        for each in changed
    ]
    is_well = not found and not changed
    shown.append("Every key is where its receipt says." if is_well and read else "")
    return Answer(
        data={
            "game_date": game_date,
            "findings": found,
            "changed_receipts": changed,
            "batches": {batch_id: one for batch_id, one in receipts.items()},
        },
        shown=[each for each in shown if each] or ["No batch of that date."],
        status=ExitStatus.WELL if is_well else ExitStatus.FOUND,
    )


def _known(outcome: Outcome) -> Outcome:
    if isinstance(outcome, Unknown):
        raise ResultError(outcome.error)
    return outcome


def _receipts(batches: Batches, batch: Batch) -> Sequence[Receipt]:
    if not batch.consolidated_generation:
        return ()
    documents = batches.store.below(batch.batch_id, RECEIPTS).unwrap()
    return [Receipt.from_document(each.data) for each in documents]


def _line(batch: Batch, receipts: Sequence[Receipt]) -> str:
    merged = max((each.total_predictions for each in receipts), default=0)
    return f"{batch.batch_id}: {batch.status.value}, {merged:,} keys by {len(receipts)} receipts"
