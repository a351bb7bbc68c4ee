from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from common.messages import MessageStatus
from common.phases.decision import Closed, Open, PhaseState
from common.phases.graph import GRAPHS
from common.phases.mode import Mode, mode_of, next_midnight
from common.phases.records import Day, DayKey, Report
from common.phases.report_rules import processor_of, stands_against
from common.phases.rules import deadline_of, decide, readiness, when_waiting
from common.phases.shape import Boundary
from common.result import ErrorInfo
from tests.support.batch_helpers import GAME_DATE
from tests.support.phase_world import completion

NBA = {boundary.phase: boundary for boundary in GRAPHS["nba"].boundaries}
OVERNIGHT = datetime(2026, 1, 18, 10, tzinfo=UTC)
SAME_DAY = datetime(2026, 1, 17, 15, tzinfo=UTC)
TOMORROW = datetime(2026, 1, 16, 15, tzinfo=UTC)
ANALYTICS = NBA[3].modes[Mode.OVERNIGHT].expected
PRECOMPUTE = NBA[4].modes[Mode.OVERNIGHT].expected
RAW = NBA[2].modes[Mode.OVERNIGHT].expected
CONTEXT = "upcoming_player_game_context"
S, P, N, F, K = (
    MessageStatus.SUCCESS,
    MessageStatus.PARTIAL,
    MessageStatus.NO_DATA,
    MessageStatus.FAILED,
    MessageStatus.SKIPPED,
)


def report(name: str, status: MessageStatus = S, *, at: datetime, **fields: object) -> Report:
    known: dict[str, object] = {
        "processor": name,
        "processor_name": name,
        "status": status,
        "execution_id": f"run-{name}",
        "event_id": f"event-{name}",
        "recorded_at": at,
        "first_recorded_at": at,
        "sent_at": None,
        "record_count": None,
        "correlation_id": None,
    }
    return Report(**{**known, **fields})  # type: ignore[arg-type]


def day(boundary: Boundary, reports: Mapping[str, Report]) -> Day:
    key = DayKey(sport="nba", phase=boundary.phase, game_date=GAME_DATE)
    nothing = Day.from_documents(key, None, {})
    return Day(**{**vars(nothing), "reports": reports})


def found(phase: int, statuses: Mapping[str, MessageStatus], waited: timedelta, now: datetime) -> str | None:
    """The reason for which the phase may start, or None; every report came `waited` ago."""
    reports = {name: report(name, status, at=now - waited) for name, status in statuses.items()}
    seen = readiness(NBA[phase], day(NBA[phase], reports), now)
    return seen.reason if seen.is_ready else None


def all_of(names: tuple[str, ...], *but: str) -> dict[str, MessageStatus]:
    return {name: S for name in names if name not in but}


