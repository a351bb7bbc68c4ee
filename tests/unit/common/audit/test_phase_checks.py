"""Silence is judged by the schedule, and only by it; what cannot be read is named."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from common.audit.outcomes import Found, Ok, Unknown
from common.audit.phase_checks import PHASES, PhaseDay, PhasesSeen, check_phases, unsent
from common.findings import FindingClass, Scope
from common.result import ErrorInfo, Result
from tests.support.findings import GAME_DATE, finding

NOW = datetime(2026, 1, 18, tzinfo=UTC)
TODAY, TOMORROW = GAME_DATE, GAME_DATE + timedelta(days=1)


class Seen:
    def __init__(self, *days: PhaseDay, unreadable: Mapping[tuple[str, date], str] | None = None) -> None:
        self._seen = PhasesSeen(days=days, now=NOW, reads=1, unreadable=unreadable or {})

    def seen(self, dates: Sequence[date]) -> Result[PhasesSeen]:
        return Result.success(self._seen)


class Games:
    def __init__(self, games: Result[Mapping[date, int] | None]) -> None:
        self._games = games

    def games(self, first_day: date, last_day: date) -> Result[Mapping[date, int] | None]:
        return self._games


def day(*, is_silent: bool) -> PhaseDay:
    stuck = finding(FindingClass.SILENT_PHASE, check=PHASES, scope=Scope.of_date(TODAY))
    return PhaseDay(boundary="2→3", game_date=TODAY, is_silent=is_silent, stuck=(stuck,))


AWAY: Result[Mapping[date, int] | None] = Result.failure(ErrorInfo.transient("ServiceUnavailable", "away"))


@pytest.mark.parametrize(
    ("is_silent", "games", "classes"),
    [
        pytest.param(True, Result.success({TODAY: 3}), ["silent_phase"], id="games, and no report"),
        pytest.param(True, Result.success({TOMORROW: 3}), [], id="no games that day"),
        pytest.param(True, Result.success(None), ["unknown_schedule"], id="nobody knows the schedule"),
        pytest.param(False, AWAY, ["silent_phase"], id="stuck, whatever the schedule says"),
    ],
)
def test_silence_is_wrong_where_there_are_games(
    is_silent: bool, games: Result[Mapping[date, int] | None], classes: list[str]
) -> None:
    outcome = check_phases(Seen(day(is_silent=is_silent)), Games(games), [TODAY, TOMORROW])

    findings = outcome.findings if isinstance(outcome, Found) else ()
    assert isinstance(outcome, Found | Ok)
    assert [each.finding_class.value for each in findings] == classes
    assert outcome.looked_at == frozenset({"schedule", TODAY.isoformat(), TOMORROW.isoformat()})


def test_schedule_that_does_not_answer_leaves_silence_unknown_and_nothing_else() -> None:
    outcome = check_phases(Seen(day(is_silent=True)), Games(AWAY), [TODAY, TOMORROW])

    assert isinstance(outcome, Unknown) and outcome.findings == ()
    assert outcome.looked_at == frozenset({TOMORROW.isoformat()})


def test_document_that_makes_no_sense_is_named_and_its_date_is_not_looked_at() -> None:
    path = f"phase2_completion/{TODAY}"
    seen = Seen(unreadable={(path, TODAY): "ValueError: no state"})

    outcome = check_phases(seen, Games(AWAY), [TODAY, TOMORROW])

    assert isinstance(outcome, Found)
    assert [(each.finding_class, each.ids) for each in outcome.findings] == [
        (FindingClass.UNREADABLE_DOCUMENT, (path,))
    ]
    assert outcome.looked_at == frozenset({"schedule", TOMORROW.isoformat()})


@pytest.mark.parametrize(("minutes", "told"), [(14, 0), (15, 1)], ids=["may be under way", "was not sent"])
def test_dispatch_that_was_decided_and_not_sent_is_told_after_a_while(minutes: int, told: int) -> None:
    claimed = PhaseDay(boundary="3→4", game_date=TODAY, claimed_at=NOW - timedelta(minutes=minutes))

    assert len(unsent(claimed, NOW)) == told
