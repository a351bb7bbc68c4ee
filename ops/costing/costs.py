"""Counts times prices. Pure: the counts come from receipts, audits and batches, the prices from one file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final

SUBSCRIPTION_AND_PUBLISH: Final = 2
"""Pub/Sub bills a message's bytes when it is published and when it is delivered."""
BILLED_BYTES_AT_LEAST: Final = 1_000
"""Of each Pub/Sub request."""
EXPRESS_CHUNK_GB: Final = Decimal("0.0625")
"""An express workflow of Step Functions is billed for 64 MB at least."""


@dataclass(frozen=True, kw_only=True)
class Price:
    """What `per` units cost."""

    usd: Decimal
    per: Decimal
    source: str

    def of(self, units: float | int) -> Decimal:
        """What so many units cost, in USD."""
        return self.usd * Decimal(str(units)) / self.per


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row of a bill: how many units of what, and what they cost."""

    item: str
    units: float
    unit: str
    usd: Decimal


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What was used in some days, as far as the stores tell."""

    completions: int
    batches: int
    staging_tables: int
    bigquery_bytes: int
    firestore_reads: int
    firestore_writes: int
    messages: int
    recorder_seconds: float
    """Of one vCPU and its memory."""
    consolidation_seconds: float


@cache
def prices() -> Mapping[str, Price]:
    """By item; `prices.json` says of which day and from where."""
    listed = json.loads(_file().read_text(encoding="utf-8"))["prices"]
    return {
        item: Price(usd=Decimal(str(each["usd"])), per=Decimal(each["per"]), source=each["source"])
        for item, each in listed.items()
    }


def as_of() -> str:
    """The day of the price list, ISO."""
    day: str = json.loads(_file().read_text(encoding="utf-8"))["as_of"]
    return day


def bill(usage: Usage) -> list[Line]:
    """What the usage costs on Google Cloud, row by row."""
    # Billed by the time that an instance is at work: minimum instances are not counted here.
    seconds = usage.recorder_seconds + usage.consolidation_seconds
    return [
        _line("firestore_reads", usage.firestore_reads, "reads"),
        _line("firestore_writes", usage.firestore_writes, "writes"),
        _line("pubsub_bytes", usage.messages * SUBSCRIPTION_AND_PUBLISH * BILLED_BYTES_AT_LEAST, "bytes"),
        _line("bigquery_bytes", usage.bigquery_bytes, "bytes"),
        _line("run_requests", usage.messages, "requests"),
        _line("run_vcpu_seconds", seconds, "s"),
        _line("run_gib_seconds", usage.recorder_seconds * 0.5 + usage.consolidation_seconds, "GiB s"),
    ]


def elsewhere(completions: int, batches: int) -> dict[str, list[Line]]:
    """The fan-in alone, without the workers, on other systems: name → lines of its bill.

    Step Functions: a distributed map starts one child execution per player. Standard children cost two
    transitions each (start and the one task) beside four of the parent; express children a request and, at
    100 ms and 64 MB each, their duration. Temporal: per player an activity that is scheduled and a signal or
    result that is recorded (2 actions), per batch the workflow, a timer and three activities (5).
    """
    express_gb_seconds = float(completions * EXPRESS_CHUNK_GB / 10)
    return {
        "Step Functions, standard": [
            _line("step_functions_transitions", 2 * completions + 4 * batches, "transitions")
        ],
        "Step Functions, express": [
            _line("step_functions_transitions", 4 * batches, "transitions"),
            _line("step_functions_express_requests", completions, "requests"),
            _line("step_functions_express_gb_seconds", express_gb_seconds, "GB s"),
        ],
        "Temporal Cloud": [_line("temporal_actions", 2 * completions + 5 * batches, "actions")],
    }


def total(lines: Sequence[Line]) -> Decimal:
    """The sum, exactly."""
    return sum((line.usd for line in lines), Decimal(0))


def _line(item: str, units: float | int, unit: str) -> Line:
    return Line(item=item, units=units, unit=unit, usd=prices()[item].of(units))


def _file() -> Path:
    return Path(__file__).with_name("prices.json")
