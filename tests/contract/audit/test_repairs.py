"""Each repair: the state broken on purpose, found, mended, found to be over; again, it changes nothing."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from google.cloud import firestore

from common.audit.batch_rules import CONSOLIDATION_TAKES, consolidation_findings
from common.audit.repairs import SafeRepairs
from common.audit.report import AuditReport, Mended
from common.batches.batches import Batches
from common.batches.records import COMPLETIONS, UNEXPECTED, Batch, BatchStatus
from common.batches.trigger_outbox import TriggerOutbox
from common.findings import Repair
from common.lock.lock import Lock
from common.maintenance.deadlines import OverdueBatches
from common.maintenance.redrive import MakeRequest
from common.messages import PlayerOutcome
from common.result import Result
from common.schema_mode import SchemaMode
from tests.support.audit_stack import AuditStack
from tests.support.batch_helpers import GAME_DATE, Published, request_for
from tests.support.consolidation_stack import LOCK_KEY
from tests.support.defects import phase

HOUR = timedelta(hours=1)


class AnyGame:
    """Analytics that know a game of everybody."""

    def of(self, batch: Batch, players: Collection[str]) -> Result[MakeRequest]:
        return Result.success(request_for)


class StagingTables:
    """Staging tables, and those of them that are orphans."""

    def __init__(self) -> None:
        self.over: list[str] = []

    def orphans(self, now: datetime) -> Result[list[str]]:
        return Result.success(sorted(self.over))

    def remove(self, names: Collection[str]) -> Result[list[str]]:
        gone = sorted(set(names) & set(self.over))
        self.over = [each for each in self.over if each not in names]
        return Result.success(gone)


class Dispatches:
    def __init__(self, audits: AuditStack) -> None:
        self._audits = audits
        self.resumed: list[tuple[str, date]] = []

    def resume(self, boundary: str, game_date: date) -> Result[Mapping[str, Any]]:
        self.resumed.append((boundary, game_date))
        self._audits.phases.days = []
        return Result.success({"state": "dispatched"})


@pytest.fixture
def published() -> Published:
    return Published()


@pytest.fixture
def audits(batches: Batches, firestore_client: firestore.Client, published: Published) -> AuditStack:
    audits = AuditStack(batches, firestore_client)
    outbox = TriggerOutbox(batches.store, lambda: published)
    audits.staging = StagingTables()
    audits.repairs = SafeRepairs(
        batches=batches,
        outbox=outbox,
        overdue=OverdueBatches(batches, outbox),
        lock=Lock(firestore_client),
        lock_key=lambda game_date: replace(LOCK_KEY, game_date=game_date),
        staging=audits.staging,
        requests=AnyGame(),
        publisher=lambda: published,
        dispatches=Dispatches(audits),
        now=lambda: datetime.now(UTC),
    )
    return audits


def classes(report: AuditReport) -> set[str]:
    return {each.finding_class.value for each in report.findings}


def mend(audits: AuditStack, finding_class: str) -> tuple[Mended, ...]:
    """Found, mended, over, and told so."""
    dry = audits.audit()
    assert finding_class in classes(dry) and dry.mended == ()
    mended = audits.audit(repair=True).mended
    over = [audits.audit(repair=True) for _ in range(2)]
    assert [finding_class in classes(each) for each in over] == [False, False]
    again = [each for report in over for each in report.mended if each.finding_id.startswith(finding_class)]
    assert again == []
    assert any(f"*{finding_class}* resolved" in text for text in audits.heard.messages)
    assert all(each.error is None for each in mended)
    return mended


async def played(audits: AuditStack, *players: str) -> None:
    await audits.play("batch1", *players, deadline=datetime.now(UTC) + HOUR)


def nobody_publishes(audits: AuditStack) -> None:
    """As if the batch had been closed an hour ago, by an instance that then died."""
    ago = datetime.now(UTC) - HOUR
    audits.change("batch1", closed_at=ago, trigger_claimed_at=ago)


EVERY_COUNTER = pytest.mark.parametrize(
    ("fields", "finding_class"),
    [
        ({"completed_count": firestore.Increment(-1)}, "lost_increment"),
        ({"completed_count": firestore.Increment(1)}, "double_increment"),
        (
            {"completed_count": firestore.Increment(-1), "skipped_count": firestore.Increment(1)},
            "contradicting_outcomes",
        ),
        ({"total_predictions_subcoll": firestore.Increment(7)}, "double_increment"),
    ],
    ids=["lost", "doubled", "contradicting", "predictions"],
)


@EVERY_COUNTER
async def test_counters_are_recomputed_from_the_documents(
    audits: AuditStack, fields: dict[str, Any], finding_class: str
) -> None:
    await played(audits, *"abc")
    before = audits.batches.get("batch1").unwrap()
    audits.change("batch1", **fields)

    [mended] = mend(audits, finding_class)

    after = audits.batches.get("batch1").unwrap()
    assert (after.counts, after.total_predictions) == (before.counts, before.total_predictions)
    assert mended.before != mended.after


@pytest.mark.parametrize(
    "mode", [SchemaMode.DUAL_WRITE, SchemaMode.SUBCOLLECTION_READS], ids=lambda m: m.value
)
async def test_array_is_made_again_from_the_documents(audits: AuditStack, mode: SchemaMode) -> None:
    await played(audits, *"abc")
    audits.change("batch1", completed_players=["a", "b"])

    mend(audits, "ghost_marker")

    assert sorted(audits.batches.get("batch1").unwrap().in_array) == ["a", "b", "c"]


async def test_document_of_a_player_whom_nobody_expects_is_put_aside(audits: AuditStack) -> None:
    await played(audits, *"abc")
    ghost = {"player_lookup": "zoe", "outcome": "completed", "predictions_count": 5, "event_id": "x"}
    audits.ref("batch1").collection(COMPLETIONS).document("zoe").set(ghost)

    mend(audits, "ghost_marker")

    aside = audits.ref("batch1").collection(UNEXPECTED).document("zoe").get()
    assert (aside.to_dict() or {})["predictions_count"] == 5


async def test_player_whose_document_is_lost_is_asked_for_again_and_counts_when_he_comes(
    audits: AuditStack, published: Published
) -> None:
    await played(audits, *"abc")
    audits.ref("batch1").collection(COMPLETIONS).document("b").delete()

    mend(audits, "missing_marker")

    assert [request.player_lookup for request in published.requests] == ["b"]
    waiting = audits.batches.get("batch1").unwrap()
    assert (waiting.counts.completed, waiting.counts.timed_out) == (2, 1)
    await audits.record("batch1", "b")
    reopened = audits.batches.get("batch1").unwrap()
    assert (reopened.counts.completed, reopened.generation) == (3, 2)
    assert audits.audit().is_ok


async def test_trigger_that_was_not_sent_is_sent(audits: AuditStack, published: Published) -> None:
    await played(audits, *"abc")
    nobody_publishes(audits)

    mend(audits, "unsent_trigger")

    assert published.triggers == [("batch1", 1)]


async def test_trigger_that_somebody_is_publishing_is_not_sent_beside_it(
    audits: AuditStack, published: Published
) -> None:
    await played(audits, *"abc")
    audits.change("batch1", closed_at=datetime.now(UTC) - HOUR)

    [refused] = audits.audit(repair=True).mended
    before_the_grace_is_over = list(published.triggers)
    nobody_publishes(audits)
    [mended] = audits.audit(repair=True).mended

    assert refused.error is not None and refused.error.is_expected
    assert before_the_grace_is_over == []
    assert (mended.error, published.triggers) == (None, [("batch1", 1)])


async def test_repairs_of_one_trigger_at_once_publish_it_once(
    audits: AuditStack, published: Published
) -> None:
    await played(audits, *"abc")
    nobody_publishes(audits)
    [unsent] = [each for each in audits.audit().findings if each.repair is Repair.REPUBLISH_TRIGGER]

    with ThreadPoolExecutor(4) as threads:
        mended = list(threads.map(audits.repairs.mend, [unsent] * 4))

    assert published.triggers == [("batch1", 1)]
    assert all(each.error is None or each.error.is_expected for each in mended)


async def test_consolidation_that_is_stuck_is_triggered_again_once_whoever_repairs_it(
    audits: AuditStack, published: Published
) -> None:
    await played(audits, *"abc")
    nobody_publishes(audits)
    mend(audits, "unsent_trigger")
    audits.batches.start_consolidation("batch1", 1).unwrap()
    nobody_publishes(audits)
    batch = audits.batches.get("batch1").unwrap()
    stuck = consolidation_findings(replace(batch, update_time=batch.read_time - CONSOLIDATION_TAKES))

    mended = [audits.repairs.mend(finding) for finding in list(stuck) * 2]

    assert [each.repair for each in mended] == ["consolidate_again"] * 2
    assert [each.error is None for each in mended] == [True, False]
    assert published.triggers == [("batch1", 1)] * 2


def test_batch_past_its_deadline_is_closed(audits: AuditStack, published: Published) -> None:
    audits.batches.open("batch1", GAME_DATE, [], deadline=datetime.now(UTC) + HOUR).unwrap()
    audits.batches.open("late", GAME_DATE, ["a"], deadline=datetime.now(UTC) - HOUR).unwrap()

    mend(audits, "overdue_batch")

    assert audits.batches.get("late").unwrap().status is BatchStatus.FAILED
    # Which is a finding of its own, mended by asking for the player again.
    assert {request.player_lookup for request in published.requests} == {"a"}
    documents = audits.batches.completions("late").unwrap()
    assert [one.outcome for one in documents] == [PlayerOutcome.TIMED_OUT]


def test_lock_that_nobody_gave_back_is_released(audits: AuditStack) -> None:
    ago = datetime.now(UTC) - HOUR
    audits.lock.try_acquire(LOCK_KEY, "op").unwrap()
    audits.db.document(str(LOCK_KEY)).update(
        {"acquired_at": ago, "renewed_at": ago, "expires_at": ago + HOUR / 12}
    )

    [mended] = mend(audits, "expired_lock")

    assert mended.before == {"held_by": "op"}
    assert audits.lock.try_acquire(LOCK_KEY, "another").is_success


def test_orphans_are_removed_and_nothing_else(audits: AuditStack) -> None:
    audits.staging.over = ["_staging_a_w1", "_staging_b_w1"]

    [mended] = mend(audits, "orphaned_staging")

    assert mended.after == {"tables": []}


def test_dispatch_that_was_not_sent_is_resumed(audits: AuditStack) -> None:
    audits.phases.days = [phase("phase2_to_phase3", claimed_at=datetime.now(UTC) - HOUR)]

    mend(audits, "unsent_dispatch")

    assert audits.repairs.dispatches.resumed == [("phase2_to_phase3", GAME_DATE)]


async def test_repair_that_fails_says_so_and_is_proposed_again(
    audits: AuditStack, published: Published
) -> None:
    await played(audits, *"abc")
    nobody_publishes(audits)
    published.is_down = True

    [failed] = audits.audit(repair=True).mended
    published.is_down = False
    mended = audits.audit(repair=True).mended

    assert failed.error is not None and failed.error.exception_class == "ServiceUnavailable"
    assert [each.error for each in mended] == [None]
