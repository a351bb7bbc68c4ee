"""`verify`: what was coordinated on a date against what is in the warehouse, key by key.

    receipts ── how many keys ──▶ rows        more, fewer, copies, marked as changed
    rules    ──────────────────▶ rows        values that no worker may stage
    past     ── all values ─────▶ rows        changed without a mark, by the table as it was
    receipts ── digests ────────▶ receipts    changed, removed, misplaced

The first two are the audit's own checks, without their limit of time.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from common.audit.batch_reader import BatchReader
from common.audit.batches_seen import Wanted
from common.audit.in_turn import UNHURRIED
from common.audit.outcomes import Outcome, Unknown
from common.audit.row_checks import MAY_GET_ROWS, QueryStore, check_rows
from common.audit.row_rules import Day
from common.audit.rule_sql import check_row_rules
from common.batches.batch_store import readable
from common.batches.batches import Batches
from common.batches.records import RECEIPTS, Batch, batch_path
from common.consolidation.merge_sql import Tables
from common.consolidation.receipt import Receipt
from common.consolidation.receipt_chain import DIGEST_FIELD, BrokenLink, broken_links
from common.findings import Finding, FindingClass
from common.result import ResultError
from common.texts import counted

from ..answer import Answer
from ..exit_status import ExitStatus
from ..verifying.keys import MAX_KEYS, Key, Merged, keys_of, merged, told
from ..wording import moment, names

_OF_ROWS: Final = frozenset(
    {
        FindingClass.GHOST_ROW,
        FindingClass.DUPLICATE_ROW,
        FindingClass.MODIFIED_ROW,
        FindingClass.MISSING_ROW,
        FindingClass.BROKEN_ROW_RULE,
    }
)
"""Classes whose ids are players with rows in the main table, or without."""

Receipts = Mapping[str, Receipt]
"""Of one batch, by the name of their document, which is the fence."""


def verify(
    reader: BatchReader,
    batches: Batches,
    warehouse: QueryStore,
    tables: Tables,
    *,
    game_date: date,
    now: datetime,
) -> Answer:
    """Rows against receipts, rules and what was merged, and receipts against each other.

    Raises ResultError where a store could not be read: nothing is verified by half. What BigQuery keeps no
    more is not compared, and that is said.

    Exit status 1 where anything differs. Nothing is written. The batches are of one moment, rows and receipts
    are read after it: a day that is still written is not judged, as in the audit. A batch whose document
    makes no sense is not verified either; the audit names it.
    """
    # Without a time limit, as one date is asked for; the auditor's own hourly look has one.
    seen = reader.seen(Wanted(game_date=game_date, since=game_date))
    rows = _known(check_rows(warehouse, tables, batches=reader, seen=seen, turn=UNHURRIED))
    rules = _known(check_row_rules(warehouse, tables, game_date, game_date))
    found = [*getattr(rows, "findings", ()), *getattr(rules, "findings", ())]
    read = seen.unwrap().batches
    # All of them, and not the newest alone as in the audit: the chain is what is verified.
    receipts = {batch.batch_id: _receipts(batches, batch) for batch in read}
    broken = {batch.batch_id: _broken(batches, batch, receipts[batch.batch_id]) for batch in read}
    as_merged, last = _as_merged(warehouse, tables, read, receipts, now=now)
    # Only keys of which something is known to be wrong are looked up one by one: a date has as many keys as
    # predictions.
    players = {name for each in found if each.finding_class in _OF_ROWS for name in each.ids}
    keys = keys_of(warehouse, tables, game_date, sorted(players | as_merged.differing))
    wrong = dict(told(keys, as_merged, last))
    return _answer(game_date, read, receipts, found=found, broken=broken, as_merged=as_merged, wrong=wrong)


def _as_merged(
    warehouse: QueryStore,
    tables: Tables,
    read: Sequence[Batch],
    receipts: Mapping[str, Receipts],
    *,
    now: datetime,
) -> tuple[Merged, datetime | None]:
    """The rows as the day's last consolidation has left them, if that can be told; and when that was."""
    on_the_way = [batch.batch_id for batch in read if batch.status in MAY_GET_ROWS]
    newest = [max(each.values(), key=lambda one: one.generation) for each in receipts.values() if each]
    # While a consolidation may still write, the table is on its way to a state that no receipt describes: a
    # difference would prove nothing.
    if not newest or on_the_way:
        why = f"{names(on_the_way)} may still get rows" if on_the_way else "nothing was consolidated"
        return Merged(at=None, why_not=why), max((one.consolidated_at for one in newest), default=None)
    day = Day(
        game_date=read[0].game_date,
        batch_ids=tuple(receipts),
        key_count=sum(one.total_predictions for one in newest),
        consolidated_at=max(one.consolidated_at for one in newest),
    )
    return merged(warehouse, tables, day, now=now), day.consolidated_at


