"""Documents that nobody here has written, in every collection that an audit reads: each is named by its path,
none keeps the audit from the others, and none is taken for a store that is away."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud import firestore

from common.audit.checks import CHECKS
from common.audit.outcomes import Unknown
from common.audit.phase_reader import PhaseReader
from common.audit.report import Asked
from common.batches.batches import Batches
from common.batches.records import BatchStatus
from common.documents.store import FirestoreDocuments
from common.findings import FindingClass
from common.phases.days import Days
from common.phases.graph import GRAPHS
from tests.support.audit_stack import AuditStack
from tests.support.batch_helpers import GAME_DATE, Published
from tests.support.consolidation_stack import LOCK_KEY
from tests.support.letters import letter_at

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
DAY = GAME_DATE.isoformat()
ODD = "Ünï #1? (a/b is not allowed) *'\"\n😀".replace("/", "|")
"""A batch whose id holds what an id may hold."""

BATCH = {"game_date": DAY, "expected_players": 1, "schema_mode": "subcollection", "is_complete": True}
OPEN = {**BATCH, "status": "open", "is_complete": False}
MERGED = {**BATCH, "status": "consolidated", "consolidated_generation": 1, "phase_generation": 1}
ENDED = {"player_lookup": "ann", "outcome": "completed", "predictions_count": 5, "event_id": "e"}
B = "prediction_batches"

BATCHES: dict[str, dict[str, Any]] = {
    f"{B}/empty": {"game_date": DAY},
    f"{B}/mistyped": {**OPEN, "expected_players": "many"},
    f"{B}/player": OPEN,
    f"{B}/player/completions/ann": {**ENDED, "player_lookup": 5},
    f"{B}/count": OPEN,
    f"{B}/count/completions/ann": {**ENDED, "predictions_count": "5"},
    f"{B}/outcome": OPEN,
    f"{B}/outcome/completions/ann": {**ENDED, "outcome": "vanished"},
    f"{B}/nan": OPEN,
    f"{B}/nan/completions/ann": {**ENDED, "predictions_count": float("nan")},
    f"{B}/manifest": {**OPEN, "manifest_digest": "d", "completed_count": 1},
    f"{B}/manifest/manifest/0": {"players": 7},
    f"{B}/changed": {**OPEN, "manifest_digest": "d", "completed_count": 1},
    f"{B}/changed/manifest/0": {"players": ["zoe"]},
    f"{B}/receipt": MERGED,
    f"{B}/receipt/receipts/1": {"generation": 1, "total_predictions": "x"},
    f"{B}/no-receipt": MERGED,
    f"{B}/soon": {**OPEN, "deadline": NOW + HOUR / 2, "start_time": NOW, "completed_count": 1},
    f"{B}/soon/completions/ann": {**ENDED, "completed_at": "soon"},
}
BELOW = {
    "player": f"{B}/player/completions/ann",
    "count": f"{B}/count/completions/ann",
    "outcome": f"{B}/outcome/completions/ann",
    "nan": f"{B}/nan/completions/ann",
    "manifest": f"{B}/manifest/manifest/0",
    "changed": f"{B}/changed/manifest",
    "receipt": f"{B}/receipt/receipts/1",
    "no-receipt": f"{B}/no-receipt/receipts",
    "soon": f"{B}/soon/completions/ann",
}
"""Batch → what makes no sense of it."""
ELSEWHERE: dict[str, dict[str, Any]] = {
    f"{LOCK_KEY.collection}/nonsense": {"state": 3},
    "sweeps/completion_recorder": {"last_run": "yesterday"},
    "sweeps/phase_transitions": {"last_run": NOW + 48 * HOUR},
    "audits/zz-text": {"started_at": "now"},
    "audits/zz-later": {"started_at": NOW + 48 * HOUR, "resume": []},
    "findings/nonsense": {"is_settled": False, "ids": 5},
    f"phase2_completion/{DAY}": {"state": 5},
    f"{B}/found-by-no-query": {"expected_players": 1},
    "findings/found-by-no-query": {"ids": 5},
    "dead_letters/found-by-no-query": {"topic": "nba-prediction-ready"},
    "audits/found-by-no-query": {"resume": []},
    f"phase3_completion/{DAY}": {"state": "waiting", "stuck_since": "noon", "decision": 5},
}


def unreadable(audits: AuditStack) -> set[str]:
    """The paths that an audit names; nothing is unknown to it."""
    report = audits.audit()
    assert not [name for name, outcome in report.outcomes.items() if isinstance(outcome, Unknown)]
    found = [each for each in report.findings if each.finding_class is FindingClass.UNREADABLE_DOCUMENT]
    return {path for each in found for path in each.ids}


@pytest.fixture
def audits(batches: Batches, firestore_client: firestore.Client) -> AuditStack:
    audits = AuditStack(batches, firestore_client)
    days = Days(FirestoreDocuments(firestore_client), "nba")
    audits.phases = PhaseReader(days, GRAPHS["nba"], lambda: NOW)  # type: ignore[assignment]
    audits.can_repair(Published())
    return audits


def test_each_document_that_makes_no_sense_is_named_and_hides_nothing_else(audits: AuditStack) -> None:
    sound = {**MERGED, "consolidated_generation": 0, "completed_count": 2}
    audits.ref(ODD).set(sound)
    audits.ref(ODD).collection("completions").document("ann").set(ENDED)
    for path, fields in {**BATCHES, **ELSEWHERE}.items():
        audits.db.document(path).set(fields)
    path, letter = letter_at(NOW)
    audits.db.document(path).set({**letter, "topic": 5, "error_class": None})

    named = unreadable(audits)
    report = audits.audit()

    assert named == {f"{B}/empty", f"{B}/mistyped", *BELOW.values(), *ELSEWHERE}
    others = {
        (each.finding_class.value, each.scope.name)
        for each in report.findings
        if each.finding_class is not FindingClass.UNREADABLE_DOCUMENT
    }
    assert {("double_increment", ODD), ("waiting_dead_letters", "5")} <= others
    assert "store_down" not in {finding_class for finding_class, _ in others}
    assert report.told == ()  # the run before told all


def test_repairs_of_what_makes_no_sense_fail_by_name_and_keep_no_other_from_mending(
    audits: AuditStack,
) -> None:
    for path, fields in BATCHES.items():
        audits.db.document(path).set(fields)
    audits.lock.try_acquire(LOCK_KEY, "op").unwrap()
    held, ago = audits.db.document(str(LOCK_KEY)).get().to_dict() or {}, NOW - HOUR
    expired = {**held, "acquired_at": ago, "renewed_at": ago, "expires_at": ago}
    audits.db.document(f"{LOCK_KEY.collection}/of-nobody").set(expired)
    audits.db.document(f"{B}/overdue").set({**OPEN, "deadline": NOW - HOUR})
    audits.batches.open("late", GAME_DATE, ["ann"], deadline=NOW - HOUR).unwrap()

    mended = audits.auditor().run(Asked(repair=True)).unwrap().mended

    errors = {each.finding_id.partition("-")[0]: each.error for each in mended}
    assert errors["expired_lock"] is not None and errors["expired_lock"].exception_class == "NotReleased"
    assert audits.batches.get("late").unwrap().status is BatchStatus.FAILED
    assert {check.name for check in CHECKS} == audits.audit().outcomes.keys()


def test_finding_that_cannot_be_read_is_written_over_when_it_is_found_again(audits: AuditStack) -> None:
    audits.batches.open("late", GAME_DATE, ["ann"], deadline=NOW - HOUR).unwrap()
    [overdue] = audits.audit().findings
    remembered = audits.db.document(f"findings/{overdue.finding_id}")
    remembered.set({"is_settled": False, "told": 5})

    again, after = audits.audit(), audits.audit()

    assert {each.finding_class.value for each in again.findings} == {"overdue_batch", "unreadable_document"}
    # Nobody knows whether it was told: it is told.
    assert f"{overdue.finding_id} opened" in again.told
    assert {each.finding_id for each in after.findings} == {overdue.finding_id}