NOW, HOUR = timedelta(0), timedelta(hours=1)
CRITICAL_4 = {"player_daily_cache": S, "ml_feature_store": S}
CRITICAL_3 = {"player_game_summary": S, CONTEXT: S}
READINESS = [
    # phase 2
    pytest.param(2, all_of(RAW), NOW, OVERNIGHT, "all_complete", id="raw: all"),
    pytest.param(2, all_of(RAW, "odds_api_game_lines"), NOW, OVERNIGHT, None, id="raw: one missing"),
    pytest.param(
        2, all_of(RAW, "odds_api_game_lines"), HOUR, OVERNIGHT, "tier2_timeout", id="raw: 3 after 1 h"
    ),
    pytest.param(2, all_of(RAW, "nbac_schedule"), 5 * HOUR, OVERNIGHT, None, id="raw: critical missing"),
    pytest.param(
        2, {"nbac_schedule": S, "odds_api_game_lines": S}, NOW, SAME_DAY, "all_complete", id="raw: today"
    ),
    pytest.param(2, {"nbac_schedule": S}, 4 * HOUR, TOMORROW, "max_timeout", id="raw: tomorrow, after 4 h"),
    # phase 3
    pytest.param(3, all_of(ANALYTICS), NOW, OVERNIGHT, "all_complete", id="analytics: all"),
    pytest.param(
        3,
        {**CRITICAL_3, "team_defense_game_summary": S},
        NOW,
        OVERNIGHT,
        "critical_plus_majority",
        id="analytics: critical and a majority",
    ),
    pytest.param(3, CRITICAL_3, 3 * HOUR, OVERNIGHT, None, id="analytics: critical alone"),
    pytest.param(3, CRITICAL_3, 4 * HOUR, OVERNIGHT, "max_timeout", id="analytics: critical after 4 h"),
    pytest.param(
        3, all_of(ANALYTICS, CONTEXT), 9 * HOUR, OVERNIGHT, None, id="analytics: without a critical one"
    ),
    pytest.param(3, {CONTEXT: S}, NOW, SAME_DAY, "all_complete", id="analytics: today's critical one"),
    pytest.param(
        3, {"upcoming_team_game_context": S}, 9 * HOUR, SAME_DAY, None, id="analytics: not just any one"
    ),
    pytest.param(3, {CONTEXT: P}, NOW, TOMORROW, "all_complete", id="analytics: tomorrow's, in part"),
    # phase 4
    pytest.param(4, all_of(PRECOMPUTE), NOW, SAME_DAY, "all_complete", id="precompute: all"),
    pytest.param(
        4, all_of(PRECOMPUTE, "player_shot_zone_analysis"), 0.99 * HOUR, SAME_DAY, None, id="4 of 5, early"
    ),
    pytest.param(
        4,
        all_of(PRECOMPUTE, "player_shot_zone_analysis"),
        HOUR,
        SAME_DAY,
        "tier2_timeout",
        id="4 of 5 after 1 h",
    ),
    pytest.param(
        4,
        all_of(PRECOMPUTE, "player_shot_zone_analysis"),
        3 * HOUR,
        SAME_DAY,
        "tier2_timeout",
        id="4 of 5, seen late",
    ),
    pytest.param(
        4, {**CRITICAL_4, "player_composite_factors": S}, HOUR, OVERNIGHT, None, id="3 of 5 after 1 h"
    ),
    pytest.param(
        4,
        {**CRITICAL_4, "player_composite_factors": S},
        2 * HOUR,
        OVERNIGHT,
        "tier3_timeout",
        id="3 of 5 after 2 h",
    ),
    pytest.param(4, CRITICAL_4, 4 * HOUR, OVERNIGHT, "max_timeout", id="the critical ones after 4 h"),
    pytest.param(
        4, {"ml_feature_store": S}, 9 * HOUR, OVERNIGHT, None, id="one critical of two, however long"
    ),
    pytest.param(
        4, {**all_of(PRECOMPUTE), "ml_feature_store": F}, 9 * HOUR, OVERNIGHT, None, id="a critical failed"
    ),
    pytest.param(
        4, {**all_of(PRECOMPUTE), "ml_feature_store": N}, NOW, OVERNIGHT, None, id="no data is not there"
    ),
    pytest.param(
        4, {**all_of(PRECOMPUTE), "ml_feature_store": K}, NOW, OVERNIGHT, None, id="skipped is not there"
    ),
    pytest.param(
        4,
        {**all_of(PRECOMPUTE), "team_defense_zone_analysis": P},
        NOW,
        OVERNIGHT,
        "all_complete",
        id="in part counts",
    ),
    pytest.param(4, {}, 9 * HOUR, OVERNIGHT, None, id="nothing"),
    # phase 5
    pytest.param(5, {"prediction_consolidation": S}, NOW, OVERNIGHT, "all_complete", id="predictions"),
    pytest.param(
        5, {"prediction_consolidation": P}, NOW, TOMORROW, "all_complete", id="predictions, in part"
    ),
    pytest.param(5, {"prediction_consolidation": F}, 9 * HOUR, SAME_DAY, None, id="predictions failed"),
    pytest.param(5, {"prediction_consolidation": N}, 9 * HOUR, SAME_DAY, None, id="no predictions"),
]


@pytest.mark.parametrize(("phase", "statuses", "waited", "now", "reason"), READINESS)
def test_phase_may_start_for_the_right_reason_or_waits(
    phase: int,
    statuses: Mapping[str, MessageStatus],
    waited: timedelta,
    now: datetime,
    reason: str | None,
) -> None:
    assert found(phase, statuses, waited, now) == reason


