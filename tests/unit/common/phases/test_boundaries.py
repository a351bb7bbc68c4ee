"""Whatever arrives, in whatever order: the phase starts once, at the right moment, for the right reason."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from common.documents.writes import Create
from common.messages import ExportTrigger, MessageStatus, PhaseTrigger
from common.phases.changes import Change
from common.phases.days import Recorded
from common.phases.decision import PhaseState
from common.phases.graph import GRAPHS
from common.phases.mode import mode_of
from common.phases.records import Day
from common.phases.report_rules import report_of
from common.phases.shape import Boundary
from common.result import ErrorType, Result
from tests.support.batch_helpers import GAME_DATE
from tests.support.phase_world import (
    ANALYTICS,
    OVERNIGHT,
    PRECOMPUTE,
    PhaseWorld,
    completion,
    predictions_complete,
)

HOUR = timedelta(hours=1)
FAILED: dict[str, Any] = {"status": MessageStatus.FAILED}


def all_of_4(world: PhaseWorld, *but: str) -> None:
    for name in PRECOMPUTE:
        if name not in but:
            world.report(name).unwrap()


def test_failure_of_a_critical_processor_holds_the_phase_until_its_retry_succeeds() -> None:
    world = PhaseWorld()
    all_of_4(world, "ml_feature_store")
    world.report("ml_feature_store", **FAILED).unwrap()
    world.clock.advance(3 * HOUR)
    world.sweep().unwrap()
    waiting = world.day()

    world.report("ml_feature_store", execution_id="retry").unwrap()

    assert waiting.state is PhaseState.WAITING
    assert waiting.decision is not None and waiting.decision.failed == ("ml_feature_store",)
    assert world.reasons == ["all_complete"]


def test_failure_that_arrives_after_its_own_retry_does_not_count() -> None:
    world = PhaseWorld()
    world.report("ml_feature_store", execution_id="retry").unwrap()

    late = world.report("ml_feature_store", **FAILED).unwrap()
    all_of_4(world, "ml_feature_store")

    assert late.recorded is Recorded.DUPLICATE
    assert world.reasons == ["all_complete"]


def test_processor_that_nobody_knows_is_kept_aside_and_said_so() -> None:
    world = PhaseWorld()

    reported = world.report("weather/../report").unwrap()

    assert (reported.recorded, reported.day) == (Recorded.UNKNOWN, None)
    [kept] = world.below("unknown_processors").values()
    assert kept["processor_name"] == "weather/../report"
    assert world.below("processors") == {}


def test_completion_whose_publisher_wants_no_consequence_has_none() -> None:
    world = PhaseWorld()

    reported = world.report("ml_feature_store", skip_downstream=True).unwrap()

    assert reported.recorded is Recorded.IGNORED
    assert world.day().document is None


def test_tier_fires_by_the_clock_without_an_event_and_is_told() -> None:
    world = PhaseWorld()
    all_of_4(world, "player_shot_zone_analysis")
    world.clock.advance(HOUR - timedelta(seconds=1))
    world.sweep().unwrap()
    early = list(world.reasons)

    world.clock.advance(timedelta(seconds=1))
    swept = world.sweep().unwrap()

    assert (early, world.reasons) == ([], ["tier2_timeout"])
    assert swept.dispatched == ("phase4_completion/2026-01-17",)
    [finding] = world.told.findings
    assert "player_shot_zone_analysis" in finding.summary
    assert world.told.kinds == ["tier_fired"]


def test_critical_processor_that_never_comes_starts_nothing_and_is_told_once() -> None:
    world = PhaseWorld()
    all_of_4(world, "ml_feature_store")

    for _ in range(40):
        world.clock.advance(timedelta(minutes=10))
        world.sweep().unwrap()

    ours = [finding for finding in world.told.findings if finding.subject.startswith("phase4_to_phase5")]
    assert world.started == []
    assert [finding.subject.split(":")[1] for finding in ours] == ["critical_missing", "deadline_missed"]
    assert "ml_feature_store" in ours[0].summary


def test_gate_that_closes_errs_and_opens_lets_the_phase_start_once() -> None:
    world = PhaseWorld()
    world.warehouse.rows["player_daily_cache"] = 0
    all_of_4(world)
    blocked = world.day()

    world.warehouse.is_down = True
    world.clock.advance(timedelta(minutes=10))
    swept = world.sweep()
    unread = world.day()
    world.warehouse.is_down = False
    world.clock.advance(timedelta(minutes=10))
    world.sweep().unwrap()
    closed_again = world.day()
    world.warehouse.rows.clear()
    world.clock.advance(timedelta(minutes=10))
    world.sweep().unwrap()

    assert blocked.state is PhaseState.BLOCKED
    assert blocked.decision is not None and "player_daily_cache" in blocked.decision.reason
    assert swept.is_partial and swept.is_retryable
    assert unread.state is PhaseState.READY
    assert closed_again.state is PhaseState.BLOCKED
    assert closed_again.stuck_since == blocked.stuck_since
    assert world.reasons == ["all_complete"]


def test_gate_that_cannot_be_evaluated_fails_the_event_and_its_redelivery_starts_the_phase() -> None:
    world = PhaseWorld()
    all_of_4(world, "ml_feature_store")
    world.warehouse.is_down = True

    failed = world.report("ml_feature_store")
    recorded = world.day()
    world.warehouse.is_down = False
    again = world.report("ml_feature_store")

    assert failed.error is not None and failed.error.type is ErrorType.TRANSIENT
    assert (recorded.state, len(recorded.reports)) == (PhaseState.READY, 5)
    assert recorded.next_check is not None
    assert again.is_success
    assert world.reasons == ["all_complete"]


def test_gate_that_stays_closed_is_told_once_and_never_passed() -> None:
    world = PhaseWorld()
    world.warehouse.rows["ml_feature_store_v2"] = 0
    all_of_4(world)

    for _ in range(12):
        world.clock.advance(timedelta(minutes=10))
        world.sweep().unwrap()

    assert world.day().state is PhaseState.BLOCKED
    assert world.told.kinds == ["blocked_too_long"]
    assert len(world.below("decisions")) == 5
    assert len(world.warehouse.queries) == 13


def test_date_is_blocked_on_the_number_that_predictions_reported() -> None:
    world = PhaseWorld()
    world.report("prediction_consolidation", **predictions_complete(pct=79.9)).unwrap()
    low = world.day(5)

    better = predictions_complete(pct=95, execution_id="batch1-2", timestamp=OVERNIGHT)
    world.report("prediction_consolidation", **better).unwrap()

    assert low.state is PhaseState.BLOCKED
    assert low.decision is not None and "79.9, below 80" in low.decision.reason
    [started] = world.started
    assert isinstance(started, ExportTrigger)
    assert (started.target_date, started.upstream_batch_id, started.upstream_predictions) == (
        GAME_DATE,
        "batch1",
        450,
    )
    assert started.export_types == ("tonight", "tonight-players", "predictions", "best-bets", "streaks")


@pytest.mark.parametrize("status", [MessageStatus.FAILED, MessageStatus.NO_DATA, MessageStatus.SKIPPED])
def test_predictions_that_are_no_success_export_nothing(status: MessageStatus) -> None:
    world = PhaseWorld()

    world.report("prediction_consolidation", **predictions_complete(status=status)).unwrap()

    assert world.started == []
    assert world.day(5).state is PhaseState.WAITING


def test_too_few_predictions_in_the_table_export_nothing() -> None:
    world = PhaseWorld()
    world.warehouse.rows["player_prop_predictions"] = 9

    world.report("prediction_consolidation", **predictions_complete()).unwrap()

    assert (world.started, world.day(5).state) == ([], PhaseState.BLOCKED)


def test_completion_after_the_dispatch_is_kept_noted_and_starts_nothing() -> None:
    world = PhaseWorld()
    all_of_4(world, "player_shot_zone_analysis")
    world.clock.advance(HOUR)
    world.sweep().unwrap()
    world.clock.advance(timedelta(minutes=5))

    world.report("player_shot_zone_analysis").unwrap()
    world.report("player_shot_zone_analysis").unwrap()

    day = world.day()
    assert (day.state, day.late, day.next_check) == (
        PhaseState.DISPATCHED,
        ("player_shot_zone_analysis",),
        None,
    )
    assert world.below("processors")["player_shot_zone_analysis"]["late"] is True
    assert world.reasons == ["tier2_timeout"]


def test_two_dates_do_not_know_of_each_other() -> None:
    world = PhaseWorld()
    other = date(2026, 1, 16)
    all_of_4(world, "ml_feature_store")

    for name in PRECOMPUTE:
        world.report(name, game_date=other, execution_id=f"other-{name}").unwrap()

    assert [each.dispatch_id for each in world.started] == ["nba-phase5-2026-01-16-1"]
    assert world.day().state is PhaseState.WAITING


def test_midnight_in_new_york_changes_what_a_waiting_date_needs() -> None:
    """The date's analytics had one team table before midnight; then the whole of it is needed."""
    world = PhaseWorld(now=datetime.fromisoformat("2026-01-17T23:50:00-05:00"))
    world.report("upcoming_team_game_context", phase=3).unwrap()
    before = world.day(3).decision

    world.clock.advance(timedelta(minutes=10))
    world.sweep().unwrap()
    after = world.day(3).decision

    assert before is not None and before.needed == ("upcoming_player_game_context",)
    assert after is not None and after.needed == ANALYTICS
    assert after.mode is mode_of(GAME_DATE, world.clock())


