"""Amounts times a dated list of prices, row by row."""

from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from ops.costing.costs import OURS, UNITS, as_of, bill, elsewhere, estimated_share, prices, total
from ops.costing.usage import Amount, Usage

NOTHING = {field.name: Amount() for field in fields(Usage) if field.type is Amount}


def usage(**amounts: Amount) -> Usage:
    return Usage(completions=0, batches=0, consolidations=0, audits=0, **{**NOTHING, **amounts})


def test_price_list_is_dated_and_every_price_names_its_source_and_its_unit() -> None:
    assert date.fromisoformat(as_of()) <= datetime.now(UTC).date()
    assert all(price.source and price.usd > 0 and price.per > 0 for price in prices().values())
    assert prices().keys() == UNITS.keys()


def test_each_row_of_the_bill_is_its_units_times_its_price_however_they_are_known() -> None:
    found = bill(
        usage(
            firestore_writes=Amount(measured=100_000, estimated=100_000),
            bigquery_bytes=Amount(measured=2**40),
        )
    )

    lines = {line.item: line for line in found}
    assert tuple(lines) == OURS
    assert lines["firestore_writes"].usd == Decimal("0.36")
    assert lines["bigquery_bytes"].usd == Decimal("6.25")
    assert total(found) == Decimal("6.61")


def test_share_that_rests_on_estimates_is_told_in_money() -> None:
    lines = bill(usage(firestore_writes=Amount(measured=100_000, estimated=300_000)))

    assert estimated_share(lines) == pytest.approx(0.75)
    assert (total(bill(usage())), estimated_share(bill(usage()))) == (Decimal(0), 0.0)


def test_same_fan_in_is_priced_on_two_other_systems_with_its_arithmetic() -> None:
    found = elsewhere(completions=1_000, batches=1)

    priced = {system: total(lines) for system, lines in found.items()}
    assert priced["Step Functions, standard"] == Decimal("0.0501")
    assert priced["Temporal Cloud"] == Decimal("0.055275")
    assert priced["Step Functions, express"] < priced["Step Functions, standard"]
    assert all(line.amount.formula and not line.amount.measured for each in found.values() for line in each)