def test_what_is_missing_failed_and_exhausted_is_named() -> None:
    reports = {
        "player_daily_cache": report("player_daily_cache", at=OVERNIGHT - 5 * HOUR),
        "ml_feature_store": report("ml_feature_store", F, at=OVERNIGHT - 4 * HOUR),
    }

    seen = readiness(NBA[4], day(NBA[4], reports), OVERNIGHT)

    assert seen.present == ("player_daily_cache",)
    assert seen.failed == ("ml_feature_store",)
    assert "ml_feature_store" in seen.missing and len(seen.missing) == 4
    assert seen.reason == "waiting for critical ml_feature_store (1 of 5 present)"
    assert seen.waiting_since == OVERNIGHT - 5 * HOUR
    assert seen.is_exhausted


def test_what_may_start_without_the_others_is_not_exhausted() -> None:
    reports = {name: report(name, at=OVERNIGHT - 5 * HOUR) for name in CRITICAL_4}

    seen = readiness(NBA[4], day(NBA[4], reports), OVERNIGHT)

    assert (seen.is_ready, seen.is_exhausted) == (True, False)


MODES = [
    pytest.param("2026-01-18T04:59:59+00:00", Mode.SAME_DAY, id="a second before midnight in New York"),
    pytest.param("2026-01-18T05:00:00+00:00", Mode.OVERNIGHT, id="midnight in New York"),
    pytest.param("2026-01-18T00:00:00+00:00", Mode.SAME_DAY, id="midnight in Greenwich"),
    pytest.param("2026-01-17T04:59:59+00:00", Mode.TOMORROW, id="the evening before"),
    pytest.param("2026-01-17T05:00:00+00:00", Mode.SAME_DAY, id="the day begins"),
    pytest.param("2026-01-17T21:00:00-08:00", Mode.OVERNIGHT, id="evening in Los Angeles"),
]


@pytest.mark.parametrize(("now", "mode"), MODES)
def test_mode_follows_the_date_in_new_york(now: str, mode: Mode) -> None:
    assert mode_of(GAME_DATE, datetime.fromisoformat(now)) is mode


CLOCK_CHANGES = [
    pytest.param("2026-03-08T12:00:00-04:00", timedelta(hours=12), id="the day of 23 hours, at noon"),
    pytest.param("2026-03-08T00:30:00-05:00", timedelta(hours=22.5), id="the day of 23 hours, at its begin"),
    pytest.param("2026-11-01T00:30:00-04:00", timedelta(hours=24.5), id="the day of 25 hours, at its begin"),
    pytest.param("2026-11-01T01:30:00-05:00", timedelta(hours=22.5), id="the second half past one"),
]


@pytest.mark.parametrize(("now", "away"), CLOCK_CHANGES)
def test_next_midnight_is_right_on_the_days_on_which_the_clocks_change(now: str, away: timedelta) -> None:
    at = datetime.fromisoformat(now)

    assert next_midnight(at) - at == away


def test_deadline_is_by_the_wall_clock_whatever_the_offset() -> None:
    rules = NBA[2].modes[Mode.OVERNIGHT]

    assert deadline_of(rules, date(2026, 3, 6)) == datetime(2026, 3, 7, 13, tzinfo=UTC)
    assert deadline_of(rules, date(2026, 3, 7)) == datetime(2026, 3, 8, 12, tzinfo=UTC)
    assert deadline_of(rules, date(2026, 10, 31)) == datetime(2026, 11, 1, 13, tzinfo=UTC)


WAITS = [
    pytest.param(4, {"ml_feature_store": 10}, OVERNIGHT, timedelta(minutes=50), id="the first tier"),
    pytest.param(4, {"ml_feature_store": 70}, OVERNIGHT, timedelta(minutes=50), id="the second tier"),
    pytest.param(
        4, {"ml_feature_store": 300}, OVERNIGHT, timedelta(hours=4), id="no tier left: the deadline"
    ),
    pytest.param(4, {}, OVERNIGHT, timedelta(hours=4), id="nothing came: the deadline"),
    pytest.param(4, {}, OVERNIGHT + timedelta(hours=5), None, id="past the deadline: only an event"),
    pytest.param(4, {}, SAME_DAY + timedelta(hours=9), timedelta(hours=5), id="midnight changes the mode"),
]


