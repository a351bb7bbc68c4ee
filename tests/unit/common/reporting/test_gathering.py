from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from common.audit.batches_seen import Seen, Wanted
from common.batches.records import Batch, BatchStatus, Counts
from common.reporting.gathering import Gathering, strip, verdict
from common.reporting.page import render
from common.reporting.records import Verdict
from common.result import ErrorInfo, Result
from tests.support.batch_documents import batch_of

NOW = datetime(2026, 1, 17, 23, 20, tzinfo=UTC)


def audit(hours_ago: float, *, is_ok: bool = True, findings: int = 0) -> dict[str, Any]:
    return {
        "started_at": NOW - timedelta(hours=hours_ago),
        "is_ok": is_ok and not findings,
        "finding_count": findings,
    }


@pytest.mark.parametrize(
    ("audits", "is_blind", "expected"),
    [
        ([audit(0.2)], False, Verdict.WELL),
        ([audit(0.2, findings=1), audit(1.2)], False, Verdict.SICK),
        ([audit(0.2, is_ok=False)], False, Verdict.UNKNOWN),
        ([audit(3)], False, Verdict.UNKNOWN),
        ([], False, Verdict.UNKNOWN),
        ([audit(0.2)], True, Verdict.UNKNOWN),
    ],
    ids=["ok", "findings", "could not look", "an old audit", "no audit", "could not read"],
)
def test_well_is_only_what_was_looked_at_lately_and_everywhere(
    audits: list[dict[str, Any]], is_blind: bool, expected: Verdict
) -> None:
    assert verdict(audits, NOW, is_blind=is_blind) is expected


def test_what_is_seen_to_be_wrong_since_the_last_audit_is_not_well() -> None:
    assert verdict([audit(0.2)], NOW, is_blind=False, is_wrong=True) is Verdict.SICK
    assert verdict([audit(0.2)], NOW, is_blind=True, is_wrong=True) is Verdict.UNKNOWN


def test_strip_tells_each_of_30_days_by_its_worst_audit() -> None:
    days = strip([audit(1), audit(2, findings=3), audit(25), audit(49, is_ok=False)], NOW.date())

    assert len(days) == 30 and days[-1].day == date(2026, 1, 17)
    told = [(each.verdict, each.audits, each.findings) for each in days[-4:]]
    assert told == [
        (Verdict.UNKNOWN, 0, 0),
        (Verdict.UNKNOWN, 1, 0),
        (Verdict.WELL, 1, 0),
        (Verdict.SICK, 2, 3),
    ]


def test_stores_that_do_not_answer_make_a_page_that_says_so() -> None:
    class Away:
        def __getattr__(self, name: str) -> Any:
            return lambda *args, **kwargs: Result.failure(ErrorInfo.transient("Away", "told to be away"))

    away: Any = Away()
    gathering = Gathering(
        sport="nba",
        batches=away,
        findings=away,
        audits=away,
        days=away,
        boundaries=(),
        now=lambda: NOW,
        today=NOW.date,
    )

    status = gathering.status()

    assert status.verdict is Verdict.UNKNOWN
    assert [sentence.split()[0] for sentence in status.blind] == ["audits", "findings", "phases", "batches"]
    assert "Not known: batches" in render(status)


def test_failed_batch_is_sick_although_the_last_audit_found_nothing() -> None:
    failed = replace(
        batch_of(),
        batch_id="b1",
        game_date=NOW.date(),
        status=BatchStatus.FAILED,
        expected_players=4,
        counts=Counts(completed=1, timed_out=3),
    )
    seen = Seen(batches=(failed,), unreadable=(), gone=frozenset(), read_time=NOW, reads=1)

    class Stores:
        def seen(self, wanted: Wanted) -> Result[Seen]:
            return Result.success(seen)

        def times(self, batch: Batch) -> Result[tuple[datetime | None, list[datetime]]]:
            return Result.success((None, []))

        def unsettled(self) -> Result[dict[str, Any]]:
            return Result.success({})

        def since(self, since: datetime | None, *, limit: int) -> Result[list[Any]]:
            return Result.success([audit(0.2)])

        def read_many(self, wanted: Any) -> Result[list[Any]]:
            return Result.success([])

    stores: Any = Stores()
    status = Gathering(
        sport="nba",
        batches=stores,
        findings=stores,
        audits=stores,
        days=stores,
        boundaries=(),
        now=lambda: NOW,
        today=NOW.date,
    ).status()

    assert status.verdict is Verdict.SICK
    assert "failed at its deadline: 3 of 4 players not heard of" in render(status)
