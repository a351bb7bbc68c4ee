"""Defects that nobody makes on purpose, each on a part of its own, and what an audit says of them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from common.audit.phase_checks import PHASES, PhaseDay
from common.findings import Finding, FindingClass, Scope
from tests.support.audit_stack import AuditStack
from tests.support.batch_helpers import GAME_DATE
from tests.support.consolidation_stack import LOCK_KEY
from tests.support.findings import finding
from tests.support.letters import letter_at

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LINES = (24.5, 25.5)
PLAYERS = "abcdef"

Told = Mapping[tuple[str, str], tuple[str, ...]]
"""(scope, class) → who is concerned."""


def now() -> datetime:
    return datetime.now(UTC)


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
        ("odd", "unreadable_document"): ("prediction_batches/odd",),
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
    path, letter = letter_at(ago)
    audits.db.document(path).set(letter)
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