def _answer(
    game_date: date,
    read: Sequence[Batch],
    receipts: Mapping[str, Receipts],
    *,
    found: Sequence[Finding],
    broken: Mapping[str, Sequence[BrokenLink]],
    as_merged: Merged,
    wrong: Mapping[Key, str],
) -> Answer:
    """What was verified: batch by batch, then what differs, key by key. 1 where anything does."""
    shown: list[RenderableType] = [_line(batch, receipts[batch.batch_id]) for batch in read]
    shown += [Text(f"{each.finding_class.value}: {each.summary}: {names(each.ids)}", "red") for each in found]
    said = {" / ".join(key): why for key, why in wrong.items()}
    shown += [Text(f"  {key} {why}") for key, why in list(said.items())[:MAX_KEYS]]
    if len(said) > MAX_KEYS:
        shown.append(Text(f"  … and {counted(len(said) - MAX_KEYS, 'key')} more: -o json has all of them"))
    # Whatever else is well: a receipt that was changed proves nothing.
    links = {batch_id: links for batch_id, links in broken.items() if links}
    shown += [
        Text(f"{each.what} receipt: {batch_path(batch_id)}/{each.receipt}: {each.why}", "red")
        for batch_id, of_batch in links.items()
        for each in of_batch
    ]
    is_well = not (found or links or wrong)
    if is_well and read:
        shown.append("Every key is where its receipt says, and every receipt is as it was written.")
    # Without a batch there is nothing that could have been merged, and nothing to say of values.
    shown += [_compared(as_merged)] if read else []
    return Answer(
        data={
            "game_date": game_date,
            "findings": found,
            "keys": said,
            "compared_with": as_merged.at,
            "not_compared": as_merged.why_not or None,
            "broken_receipts": links,
            "batches": {batch_id: list(of_batch.values()) for batch_id, of_batch in receipts.items()},
        },
        shown=shown or ["No batch of that date."],
        status=ExitStatus.WELL if is_well else ExitStatus.FOUND,
    )


def _compared(as_merged: Merged) -> Text:
    """What the values were compared with, or why they were not: silence would be taken for "alike"."""
    if as_merged.at is None:
        why = f"Values were not compared: {as_merged.why_not[:300]}."
        return Text(f"{why} A change is seen by the time that its row bears alone.", "yellow")
    return Text(
        f"Values were compared with those of {moment(as_merged.at)} UTC, right after the consolidation."
    )


def _known(outcome: Outcome) -> Outcome:
    """The outcome, if the store answered; else raises ResultError."""
    if isinstance(outcome, Unknown):
        raise ResultError(outcome.error)
    return outcome


def _receipts(batches: Batches, batch: Batch) -> Receipts:
    """By the name of their document. Raises ResultError, also for one that is no receipt."""
    documents = batches.store.below(batch.batch_id, RECEIPTS).unwrap()
    return {each.id: readable(each, Receipt.from_document).unwrap() for each in documents}


def _broken(batches: Batches, batch: Batch, receipts: Receipts) -> list[BrokenLink]:
    """Links of the batch's chain of receipts that do not fit; the batch document holds the digest of the
    newest.
    """
    path = batch_path(batch.batch_id)
    document = batches.store.documents.get([path]).unwrap().get(path)
    return broken_links(
        receipts,
        consolidated_generation=batch.consolidated_generation,
        newest_digest=None if document is None else document.data.get(DIGEST_FIELD),
    )


def _line(batch: Batch, receipts: Receipts) -> str:
    """One batch with what its receipts tell; the newest counts the keys of the earlier ones, too."""
    merged = max((each.total_predictions for each in receipts.values()), default=0)
    newest = max((each.consolidated_at for each in receipts.values()), default=None)
    since = f", the last at {moment(newest)} UTC" if newest else ""
    return (
        f"{batch.batch_id}: {batch.status.value}, {counted(merged, 'key')} "
        f"by {counted(len(receipts), 'receipt')}{since}"
    )
