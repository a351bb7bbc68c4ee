"""The audit and the page expect one end of a batch: by its own pace, and by how those before it went."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from common.audit.batch_checks import check_pace
from common.audit.batches_seen import Seen, Wanted
from common.audit.in_turn import UNHURRIED
from common.audit.outcomes import Found, Ok
from common.audit.pace import PAST_DAYS, end_of, past_of
from common.batches.records import Batch, BatchStatus
from common.reporting.gathering import Gathering
from common.result import ErrorInfo, Result
from tests.support.batch_documents import batch_of

NOW = datetime(2026, 1, 18, 6, tzinfo=UTC)
TODAY = date(2026, 1, 17)
PLAYERS = 40
RUNNING = replace(
    batch_of(),
    batch_id="running",
    game_date=TODAY,
    status=BatchStatus.OPEN,
    expected_players=PLAYERS,
    deadline=NOW + timedelta(minutes=40),
    read_time=NOW,
)
AWAY = ErrorInfo.transient("ServiceUnavailable", "away")


def over(days_ago: int) -> Batch:
    """A batch whose players were all but a few done at its very end."""
    day = TODAY - timedelta(days=days_ago)
    return replace(RUNNING, batch_id=f"b{day}", game_date=day, status=BatchStatus.CONSOLIDATED)


class Stores:
    """A batch that has done a quarter in two hours, and what was before it."""

    def __init__(self, *before: Batch) -> None:
        self.batches = (*before, RUNNING)
        self.unreadable: frozenset[str] = frozenset()

    def seen(self, wanted: Wanted) -> Result[Seen]:
        found = tuple(each for each in self.batches if each.game_date >= wanted.since)
        seen = Seen(batches=found, unreadable=(), gone=frozenset(), read_time=NOW, reads=len(found))
        return Result.success(seen)

    def times(self, batch: Batch) -> Result[tuple[datetime | None, list[datetime]]]:
        if batch.batch_id in self.unreadable:
            return Result.failure(AWAY)
        started_at = NOW - timedelta(hours=2)
        quarter = [started_at + timedelta(minutes=each * 12) for each in range(1, PLAYERS // 4 + 1)]
        rest = [NOW + timedelta(minutes=each) for each in range(1, PLAYERS - PLAYERS // 4 + 1)]
        return Result.success((started_at, quarter if batch is RUNNING else [*quarter, *rest]))

    def unsettled(self) -> Result[dict[str, Any]]:
        return Result.success({})

    def since(self, since: datetime | None, *, limit: int) -> Result[list[Any]]:
        return Result.success([])

    def read_many(self, wanted: Any) -> Result[list[Any]]:
        return Result.success([])


def looked(stores: Any) -> Any:
    return check_pace(stores, stores.seen(Wanted(since=TODAY)), UNHURRIED)


def test_batch_that_goes_as_those_before_it_is_not_told_to_miss_its_deadline() -> None:
    alone, as_before = looked(Stores()), looked(Stores(over(1), over(2)))

    assert isinstance(alone, Found) and isinstance(as_before, Ok)


def test_page_and_audit_expect_the_same_end() -> None:
    stores: Any = Stores(over(1), over(3))
    started_at, completed_at = stores.times(RUNNING).unwrap()
    past = past_of(stores, TODAY)

    page = Gathering(
        sport="nba",
        batches=stores,
        findings=stores,
        audits=stores,
        days=stores,
        boundaries=(),
        now=lambda: NOW,
        today=lambda: TODAY,
    ).status()

    [line] = [each for each in page.batches if each.batch_id == RUNNING.batch_id]
    of_the_audit = end_of(RUNNING, started_at, completed_at, now=NOW, past=past)
    assert line.expected_end == of_the_audit and of_the_audit is not None
    assert of_the_audit.likely == NOW + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("before", "number"),
    [
        pytest.param((over(0), replace(over(1), status=BatchStatus.FAILED)), 0, id="of that day, or failed"),
        pytest.param((over(PAST_DAYS + 1),), 0, id="too long ago"),
        pytest.param(tuple(over(1 + each % 3) for each in range(5)), 3, id="the latest three"),
    ],
)
def test_a_batch_goes_as_the_last_that_were_consolidated_before_its_date(
    before: tuple[Batch, ...], number: int
) -> None:
    assert len(past_of(Stores(*before), TODAY).profiles) == number


def test_batch_before_that_cannot_be_read_only_makes_the_guess_poorer() -> None:
    stores = Stores(over(1), over(2))
    stores.unreadable = frozenset({over(1).batch_id})

    assert len(past_of(stores, TODAY).profiles) == 1
    past = past_of(_Away(), TODAY)
    assert past.profiles == () and past.error is not None


class _Away(Stores):
    def seen(self, wanted: Wanted) -> Result[Seen]:
        return Result.failure(AWAY)