def test_message_has_every_field_that_its_receivers_have_always_read() -> None:
    world = PhaseWorld()
    world.warehouse.rows["team_offense_game_summary"] = 0
    changed = {"is_incremental": True, "entities_changed": ["lebronjames"]}
    world.report("player_game_summary", phase=3, metadata=changed).unwrap()
    world.clock.advance(timedelta(minutes=1))
    world.report("team_defense_game_summary", phase=3, metadata={"entities_changed": ["LAL"]}).unwrap()
    world.clock.advance(timedelta(minutes=1))
    world.report("upcoming_player_game_context", phase=3).unwrap()

    [started] = world.started
    assert isinstance(started, PhaseTrigger)
    told = started.model_dump(mode="json", exclude={"decision", "table_row_counts"})
    assert told == {
        "dispatch_id": "nba-phase4-2026-01-17-1",
        "game_date": "2026-01-17",
        "analysis_date": "2026-01-17",
        "success": True,
        "source_table": "player_game_summary",
        "trigger_source": "orchestrator",
        "triggered_by": "phase3_to_phase4_orchestrator",
        "trigger_reason": "critical_plus_majority",
        "mode": "overnight",
        "correlation_id": "correlation-upcoming_player_game_context",
        "correlation_ids": [
            "correlation-player_game_summary",
            "correlation-team_defense_game_summary",
            "correlation-upcoming_player_game_context",
        ],
        "timestamp": "2026-01-18T05:02:00-05:00",
        "upstream_processors_count": 3,
        "expected_processors": list(ANALYTICS),
        "is_incremental": True,
        "entities_changed": {"players": ["lebronjames"], "teams": ["LAL"]},
        "data_freshness_verified": False,
        "missing_tables": ["team_offense_game_summary"],
        "parent_execution_id": "run-upcoming_player_game_context",
        "parent_processor": "Phase3Orchestrator",
    }
    assert started.table_row_counts is not None
    assert started.table_row_counts["player_game_summary"] == 100
    assert started.decision is not None
    assert started.decision["missing"] == ["team_offense_game_summary", "upcoming_team_game_context"]


