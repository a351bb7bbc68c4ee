"""What an alert of a boundary is told as."""

import pytest

from common.findings import FindingClass, Severity
from common.phases.alert_rules import Alert
from common.phases.alerts import finding_of
from common.phases.graph import GRAPHS
from common.phases.mode import Mode
from common.phases.records import Day, DayKey
from tests.support.batch_helpers import GAME_DATE

BOUNDARY = GRAPHS["nba"].boundaries[0]
DAY = Day.from_documents(DayKey(sport="nba", phase=BOUNDARY.phase, game_date=GAME_DATE), None, {})


def alert(kind: str, generation: int = 1) -> Alert:
    return Alert(kind=kind, generation=generation, mode=Mode.OVERNIGHT, sentence="what is wrong")


@pytest.mark.parametrize(
    ("kind", "finding_class", "severity"),
    [
        ("abandoned", FindingClass.ABANDONED_PHASE, Severity.WARNING),
        ("tier_fired", FindingClass.INCOMPLETE_START, Severity.WARNING),
        ("blocked_too_long", FindingClass.STUCK_PHASE, Severity.CRITICAL),
        ("critical_missing", FindingClass.STUCK_PHASE, Severity.CRITICAL),
        pytest.param(
            "deadline_missed", FindingClass.SILENT_PHASE, Severity.CRITICAL, id="nothing was ever reported"
        ),
    ],
)
def test_alert_is_a_finding_of_its_date(kind: str, finding_class: FindingClass, severity: Severity) -> None:
    found = finding_of(BOUNDARY, DAY, alert(kind))

    assert (found.finding_class, found.severity, found.summary) == (finding_class, severity, "what is wrong")
    assert found.scope.game_date == GAME_DATE


def test_alert_of_another_generation_is_another_finding() -> None:
    first, second = (finding_of(BOUNDARY, DAY, alert("abandoned", number)) for number in (1, 2))

    assert first.finding_id == finding_of(BOUNDARY, DAY, alert("abandoned")).finding_id
    assert second.finding_id != first.finding_id
