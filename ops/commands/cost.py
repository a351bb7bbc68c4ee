"""`cost`: what some days used, as far as the stores tell, times a dated list of prices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from rich.table import Table

from common.batches.batches import Batches
from common.batches.records import RECEIPTS, Batch
from common.chunks import chunks
from common.consolidation.receipt import Receipt

from ..answer import Answer
from ..costing.costs import Line, Usage, as_of, bill, elsewhere, total
from ..wording import count

VALUES_PER_QUERY = 30
"""What one Firestore query takes of alternatives."""
READS_PER_CONSOLIDATION = 5
"""Of the batch document and its receipts, measured on the wire; completions and staging come on top."""
WRITES_PER_BATCH = 8
"""Opening, closing, trigger, consolidation, receipt, announcement and their stories."""
RECORDER_SECONDS_PER_EVENT = 0.00033
"""Of one vCPU: 3,000 events per second over 32 connections (`./tests/run bench function`)."""


@dataclass(frozen=True, kw_only=True)
class Consumed:
    """The batches of some days, and what their consolidations noted."""

    first: date
    last: date
    batches: Sequence[Batch]
    receipts: Sequence[Receipt]


def consumed(batches: Batches, first: date, last: date) -> Consumed:
    """What the batches of these days tell; raises ResultError. Documents that nobody can read are no batches:
    the auditor finds them."""
    dates = [(first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]
    found: list[Batch] = []
    for some in chunks(dates, VALUES_PER_QUERY):
        read = batches.store.where("game_date", some).unwrap()
        found += [result.unwrap() for result in read.values() if result.is_success]
    receipts = [
        Receipt.from_document(each.data)
        for batch in found
        if batch.consolidated_generation
        for each in batches.store.below(batch.batch_id, RECEIPTS).unwrap()
    ]
    return Consumed(first=first, last=last, batches=found, receipts=receipts)


def usage_of(consumed: Consumed) -> Usage:
    """What the batches used.

    Counted where the stores tell it: completions, bytes, seconds of consolidation. Reads, writes and the
    recorder's time follow from what one batch and one completion take.
    """
    completions = sum(batch.counts.ended for batch in consumed.batches)
    seconds = sum(
        (receipt.consolidated_at - receipt.started_at).total_seconds() for receipt in consumed.receipts
    )
    number = len(consumed.batches)
    return Usage(
        completions=completions,
        batches=number,
        staging_tables=sum(len(receipt.tables) for receipt in consumed.receipts),
        bigquery_bytes=sum(receipt.bytes_processed for receipt in consumed.receipts),
        firestore_reads=completions + READS_PER_CONSOLIDATION * number,
        # One for the completion's document and, where nothing is grouped, one for the batch.
        firestore_writes=2 * completions + WRITES_PER_BATCH * number,
        messages=2 * completions + 3 * number,
        recorder_seconds=RECORDER_SECONDS_PER_EVENT * completions,
        consolidation_seconds=seconds,
    )


def cost(consumed: Consumed) -> Answer:
    """The bill, row by row, per thousand completions, and the same fan-in elsewhere."""
    usage = usage_of(consumed)
    lines = bill(usage)
    others = elsewhere(usage.completions, usage.batches)
    data = {
        "first": consumed.first,
        "last": consumed.last,
        "prices_as_of": as_of(),
        "usage": usage,
        "usd": _usd(lines),
        "usd_per_thousand_completions": _per_thousand(lines, usage),
        "lines": [{**vars(line), "usd": float(line.usd)} for line in lines],
        "elsewhere": {name: {"usd": _usd(each)} for name, each in others.items()},
    }
    headline = (
        f"{consumed.first} to {consumed.last}: {usage.batches} batches, "
        f"{count(usage.completions, 'completion')}; prices of {as_of()}."
    )
    return Answer(data=data, shown=[headline, _table(lines), "", _compared(lines, others, usage)])


def _table(lines: Sequence[Line]) -> Table:
    table = Table("item", "units", "", "USD", box=None, header_style="bold")
    for line in lines:
        table.add_row(line.item.replace("_", " "), f"{line.units:,.0f}", line.unit, f"{line.usd:.6f}")
    table.add_row("total", "", "", f"{total(lines):.6f}", style="bold")
    return table


def _compared(lines: Sequence[Line], others: dict[str, list[Line]], usage: Usage) -> Table:
    table = Table("the same fan-in", "USD", "per 1,000 completions", box=None, header_style="bold")
    rows = {"this suite": list(lines), **others}
    for name, each in rows.items():
        table.add_row(name, f"{total(each):.6f}", f"{_per_thousand(each, usage):.4f}")
    return table


def _usd(lines: Sequence[Line]) -> float:
    return float(total(lines))


def _per_thousand(lines: Sequence[Line], usage: Usage) -> float:
    return 1000 * _usd(lines) / usage.completions if usage.completions else 0.0