def test_state_and_why_it_stands_there_can_be_read_by_a_person() -> None:
    world = PhaseWorld()
    all_of_4(world, "ml_feature_store", "player_daily_cache")

    [document] = world.documents.find("phase4_completion").unwrap()

    assert document.data["state"] == "waiting"
    assert document.data["boundary"] == "phase4_to_phase5"
    assert document.data["decision"]["reason"] == (
        "waiting for critical player_daily_cache, ml_feature_store (3 of 5 present)"
    )
    assert document.data["decision"]["next_check"] == world.clock() + HOUR
    assert [kept["reason"].count("of 5") for kept in world.below("decisions").values()] == [1, 1, 1]


def test_decision_that_says_nothing_new_is_not_kept_again() -> None:
    world = PhaseWorld()
    world.report("ml_feature_store").unwrap()
    before = len(world.below("decisions"))

    for _ in range(3):
        world.report("ml_feature_store").unwrap()
        world.clock.advance(timedelta(minutes=1))

    assert (before, len(world.below("decisions"))) == (1, 1)


def test_dispatch_is_logged_once_and_a_log_that_is_away_only_delays_that() -> None:
    world = PhaseWorld()
    world.logged.is_down = True
    all_of_4(world, "ml_feature_store")

    told = world.report("ml_feature_store")
    world.logged.is_down = False
    world.sweep().unwrap()
    world.sweep().unwrap()

    assert told.is_partial
    [row] = world.logged.rows.values()
    assert (row.execution_id, row.phase, row.record_count) == ("nba-phase5-2026-01-17-1", 5, 5)
    assert (world.day().owed, world.day().next_check) == ((), None)