@pytest.mark.parametrize(("phase", "minutes_ago", "now", "away"), WAITS)
def test_waiting_date_is_looked_at_when_the_next_thing_falls_due(
    phase: int, minutes_ago: Mapping[str, int], now: datetime, away: timedelta | None
) -> None:
    reports = {name: report(name, at=now - timedelta(minutes=ago)) for name, ago in minutes_ago.items()}
    seen = readiness(NBA[phase], day(NBA[phase], reports), now)

    next_check = when_waiting(seen, GAME_DATE, now)

    assert next_check == (None if away is None else now + away)


def test_gates_decide_what_becomes_of_a_date_that_is_ready() -> None:
    boundary = NBA[4]
    reports = {name: report(name, at=OVERNIGHT) for name in PRECOMPUTE}
    ready = readiness(boundary, day(boundary, reports), OVERNIGHT)
    recheck = OVERNIGHT + timedelta(minutes=3)
    is_open = Open(name="a", value=5, limit=3)
    is_closed = Closed(name="b", value=1, limit=3, reason="b: too little", next_check=recheck)
    later = Closed(name="c", value=1, limit=3, reason="c: too few", next_check=recheck + HOUR)
    unknown = ErrorInfo.transient("GateNotEvaluated", "BigQuery is away")

    started, blocked, unread = (
        decide(boundary, day(boundary, reports), ready, gates=gates, now=OVERNIGHT)
        for gates in ([is_open], [is_open, later, is_closed], unknown)
    )

    assert (started.state, started.reason) == (PhaseState.DISPATCHING, "all_complete")
    assert (blocked.state, blocked.next_check) == (PhaseState.BLOCKED, recheck)
    assert blocked.reason == "all_complete, but c: too few; b: too little"
    assert unread.state is PhaseState.READY
    assert "could not be evaluated: BigQuery is away" in unread.reason
    assert unread.next_check == OVERNIGHT + timedelta(minutes=boundary.recheck_minutes)


NAMES = [
    pytest.param(4, "ml_feature_store", {}, "ml_feature_store", id="the graph's name"),
    pytest.param(
        4, "Whatever", {"output_table": "nba_predictions.ml_feature_store_v2"}, "ml_feature_store", id="table"
    ),
    pytest.param(4, "PlayerDailyCacheProcessor", {}, "player_daily_cache", id="class"),
    pytest.param(4, "AsyncPlayerDailyCacheProcessor", {}, "player_daily_cache", id="asynchronous class"),
    pytest.param(4, "MLFeatureStoreProcessor", {}, None, id="a class that nobody has heard of"),
    pytest.param(2, "bdl_player_box_scores", {}, "bdl_player_boxscores", id="alias"),
    pytest.param(4, "player_game_summary", {}, None, id="a processor of another phase"),
]


@pytest.mark.parametrize(("phase", "name", "fields", "expected"), NAMES)
def test_processor_is_known_by_its_name_its_table_or_its_class(
    phase: int, name: str, fields: Mapping[str, str], expected: str | None
) -> None:
    assert processor_of(NBA[phase], completion(name, phase=phase, **fields)) == expected


def test_best_status_stands_whatever_the_order() -> None:
    best_first = [S, P, N, K, F]
    reports = [report("a", status, at=OVERNIGHT) for status in best_first]

    for index, better in enumerate(reports):
        for lesser in reports[index + 1 :]:
            assert stands_against(better, lesser)
            assert not stands_against(lesser, better)


def test_of_equal_statuses_the_later_one_stands() -> None:
    early = report("a", at=OVERNIGHT, sent_at=OVERNIGHT, execution_id="run-9")
    late = report("a", at=OVERNIGHT - HOUR, sent_at=OVERNIGHT + HOUR, execution_id="run-1")

    assert stands_against(late, early)
    assert not stands_against(early, late)
    assert not stands_against(early, early)
