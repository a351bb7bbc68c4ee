"""What is done about a table that is there already."""

from dataclasses import replace
from typing import Any

import pytest

from infra.tables.declared import Column, Table
from infra.tables.difference import changes

KEY = Column(type="STRING", is_required=True, definition="key STRING NOT NULL")
NOTE = Column(type="STRING", is_required=False, definition="note STRING OPTIONS (description='Why')")
WANTED = Table(
    columns={"key": KEY, "note": NOTE},
    partitioned_by="day",
    clustered_by=("key",),
    options={"description": 'A "table"', "require_partition_filter": True},
)


def told(**parts: Any) -> list[tuple[str, str | None]]:
    """What is said and run about a table that is as declared but for `parts`."""
    return [(each.what, each.sql) for each in changes("d.t", WANTED, replace(WANTED, **parts))]


def test_table_that_is_as_declared_is_left_alone() -> None:
    assert told() == []


def test_what_the_store_does_not_tell_is_no_difference() -> None:
    assert told(partitioned_by=None, clustered_by=None) == []


def test_column_that_somebody_added_first_is_left_alone() -> None:
    assert told(columns={**WANTED.columns, "more": NOTE}) == []


@pytest.mark.parametrize(
    ("parts", "what", "sql"),
    [
        pytest.param(
            {"columns": {"key": KEY}},
            "column note is missing",
            "ALTER TABLE `d.t` ADD COLUMN IF NOT EXISTS note STRING OPTIONS (description='Why')",
            id="a column is missing",
        ),
        pytest.param(
            {"columns": {"note": NOTE}},
            "column key is missing; one that is required cannot be added to a table that has rows",
            None,
            id="a required column is missing",
        ),
        pytest.param(
            {"columns": {"key": KEY, "note": replace(NOTE, type="INT64")}},
            "column note is INT64, not STRING",
            None,
            id="another type",
        ),
        pytest.param(
            {"columns": {"key": KEY, "note": replace(NOTE, is_required=True)}},
            "column note must not be required",
            "ALTER TABLE `d.t` ALTER COLUMN note DROP NOT NULL",
            id="stricter than declared",
        ),
        pytest.param(
            {"columns": {"key": replace(KEY, is_required=False), "note": NOTE}},
            "column key is not required, and cannot be made so",
            None,
            id="laxer than declared",
        ),
        pytest.param(
            {"partitioned_by": ""},
            "is partitioned by nothing, not day: make it anew and copy",
            None,
            id="not partitioned",
        ),
        pytest.param(
            {"clustered_by": ("day", "key")},
            "is clustered by day, key: bq update --clustering_fields=key d.t",
            None,
            id="clustered otherwise",
        ),
        pytest.param(
            {"options": {"description": 'A "table"'}},
            "require_partition_filter is not set, not True",
            "ALTER TABLE `d.t` SET OPTIONS (require_partition_filter = TRUE)",
            id="without a filter",
        ),
        pytest.param(
            {"options": {"description": "Another", "require_partition_filter": True}},
            'description is Another, not A "table"',
            'ALTER TABLE `d.t` SET OPTIONS (description = "A \\"table\\"")',
            id="described otherwise",
        ),
    ],
)
def test_difference_is_said_and_mended_where_it_can_be(
    parts: dict[str, Any], what: str, sql: str | None
) -> None:
    assert told(**parts) == [(f"d.t: {what}", sql)]
