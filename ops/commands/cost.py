"""`cost`: what some days used, as far as the stores tell, times a dated list of prices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Any, Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from common.audit.audit_log import AuditLog
from common.batches.batch_document import read_batch
from common.batches.batch_store import readable
from common.batches.batches import Batches
from common.batches.records import Batch
from common.consolidation.receipt_chain import FENCE_FIELD
from common.documents.document import Document
from common.texts import counted

from ..answer import Answer
from ..costing.costs import Line, as_of, bill, elsewhere, estimated_share, prices, total
from ..costing.receipts import Spent, receipts_of_many
from ..costing.usage import Usage, usage_of
from ..wording import names
from .batch_choice import documents_of_days

MAX_AUDITS: Final = 10_000
"""One an hour for more than a year."""


@dataclass(frozen=True, kw_only=True)
class Consumed:
    """The batches of some days, and what their consolidations and the audits noted."""

    first: date
    last: date
    batches: Sequence[Batch]
    receipts: Sequence[Spent]
    """One for each generation that was consolidated."""
    audits: Sequence[Mapping[str, Any]]
    """Documents of the audits that began since midnight UTC of the first day."""


def consumed(batches: Batches, audits: AuditLog, first: date, last: date) -> Consumed:
    """What these days tell; raises ResultError. Batches that nobody can read are left out: the auditor finds
    them.

    Both dates included. Not as of one moment: a batch that is consolidated meanwhile may count without its
    receipt.
    """
    documents = documents_of_days(batches, first, last)
    read = {each.id: readable(each, partial(_batch, each)) for each in documents}
    # A batch that nobody can read has cost something, too; the audit finds it, and the sum is too low.
    found = [each.unwrap() for each in read.values() if each.is_success]
    merged = {
        each.id: each.data.get(FENCE_FIELD) for each in documents if each.data.get("consolidated_generation")
    }
    # An audit is of no game date: it counts on the day on which it ran.
    since = datetime.combine(first, time(), UTC)
    return Consumed(
        first=first,
        last=last,
        batches=found,
        # Every generation of a batch has its own receipt, and has cost its own queries.
        receipts=receipts_of_many(batches.store, merged),
        audits=audits.since(since, limit=MAX_AUDITS).unwrap(),
    )


def _batch(document: Document, _: Mapping[str, Any]) -> Batch:
    """As `readable` calls it; a batch is made of more than its fields."""
    return read_batch(document)


def cost(consumed: Consumed) -> Answer:
    """The bill, row by row, with how each amount is known; and the same fan-in elsewhere.

    Pure but for the price list, which is a file beside the code. In `data` sums are floats of USD. Its status
    is WELL whatever the sum.
    """
    usage = usage_of(consumed.batches, consumed.receipts, consumed.audits)
    lines = bill(usage)
    # Reckoned from the same completions and batches, so that the difference is one of systems alone.
    others = elsewhere(usage.completions, usage.batches)
    unseen = [item for item, price in prices().items() if not price.seen]
    data = {
        "first": consumed.first,
        "last": consumed.last,
        "prices_as_of": as_of(),
        "prices_not_seen_again": unseen,
        "usage": usage,
        "usd": _usd(lines),
        "usd_per_batch": _usd(lines) / usage.batches if usage.batches else 0.0,
        "usd_per_thousand_completions": _per_thousand(lines, usage),
        "estimated_share": estimated_share(lines),
        "lines": list(map(_row, lines)),
        "elsewhere": {
            name: {"usd": _usd(each), "lines": list(map(_row, each))} for name, each in others.items()
        },
    }
    return Answer(data=data, shown=_shown(consumed, usage, lines, others=others, unseen=unseen))


def _shown(
    consumed: Consumed,
    usage: Usage,
    lines: Sequence[Line],
    *,
    others: Mapping[str, Sequence[Line]],
    unseen: Sequence[str],
) -> list[RenderableType]:
    """The bill for people: headline, rows, what is estimated and how, then the same fan-in elsewhere."""
    headline = (
        f"{consumed.first} to {consumed.last}: {counted(usage.batches, 'batch')}, "
        f"{counted(usage.completions, 'completion')}, {counted(usage.consolidations, 'consolidation')}, "
        f"{counted(usage.audits, 'audit')}."
    )
    # A bill full of zeros would look as if somebody had measured them.
    if not usage.batches and not usage.audits:
        return [headline]
    # With every bill, so that a figure which is passed on takes its uncertainty along.
    share = f"{estimated_share(lines):.0%} of the sum is estimated; workers, storage and logs are not in it."
    formulas = [
        Text(f"  {_name(line)}: {line.amount.formula}", style="dim") for line in lines if line.amount.formula
    ]
    sources = f"List prices of {as_of()} (ops/costing/prices.json); not seen again that day: "
    return [
        headline,
        _table(lines),
        share,
        "Estimated from, or leaving out:",
        *formulas,
        "",
        _compared(lines, others, usage),
        *(Text(f"  {name}: {_arithmetic(each)}", style="dim") for name, each in others.items()),
        sources + (names([each.replace("_", " ") for each in unseen], shown=10) or "none") + ".",
    ]


def _table(lines: Sequence[Line]) -> Table:
    """The bill: what was counted apart from what was reckoned, so that nobody takes one for the other."""
    table = Table(box=None, header_style="bold")
    table.add_column("item")
    for title in ("counted", "estimated"):
        table.add_column(title, justify="right")
    table.add_column("")
    table.add_column("USD", justify="right")
    for line in lines:
        amount = line.amount
        table.add_row(
            _name(line), f"{amount.measured:,.0f}", f"{amount.estimated:,.0f}", line.unit, f"{line.usd:.6f}"
        )
    table.add_row("total", "", "", "", f"{total(lines):.6f}", style="bold")
    return table


def _compared(lines: Sequence[Line], others: Mapping[str, Sequence[Line]], usage: Usage) -> Table:
    """The same fan-in here and elsewhere, in all and per thousand completions."""
    table = Table(box=None, header_style="bold")
    table.add_column("the same fan-in")
    for title in ("USD", "per 1,000 completions"):
        table.add_column(title, justify="right")
    for name, each in {"this suite": lines, **others}.items():
        table.add_row(name, f"{total(each):.6f}", f"{_per_thousand(each, usage):.4f}")
    return table


def _arithmetic(lines: Sequence[Line]) -> str:
    """Amount times price for each item, in figures, so that a reader can do the sum again."""
    return "; ".join(
        f"({line.amount.formula}) * {prices()[line.item].usd.normalize():f} USD / {prices()[line.item].per:,}"
        for line in lines
    )


def _row(line: Line) -> dict[str, Any]:
    """A row as data, its sum in USD."""
    return {**vars(line), "amount": vars(line.amount), "usd": float(line.usd)}


def _name(line: Line) -> str:
    """An item, for people."""
    return line.item.replace("_", " ")


def _usd(lines: Sequence[Line]) -> float:
    """The sum as a float, for data that others read."""
    return float(total(lines))


def _per_thousand(lines: Sequence[Line], usage: Usage) -> float:
    """USD for a thousand completions; 0 where there were none."""
    return 1000 * _usd(lines) / usage.completions if usage.completions else 0.0
