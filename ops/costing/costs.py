"""Amounts times prices. Pure: the amounts come from `usage`, the prices from one dated file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

from common.texts import counted

from .usage import Amount, Usage

UNITS: Final = {
    "firestore_reads": "reads",
    "firestore_writes": "writes",
    "pubsub_bytes": "bytes",
    "bigquery_bytes": "bytes",
    "run_requests": "requests",
    "run_vcpu_seconds": "s",
    "run_gib_seconds": "GiB s",
    "step_functions_transitions": "transitions",
    "step_functions_express_requests": "requests",
    "step_functions_express_gb_seconds": "GB s",
    "temporal_actions": "actions",
    "temporal_plan": "USD of usage",
}
"""Every item that has a price, and what it is counted in."""
OURS: Final = tuple(item for item in UNITS if item.startswith(("firestore_", "pubsub_", "bigquery_", "run_")))
"""The items that this suite uses; the others are what elsewhere would be billed."""


@dataclass(frozen=True, kw_only=True)
class Price:
    """What `per` units cost."""

    usd: Decimal
    per: Decimal
    source: str
    """The page that the price was read from."""
    seen: bool
    """Whether it stood on the page on the day of the list."""

    def of(self, units: float | int) -> Decimal:
        """USD for so many units."""
        return self.usd * Decimal(str(units)) / self.per


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row of a bill: how much of what, how that is known, and what it costs."""

    item: str
    amount: Amount
    unit: str
    usd: Decimal


@cache
def prices() -> Mapping[str, Price]:
    """By item; `prices.json` says of which day and from where.

    Read once per process. KeyError for a list that lacks a field: a bill with a price missing would be too
    low and look right.
    """
    return {
        item: Price(
            usd=Decimal(str(each["usd"])),
            per=Decimal(each["per"]),
            source=each["source"],
            seen=each["seen"],
        )
        for item, each in _list()["prices"].items()
    }


def as_of() -> str:
    """The day of the price list, ISO."""
    day: str = _list()["as_of"]
    return day


def bill(usage: Usage) -> list[Line]:
    """What the usage costs on Google Cloud, row by row.

    One line for each item of OURS, also where nothing of it was used: a line that is missing could be taken
    for one that was forgotten.
    """
    # Billed by the time that an instance is at work: minimum instances are not counted here.
    return [_line(item, getattr(usage, item)) for item in OURS]


def elsewhere(completions: int, batches: int) -> dict[str, list[Line]]:
    """The fan-in alone, without the workers, on two other systems.

    Step Functions: a distributed map starts one child execution per player. Standard children cost two
    transitions each (start and the one task) beside four of the parent; express children a request and, at
    100 ms and 64 MB each, their duration. Temporal: per player an activity, which the worker completes from
    outside (one action), per batch the workflow, a timer and three activities (five); storage is not in it.
    """
    of_all, of_each = counted(completions, "completion"), counted(batches, "batch")
    transitions = f"2 * {of_all} + 4 * {of_each}"
    actions = 1 * completions + 5 * batches
    # The plan is a share of what is used, so its amount is the sum of the other line.
    usage_usd = float(prices()["temporal_actions"].of(actions))
    return {
        "Step Functions, standard": [
            _reckoned("step_functions_transitions", 2 * completions + 4 * batches, transitions)
        ],
        "Step Functions, express": [
            _reckoned("step_functions_transitions", 4 * batches, f"4 * {of_each}"),
            _reckoned("step_functions_express_requests", completions, of_all),
            _reckoned(
                "step_functions_express_gb_seconds",
                float(Decimal(completions) * Decimal("0.0625") / 10),
                f"{of_all} * 0.1 s * 0.0625 GB",
            ),
        ],
        "Temporal Cloud": [
            _reckoned("temporal_actions", actions, f"1 * {of_all} + 5 * {of_each}"),
            _reckoned("temporal_plan", usage_usd, f"{usage_usd:.6f} USD of actions"),
        ],
    }


def total(lines: Sequence[Line]) -> Decimal:
    """The sum in USD; 0 for none."""
    return sum((line.usd for line in lines), Decimal(0))


def estimated_share(lines: Sequence[Line]) -> float:
    """Which part of the sum rests on what was reckoned, and not counted; 0 for nothing."""
    whole = total(lines)
    # Of the money and not of the amounts: a share of bytes and requests together would mean nothing.
    reckoned = sum((prices()[line.item].of(line.amount.estimated) for line in lines), Decimal(0))
    return float(reckoned / whole) if whole else 0.0


def _reckoned(item: str, units: float, formula: str) -> Line:
    """A row of which nothing was counted."""
    return _line(item, Amount(estimated=units, formula=formula))


def _line(item: str, amount: Amount) -> Line:
    """A row of a bill, at the price of the list."""
    return Line(item=item, amount=amount, unit=UNITS[item], usd=prices()[item].of(amount.units))


@cache
def _list() -> Any:
    """The file as it is; read once."""
    return json.loads(Path(__file__).with_name("prices.json").read_text(encoding="utf-8"))
