"""Each repair: the state broken on purpose, found, mended, found to be over; again, it changes nothing."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud import firestore

from common.audit.asking_again import JUST_ASKED, RequestMaker
from common.audit.batch_rules import CONSOLIDATION_TAKES, consolidation_findings
from common.audit.report import Asked, AuditReport, Mended
from common.batches.batches import Batches
from common.batches.records import COMPLETIONS, Batch, BatchStatus
from common.findings import FindingClass, Repair
from common.findings.rules import REPAIR_TAKES
from common.maintenance.redrive import MakeRequest
from common.messages import Message, PlayerOutcome, PredictionRequest
from common.result import Result
from common.schema_mode import SchemaMode
from common.topics import Topic
from tests.support.audit_stack import AuditStack
from tests.support.batch_helpers import GAME_DATE, Published
from tests.support.consolidation_stack import LOCK_KEY
from tests.support.defects import phase

HOUR = timedelta(hours=1)


@pytest.fixture
def published() -> Published:
    return Published()


@pytest.fixture
def audits(batches: Batches, firestore_client: firestore.Client, published: Published) -> AuditStack:
    audits = AuditStack(batches, firestore_client)
    audits.can_repair(published)
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


async def a_document_is_lost(audits: AuditStack) -> None:
    """Of player b, after a, b and c were played and merged."""
    await played(audits, *"abc")
    audits.change("batch1", status="consolidated")
    audits.ref("batch1").collection(COMPLETIONS).document("b").delete()


def nobody_publishes(audits: AuditStack) -> None:
    """As if the batch had been closed an hour ago, by an instance that then died."""
    ago = datetime.now(UTC) - HOUR
    audits.change("batch1", closed_at=ago, trigger_claimed_at=ago)


@pytest.mark.parametrize(
    "mode", [SchemaMode.DUAL_WRITE, SchemaMode.SUBCOLLECTION_READS], ids=lambda m: m.value
)
async def test_array_is_made_again_from_the_documents(audits: AuditStack, mode: SchemaMode) -> None:
    await played(audits, *"abc")
    audits.change("batch1", completed_players=["a", "b"])

    mend(audits, "ghost_marker")

    assert sorted(audits.batches.get("batch1").unwrap().in_array) == ["a", "b", "c"]


class Hours:
    """The auditors' clock, some hours ahead of the store's."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


async def test_player_who_is_asked_for_is_waited_for_and_told_if_he_does_not_come(
    audits: AuditStack, published: Published
) -> None:
    await a_document_is_lost(audits)
    now = Hours()
    audits.can_repair(published, now=now)
    audits.tick()

    def told(**asked: Any) -> list[str]:
        audits.tick()
        report = audits.auditor(now=now).run(Asked(**asked)).unwrap()
        assert ("missing_marker", ("b",)) in audits.found(report) or is_over
        return [each.split()[1] for each in report.told if each.startswith("missing_marker")]

    is_over = False
    asked = [told(repair=True) for _ in range(3)]
    once = len(published.requests)
    now.ahead = REPAIR_TAKES
    late = [told() for _ in range(2)]
    again = told(repair=True)
    await audits.record("batch1", "b")
    not_merged = told()
    audits.change("batch1", status="consolidated")
    is_over = True
    over = [told() for _ in range(3)]

    assert asked == [["opened"], [], []] and once == 1
    assert late == [["escalated"], []]
    assert (again, not_merged) == ([], [])
    assert over == [[], ["resolved"], []]
    assert audits.batches.get("batch1").unwrap().counts.completed == 3


async def test_player_who_has_come_is_neither_timed_out_nor_asked_for_by_an_auditor_who_is_late(
    audits: AuditStack, published: Published
) -> None:
    await a_document_is_lost(audits)
    [marker] = audits.audit(repair=True).findings
    await audits.record("batch1", "b")

    late = audits.repairs.mend(marker)

    assert late.error is None
    assert [request.player_lookup for request in published.requests] == ["b"]
    assert audits.batches.get("batch1").unwrap().counts.completed == 3


