from datetime import UTC, date, datetime

from structlog.testing import capture_logs

from common.audit.report import Asked, AuditReport
from common.messages import AuditRequest
from common.result import ErrorInfo, Result
from functions.consistency_auditor.handler import handle

NOW = datetime(2026, 1, 17, 23, tzinfo=UTC)
REPORT = AuditReport(
    run_id="run1",
    started_at=NOW,
    ended_at=NOW,
    batch_id=None,
    game_date=None,
    repair=False,
    outcomes={},
    findings=(),
    told=(),
    inhibited=0,
    untold=(),
    mended=(),
    resume=(),
)
AWAY = ErrorInfo.transient("ServiceUnavailable", "told to be away")


class Auditor:
    def __init__(self, answer: Result[AuditReport]) -> None:
        self.asked: list[Asked] = []
        self._answer = answer

    def run(self, asked: Asked) -> Result[AuditReport]:
        self.asked.append(asked)
        return self._answer


class Page:
    def __init__(self, answer: Result[str]) -> None:
        self.published = 0
        self._answer = answer

    def publish(self) -> Result[str]:
        self.published += 1
        return self._answer


def nothing_old() -> Result[int]:
    return Result.success(0)


def test_what_is_asked_for_is_audited_and_the_page_is_written() -> None:
    auditor, page = Auditor(Result.success(REPORT)), Page(Result.success("gs://bucket/status/index.html"))
    request = AuditRequest(batch_id="batch1", game_date=date(2026, 1, 17), repair=True)

    answer = handle(request, auditor=auditor, page=page, remove_old=nothing_old)

    assert answer.unwrap() == REPORT
    assert auditor.asked == [Asked(batch_id="batch1", game_date=date(2026, 1, 17), repair=True)]
    assert page.published == 1


def test_nothing_is_repaired_unless_it_is_asked_for() -> None:
    auditor = Auditor(Result.success(REPORT))

    handle(AuditRequest(), auditor=auditor, page=None, remove_old=nothing_old)

    assert auditor.asked == [Asked(repair=False)]


def test_run_that_could_not_be_remembered_is_acknowledged_for_the_next_one_comes() -> None:
    answer = handle(
        AuditRequest(), auditor=Auditor(Result.partial(REPORT, AWAY)), page=None, remove_old=nothing_old
    )

    assert answer.is_partial


def test_page_that_could_not_be_written_fails_no_audit_and_is_logged() -> None:
    with capture_logs() as lines:
        answer = handle(
            AuditRequest(),
            auditor=Auditor(Result.success(REPORT)),
            page=Page(Result.failure(AWAY)),
            remove_old=nothing_old,
        )

    assert answer.is_success
    assert [line["action"] for line in lines] == ["page_failed"]


def test_old_batches_are_removed_after_an_audit_of_everything_and_fail_none() -> None:
    removals: list[int] = []

    def remove() -> Result[int]:
        removals.append(1)
        return Result.failure(AWAY)

    with capture_logs() as lines:
        auditor = Auditor(Result.success(REPORT))
        handle(AuditRequest(batch_id="batch1"), auditor=auditor, page=None, remove_old=remove)
        answer = handle(AuditRequest(), auditor=auditor, page=None, remove_old=remove)

    assert answer.is_success and removals == [1]
    assert [line["action"] for line in lines] == ["retention_failed"]
