from pathlib import Path

from local.judging.day_audit import DayAudit, audit_the_day, judge_audit
from tests.support.batch_helpers import GAME_DATE


def test_audit_that_finds_nothing_keeps_the_promise() -> None:
    verdict = judge_audit(DayAudit(checks=10, reads=40))

    assert verdict.is_kept
    assert verdict.evidence == "10 checks, 40 documents read, 0 findings"


def test_findings_and_checks_that_could_not_look_break_it() -> None:
    verdict = judge_audit(DayAudit(findings=("lost_increment: 2 of 3",), unknown=("warehouse_rows",)))

    assert verdict.broken == ("lost_increment: 2 of 3", "warehouse_rows could not look")


def test_audit_that_did_not_take_place_breaks_it(tmp_path: Path) -> None:
    found = audit_the_day(GAME_DATE, tmp_path, {}, tmp_path)

    assert found.problem is not None and "audit.log" in found.problem
    assert not judge_audit(found).is_kept
