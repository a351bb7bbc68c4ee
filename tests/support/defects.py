"""Defects that nobody makes on purpose, each on a part of its own, and what an audit says of them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from google.cloud import firestore

from common.audit.phase_checks import PHASES, PhaseDay
from common.batches.records import COMPLETIONS
from common.findings import Finding, FindingClass, Scope
from common.messages import PlayerOutcome
from tests.support.audit_stack import AuditStack
from tests.support.batch_helpers import GAME_DATE
from tests.support.consolidation_stack import BATCH, LOCK_KEY, TABLES, Stack
from tests.support.findings import finding
from tests.support.prediction_rows import prediction

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LINES = (24.5, 25.5)
PLAYERS = "abcdef"

Told = Mapping[tuple[str, str], tuple[str, ...]]
"""(scope, class) → who is concerned."""


def now() -> datetime:
    return datetime.now(UTC)


async def break_counts(audits: AuditStack) -> Told:
    """Array, documents and counters of batches that differ in one way each."""
    for name in ("lost", "double", "missing", "ghost", "contradicting", "predictions"):
        await audits.play(name, *"abc", deadline=now() + HOUR)
    audits.change("lost", completed_count=firestore.Increment(-1))
    audits.change("double", completed_count=firestore.Increment(1))
    audits.ref("missing").collection(COMPLETIONS).document("b").delete()
    ghost = {"player_lookup": "zoe", "outcome": "completed", "predictions_count": 0, "event_id": "x"}
    audits.ref("ghost").collection(COMPLETIONS).document("zoe").set(ghost)
    moved = {"completed_count": firestore.Increment(-1), "failed_count": firestore.Increment(1)}
    audits.change("contradicting", **moved)
    audits.change("predictions", total_predictions_subcoll=firestore.Increment(-5))
    return {
        ("lost", "lost_increment"): (),
        ("double", "double_increment"): (),
        ("missing", "missing_marker"): ("b",),
        ("ghost", "ghost_marker"): ("zoe",),
        ("contradicting", "contradicting_outcomes"): (),
        ("predictions", "lost_increment"): (),
    }


async def break_lives(audits: AuditStack) -> Told:
    """Batches that stand still."""
    await audits.play("untriggered", *"abc", deadline=now() + HOUR)
    audits.change("untriggered", closed_at=now() - HOUR)
    audits.batches.open("overdue", GAME_DATE, ["a", "b"], deadline=now() - HOUR).unwrap()
    audits.batches.open("failed", GAME_DATE, ["a", "b"], deadline=now() + HOUR).unwrap()
    audits.change("failed", status="failed", is_complete=True)
    audits.db.document("prediction_batches/odd").set({"game_date": GAME_DATE.isoformat()})
    return {
        ("untriggered", "unsent_trigger"): (),
        ("overdue", "overdue_batch"): (),
        ("failed", "failed_batch"): (),
        ("odd", "unreadable_document"): (),
    }


def break_system(audits: AuditStack) -> Told:
    """Locks, sweeps, dead letters, topics and phases."""
    ago = now() - HOUR
    audits.lock.try_acquire(LOCK_KEY, "op").unwrap()
    expired = {"acquired_at": ago, "renewed_at": ago, "expires_at": ago + HOUR / 12}
    audits.db.document(str(LOCK_KEY)).update(expired)
    held = replace(LOCK_KEY, game_date=GAME_DATE + timedelta(days=1))
    audits.lock.try_acquire(held, "op").unwrap()
    audits.db.document(str(held)).update({"acquired_at": ago})
    audits.db.document("sweeps/phase_transitions").set({"last_run": ago})
    letter = {"topic": "nba-prediction-ready", "error_class": "InvalidMessage", "dead_lettered_at": ago}
    audits.db.document("dead_letters/e1").set(letter)
    audits.topology.topics.remove("nba-prediction-request")
    name = "nba-prediction-ready-completion-recorder-sub"
    known = audits.topology.subscriptions[name]
    audits.topology.subscriptions[name] = replace(known, dead_letter_topic="", max_delivery_attempts=0)
    audits.topology.counts["nba-prediction-ready-dlq-sub"] = 3
    audits.phases.days = [
        phase("2→3", stuck=(stuck("2→3", FindingClass.STUCK_PHASE),)),
        phase("3→4", claimed_at=ago),
        phase("4→5", stuck=(stuck("4→5", FindingClass.SILENT_PHASE),), is_silent=True),
        phase("5→6", GAME_DATE - DAY, stuck=(stuck("5→6", FindingClass.SILENT_PHASE),), is_silent=True),
    ]
    audits.games.by_date = {GAME_DATE: 6}
    day = GAME_DATE.isoformat()
    return {
        (LOCK_KEY.document_id, "expired_lock"): (),
        (held.document_id, "long_held_lock"): (),
        ("phase_transitions", "absent_run"): (),
        ("nba-prediction-ready", "waiting_dead_letters"): (),
        ("nba-prediction-request", "missing_topic"): (),
        (name, "wrong_subscription"): (),
        ("nba-prediction-ready-dlq-sub", "waiting_dead_letters"): (),
        (day, "stuck_phase"): (),
        (day, "unsent_dispatch"): (),
        (day, "silent_phase"): (),
    }


def phase(boundary: str, game_date: date = GAME_DATE, **fields: Any) -> PhaseDay:
    return PhaseDay(boundary=boundary, game_date=game_date, **fields)


def stuck(boundary: str, finding_class: FindingClass) -> Finding:
    return finding(finding_class, check=PHASES, scope=Scope.of_date(GAME_DATE), subject=boundary)


def play_rows(stack: Stack, game_date: date = GAME_DATE) -> None:
    """Six players with two rows each, one who skipped and one who failed, consolidated."""
    stack.open([*PLAYERS, "skipped", "failed"])
    for player in PLAYERS:
        rows = [prediction(player, current_points_line=line) for line in LINES]
        stack.complete(player, stack.stage(rows))
    stack.complete("skipped", None, outcome=PlayerOutcome.SKIPPED)
    stack.complete("failed", None, outcome=PlayerOutcome.FAILED)
    stack.consolidate().unwrap()


def break_rows(stack: Stack) -> Told:
    """Each player's rows of the main table in another way."""
    of_day = f"WHERE game_date = DATE '{GAME_DATE}'"
    for statement in (
        f"DELETE FROM `{TABLES.main}` {of_day} AND player_lookup = 'b'",
        f"DELETE FROM `{TABLES.main}` {of_day} AND player_lookup = 'c' AND current_points_line = 24.5",
        f"UPDATE `{TABLES.main}` SET predicted_points = 99, updated_at = TIMESTAMP '2099-01-01 00:00:00' "
        f"{of_day} AND player_lookup = 'd'",
        f"UPDATE `{TABLES.main}` SET confidence_score = 150 {of_day} AND player_lookup = 'e'",
        f"INSERT INTO `{TABLES.main}` (prediction_id, system_id, player_lookup, game_date, game_id, "
        "predicted_points, confidence_score, recommendation, prediction_version, is_active, created_at, "
        f"updated_at) VALUES ('x', 's', 'zoe', DATE '{GAME_DATE}', 'g', 1, 1, 'OVER', 1, TRUE, "
        "TIMESTAMP '2026-01-17 00:00:00', TIMESTAMP '2026-01-17 00:00:00')",
    ):
        stack.warehouse.execute(statement).unwrap()
    stack.insert_again("a")
    return {
        (BATCH, "missing_row"): ("b", "c"),
        (BATCH, "ghost_row"): ("zoe",),
        (BATCH, "duplicate_row"): ("a",),
        (BATCH, "modified_row"): ("d",),
        (GAME_DATE.isoformat(), "broken_row_rule"): ("e",),
    }