def test_alert_that_nobody_got_fails_nothing_and_is_told_by_the_next_sweep() -> None:
    world = PhaseWorld()
    all_of_4(world, "player_shot_zone_analysis")
    world.clock.advance(HOUR)
    world.told.is_down = True
    first = world.sweep()
    world.told.is_down = False

    world.sweep().unwrap()
    world.sweep().unwrap()

    assert first.is_partial
    assert world.reasons == ["tier2_timeout"]
    assert world.told.kinds == ["tier_fired"]


def test_decision_that_a_report_has_overtaken_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    world = PhaseWorld()
    all_of_4(world, PRECOMPUTE[0])
    last = report_of(PRECOMPUTE[0], completion(PRECOMPUTE[0]), "event", world.clock())
    write = world.days.write

    def overtaken(boundary: Boundary, day: Day, change: Change) -> Result[bool]:
        # Recorded by another instance, which then dies; the second time, it is known already.
        world.days.record(boundary, GAME_DATE, last)
        return write(boundary, day, change)

    monkeypatch.setattr(world.days, "write", overtaken)
    world.clock.advance(HOUR)
    looked = world.look().unwrap()

    assert looked.state is PhaseState.DISPATCHED
    assert world.reasons == ["all_complete"]


def test_redelivery_waits_for_the_one_that_publishes_and_then_takes_over() -> None:
    world = PhaseWorld()
    all_of_4(world, "ml_feature_store")
    world.published.is_down = True
    failed = world.report("ml_feature_store")
    world.published.is_down = False

    early = world.report("ml_feature_store")
    world.clock.advance(timedelta(seconds=61))
    resumed = world.report("ml_feature_store")

    assert failed.is_retryable and early.is_retryable
    assert early.error is not None and early.error.is_expected
    assert resumed.is_success
    assert world.reasons == ["all_complete"]


def test_sweep_resumes_a_dispatch_without_any_event() -> None:
    world = PhaseWorld()
    all_of_4(world, "ml_feature_store")
    world.published.is_down = True
    assert world.report("ml_feature_store").is_failure
    world.published.is_down = False
    world.clock.advance(timedelta(minutes=10))

    world.sweep().unwrap()

    assert world.reasons == ["all_complete"]
    assert world.day().message_id == "message-1"


def test_what_the_system_before_has_started_is_not_started_again() -> None:
    world = PhaseWorld()
    old = Create(path="phase4_completion/2026-01-17", fields={"_triggered": True, "_completed_count": 5})
    world.documents.commit([old]).unwrap()

    all_of_4(world)

    assert world.started == []
    assert set(world.day().late) == set(PRECOMPUTE)


def test_smaller_graph_of_another_sport_has_documents_of_its_own() -> None:
    world = PhaseWorld(graph=GRAPHS["mlb"])
    fields: dict[str, Any] = {"phase": 3}
    for name in ("pitcher_game_summary", "upcoming_pitcher_game_context"):
        world.report(name, **fields).unwrap()

    assert world.documents.find("mlb_phase3_completion").unwrap()
    assert [each.dispatch_id for each in world.started] == ["mlb-phase5-2026-01-17-1"]
