"""Counts times a dated list of prices, row by row."""

from datetime import UTC, date, datetime
from decimal import Decimal

from ops.costing.costs import Usage, as_of, bill, elsewhere, prices, total


def usage(**more: float) -> Usage:
    nothing = dict.fromkeys(
        [
            "completions",
            "batches",
            "staging_tables",
            "bigquery_bytes",
            "firestore_reads",
            "firestore_writes",
            "messages",
        ],
        0,
    )
    return Usage(**{**nothing, "recorder_seconds": 0.0, "consolidation_seconds": 0.0, **more})  # type: ignore[arg-type]


def test_price_list_is_dated_and_every_price_names_its_source() -> None:
    assert date.fromisoformat(as_of()) <= datetime.now(UTC).date()
    assert all(price.source and price.usd > 0 and price.per > 0 for price in prices().values())


def test_each_row_of_the_bill_is_its_units_times_its_price() -> None:
    lines = {line.item: line for line in bill(usage(firestore_writes=200_000, bigquery_bytes=2**40))}

    assert lines["firestore_writes"].usd == Decimal("0.216")
    assert lines["bigquery_bytes"].usd == Decimal("6.25")
    assert total(list(lines.values())) == Decimal("6.466")


def test_nothing_used_costs_nothing() -> None:
    assert total(bill(usage())) == 0


def test_same_fan_in_is_priced_on_two_other_systems() -> None:
    priced = {system: total(lines) for system, lines in elsewhere(completions=1_000, batches=1).items()}

    assert priced["Step Functions, standard"] == Decimal("0.0501")
    assert priced["Temporal Cloud"] == Decimal("0.10025")
    assert priced["Step Functions, express"] < priced["Step Functions, standard"]
