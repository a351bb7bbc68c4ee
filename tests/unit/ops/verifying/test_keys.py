"""What is told of the keys of the main table, by their marks and by their values."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from common.audit.row_rules import Day
from common.consolidation.merge_sql import Tables
from common.result import ErrorInfo, Result
from common.warehouse.records import Rows
from ops.verifying.keys import CLOCKS_DIFFER, KeySeen, Merged, merged, told

MERGED_AT = datetime(2026, 1, 17, 23, 0, tzinfo=UTC)
NOW = MERGED_AT + timedelta(hours=1)
DAY = Day(game_date=date(2026, 1, 17), batch_ids=("b1",), key_count=2, consolidated_at=MERGED_AT)
KEY = ("amy", "ensemble", "24.5")
NOTHING = Merged(at=None, why_not="BigQuery keeps it no more")
OF_AMY = Merged(at=MERGED_AT, differing=frozenset({"amy"}), fingerprints={KEY: 7})


def seen(**fields: Any) -> KeySeen:
    known = {
        "key": KEY,
        "player": "amy",
        "copies": 1,
        "changed_at": MERGED_AT,
        "unmarked": False,
        "fingerprint": 7,
    }
    return KeySeen(**{**known, **fields})


@pytest.mark.parametrize(
    ("key", "as_merged", "said"),
    [
        pytest.param(seen(), NOTHING, None, id="as it was merged"),
        pytest.param(seen(copies=2), OF_AMY, "is there 2 times", id="twice"),
        pytest.param(
            seen(changed_at=MERGED_AT + timedelta(minutes=1)),
            NOTHING,
            "was changed at 2026-01-17 23:01:00, after its consolidation",
            id="changed later",
        ),
        pytest.param(
            seen(changed_at=None, unmarked=True),
            NOTHING,
            "was written by something other than the consolidation",
            id="without a mark",
        ),
        pytest.param(
            seen(fingerprint=8),
            OF_AMY,
            "has other values than were merged, and bears no mark of a change",
            id="other values, with the mark of its consolidation",
        ),
        pytest.param(seen(fingerprint=8), NOTHING, None, id="other values that nobody could compare"),
        pytest.param(seen(), OF_AMY, None, id="of a player of whom another key differs"),
    ],
)
def test_key_tells_what_is_wrong_with_it(key: KeySeen, as_merged: Merged, said: str | None) -> None:
    assert dict(told([key], as_merged, MERGED_AT)).get(KEY) == said


def test_key_that_nobody_consolidated_cannot_have_been_changed_after_that() -> None:
    assert dict(told([seen()], NOTHING, None)) == {}


def test_keys_that_are_gone_or_have_come_since_are_named() -> None:
    new = ("amy", "similarity", "24.5")

    said = dict(told([seen(key=new)], OF_AMY, MERGED_AT))

    assert said == {KEY: "is gone since its consolidation", new: "has come since its consolidation"}


class Warehouse:
    """Rows of now and of then; which statement asks for which is told by its words."""

    def __init__(self, then: Result[Rows]) -> None:
        self.asked: list[str] = []
        self._then = then

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[Rows]:
        self.asked.append(sql)
        return self._then if "FOR SYSTEM_TIME AS OF" in sql else players(amy=7, bob=1)


def players(**fingerprints: int) -> Result[Rows]:
    rows = [{"player": name, "row_count": 1, "fingerprint": each} for name, each in fingerprints.items()]
    return Result.success(Rows(rows=rows, job_id="job", bytes_processed=0, affected_rows=None))


def test_rows_are_compared_with_those_right_after_the_consolidation_each_statement_as_of_one_moment() -> None:
    warehouse = Warehouse(players(amy=7, bob=1))

    found = merged(warehouse, Tables(predictions="d"), DAY, now=NOW)

    assert found == Merged(at=MERGED_AT + CLOCKS_DIFFER)
    assert [each.count("FROM `d.player") for each in warehouse.asked] == [1, 1]


GONE = Result[Rows].failure(ErrorInfo.permanent("BadRequest", "before the retention window"))


@pytest.mark.parametrize(
    ("then", "now", "why_not"),
    [
        pytest.param(GONE, NOW, "before the retention window", id="kept no more"),
        pytest.param(
            players(amy=7),
            NOW,
            "the past of the table has 1 row, the receipts tell of 2",
            id="another moment",
        ),
        pytest.param(
            players(amy=7, bob=1), MERGED_AT, "the consolidation has ended just now", id="too early"
        ),
    ],
)
def test_past_that_is_not_that_of_the_consolidation_is_said_and_not_taken_for_alike(
    then: Result[Rows], now: datetime, why_not: str
) -> None:
    found = merged(Warehouse(then), Tables(predictions="d"), DAY, now=now)

    assert found == Merged(at=None, why_not=why_not)