async def test_auditors_at_once_ask_once_for_a_player_whatever_he_has_lost(
    audits: AuditStack, published: Published
) -> None:
    await a_document_is_lost(audits)
    [marker] = audits.audit().findings
    row = replace(marker, finding_class=FindingClass.MISSING_ROW, check="warehouse_rows", ids=("b", "c"))

    with ThreadPoolExecutor(6) as pool:
        mended = list(pool.map(audits.repairs.mend, [marker, row] * 3))

    assert [each.error for each in mended] == [None] * 6
    assert sorted(request.player_lookup for request in published.requests) == ["b", "c"]
    counts = audits.batches.get("batch1").unwrap().counts
    assert (counts.completed, counts.timed_out) == (1, 2)
    waiting = audits.store.unsettled().unwrap()
    assert {each.finding.finding_class: each.pending.ids for each in waiting.values() if each.pending} == {
        FindingClass.MISSING_MARKER: ("b",),
        FindingClass.MISSING_ROW: ("b", "c"),
    }


async def test_player_who_has_come_when_asked_for_is_not_timed_out_for_another_finding(
    audits: AuditStack, published: Published
) -> None:
    await a_document_is_lost(audits)
    [marker] = audits.audit().findings
    rows = [
        replace(marker, finding_class=FindingClass.MISSING_ROW, check="warehouse_rows", ids=ids)
        for ids in (("c",), ("b", "c"))
    ]

    audits.repairs.mend(marker)
    await audits.record("batch1", "b")
    mended = [audits.repairs.mend(row) for row in rows]

    assert [each.error for each in mended] == [None, None]
    assert [request.player_lookup for request in published.requests] == ["b", "c"]
    counts = audits.batches.get("batch1").unwrap().counts
    assert (counts.completed, counts.timed_out) == (2, 1)


class Answering(Published):
    """Workers who answer while the request is still being published."""

    def __init__(self, answer: Callable[[str], None]) -> None:
        super().__init__()
        self._answer = answer

    def publish_all(self, topic: Topic, messages: Sequence[Message]) -> Result[list[str]]:
        published = super().publish_all(topic, messages)
        for message in messages:
            if isinstance(message, PredictionRequest):
                self._answer(message.player_lookup)
        return published


class Overtaken:
    """Makes requests as ever; before the first one somebody else does the whole repair."""

    def __init__(self, requests: RequestMaker, rival: Callable[[], object]) -> None:
        self._requests = requests
        self._rivals = [rival]

    def of(self, batch: Batch, players: Collection[str]) -> Result[MakeRequest]:
        if self._rivals:
            self._rivals.pop()()
        return self._requests.of(batch, players)


async def test_player_who_came_while_another_repair_was_being_planned_is_not_timed_out_by_it(
    audits: AuditStack,
) -> None:
    await a_document_is_lost(audits)
    [marker] = audits.audit().findings
    published = Answering(lambda player: asyncio.run(audits.record("batch1", player)))
    audits.can_repair(published)
    row = replace(marker, finding_class=FindingClass.MISSING_ROW, check="warehouse_rows", ids=("b", "c"))
    overtaken = Overtaken(audits.repairs.requests, lambda: audits.repairs.mend(marker))
    repairs = replace(audits.repairs, requests=overtaken)

    mended = await asyncio.to_thread(repairs.mend, row)

    assert mended.error is None
    assert [request.player_lookup for request in published.requests] == ["b", "c"]
    counts = audits.batches.get("batch1").unwrap().counts
    assert (counts.completed, counts.timed_out) == (3, 0)


async def test_request_that_could_not_be_sent_is_sent_by_the_next_audit(
    audits: AuditStack, published: Published
) -> None:
    await a_document_is_lost(audits)
    published.is_down = True

    failed = audits.audit(repair=True).mended
    published.is_down = False
    still = audits.audit()
    # What was counted and not sent looks as if it had just been asked for.
    story = audits.ref("batch1").collection("timeline").document("redriven-1")
    story.update({"at": datetime.now(UTC) - JUST_ASKED})
    mended = audits.audit(repair=True).mended

    assert [each.error is not None for each in failed] == [True]
    assert audits.found(still) == {("missing_marker", ("b",))}
    assert [each.error for each in mended] == [None]
    assert [request.player_lookup for request in published.requests] == ["b"]


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
