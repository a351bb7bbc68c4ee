"""Every class of defect, made on purpose on the emulators: found by name, told once, told to be over; a sound
system finds nothing."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud import firestore

from common.audit.batch_reader import BatchReader
from common.audit.checks import CHECKS, Check
from common.audit.in_turn import CHUNK, Resume
from common.audit.outcomes import Ok, Unknown, outcome_of
from common.audit.report import Asked, AuditReport
from common.batches.batches import Batches
from common.batches.differences import Totals
from common.batches.records import COMPLETIONS, Batch
from common.documents.port import Documents
from common.documents.store import FirestoreDocuments
from common.findings import FindingClass, Scope, ScopeKind, Severity
from common.findings.slack import SlackChannel
from common.result import ErrorInfo, ErrorType, Result
from tests.support.audit_stack import AuditStack
from tests.support.batch_helpers import GAME_DATE
from tests.support.defects import break_lives, break_system
from tests.support.findings import finding
from tests.support.monotonic_clock import MonotonicClock
from tests.support.webhook import NOTHING, OK, Answer, webhook

HOUR = timedelta(hours=1)
IN_AN_HOUR = datetime.now(UTC) + HOUR


@pytest.fixture
def audits(batches: Batches, firestore_client: firestore.Client) -> AuditStack:
    return AuditStack(batches, firestore_client)


@pytest.fixture
async def played(audits: AuditStack) -> AuditStack:
    """With one batch of three players who have completed."""
    await audits.play("batch1", *"abc", deadline=IN_AN_HOUR)
    return audits


def lose_an_increment(audits: AuditStack, number: int = 1) -> None:
    audits.change("batch1", completed_count=firestore.Increment(-number))


def told_by(report: AuditReport) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(each.scope.name, each.finding_class.value): each.ids for each in report.findings}


async def test_every_defect_is_found_with_its_class_and_its_players_and_told_once(audits: AuditStack) -> None:
    expected = {**await break_lives(audits), **break_system(audits)}

    first, second = audits.audit(), audits.audit()

    assert told_by(first) == expected
    assert not first.is_ok
    assert len(first.told) == len(expected) and second.told == ()
    heard = "\n".join(audits.heard.messages)
    assert heard.count(" opened ") + heard.count("… and") >= len(audits.heard.messages) > 1


async def test_healthy_system_finds_nothing_at_three_reads_a_batch(played: AuditStack) -> None:
    report = played.audit()

    assert told_by(report) == {} and report.is_ok
    assert report.outcomes["batch_counts"].cost.reads == 2
    stored = played.db.collection("audits").document(report.run_id).get().to_dict() or {}
    assert stored["is_ok"] and stored["checks"]["batch_counts"]["result"] == "ok"
    assert stored["cost"]["reads"] == report.cost.reads
    assert played.heard.messages == []


async def test_end_of_a_finding_is_told_after_two_clean_runs(played: AuditStack) -> None:
    lose_an_increment(played)
    played.audit()
    lose_an_increment(played, -1)

    told = [played.audit().told for _ in range(3)]

    assert [[each.split()[1] for each in changes] for changes in told] == [[], ["resolved"], []]


async def test_run_for_one_batch_or_date_looks_at_no_other(played: AuditStack) -> None:
    lose_an_increment(played)
    tomorrow = GAME_DATE + timedelta(days=1)
    played.batches.open("late", tomorrow, ["x"], deadline=datetime.now(UTC) - HOUR).unwrap()

    of_batch, of_date = played.audit(batch_id="late"), played.audit(game_date=GAME_DATE)

    assert told_by(of_batch) == {("late", "overdue_batch"): ()}
    assert all(check.of is ScopeKind.BATCH for check in CHECKS if check.name in of_batch.outcomes)
    assert told_by(of_date) == {("batch1", "lost_increment"): ()}


async def test_batch_with_an_open_finding_is_looked_at_until_it_is_over_however_old_it_is(
    played: AuditStack,
) -> None:
    lose_an_increment(played)
    played.audit()
    played.change("batch1", status="consolidated")
    long_after = played.auditor(today=lambda: GAME_DATE + timedelta(days=90))
    still = long_after.run(Asked()).unwrap()
    lose_an_increment(played, -1)

    told = [long_after.run(Asked()).unwrap().told for _ in range(2)]

    assert told_by(still) == {("batch1", "lost_increment"): ()}
    assert [len(each) for each in told] == [0, 1]


async def test_batch_that_will_miss_its_deadline_is_told_before_it_does(audits: AuditStack) -> None:
    players = [f"p{number}" for number in range(40)]
    now = datetime.now(UTC)
    for name, minutes_each in (("slow", 15), ("fast", 0.1)):
        audits.batches.open(name, GAME_DATE, players, deadline=now + HOUR / 4).unwrap()
        await audits.record(name, *players[:8])
        audits.change(name, start_time=now - timedelta(minutes=8 * minutes_each))
        for number, player in enumerate(players[:8]):
            done_at = now - timedelta(minutes=(7 - number) * minutes_each)
            audits.ref(name).collection(COMPLETIONS).document(player).update({"completed_at": done_at})

    report = audits.audit()

    assert told_by(report) == {("slow", "slow_batch"): ()}
    assert report.findings[0].command == "./ops/run watch slow"


def test_adding_a_check_is_adding_a_function_and_a_line(audits: AuditStack) -> None:
    mine = finding(FindingClass.SLOW_BATCH, check="mine", scope=Scope.of_system("mine"), ids=("x",))
    line = Check(name="mine", of=ScopeKind.SYSTEM, stores=(), run=lambda _: outcome_of([mine]))
    audits.checks = (*CHECKS, line)

    assert told_by(audits.audit()) == {("mine", "slow_batch"): ("x",)}


async def test_check_that_is_broken_is_unknown_and_keeps_no_other_from_looking(played: AuditStack) -> None:
    def broken(_: Any) -> Ok:
        raise ZeroDivisionError("a fault of ours")

    played.checks = (Check(name="mine", of=ScopeKind.SYSTEM, stores=(), run=broken), *CHECKS)
    lose_an_increment(played)

    report = played.audit()

    assert isinstance(report.outcomes["mine"], Unknown) and not report.is_ok
    assert told_by(report).keys() == {("batch1", "lost_increment"), ("check mine", "store_down")}


class Counted(BatchReader):
    """Keeps whose completions were counted. Each takes a second of the clock that it is given."""

    def __init__(self, documents: Documents) -> None:
        super().__init__(documents)
        self.ids: list[str] = []

    def seconds(self) -> float:
        return float(len(self.ids))

    def totals(self, batch: Batch) -> Result[Totals]:
        self.ids.append(batch.batch_id)
        return super().totals(batch)


def test_runs_that_are_cut_short_come_to_every_batch_once_and_say_where_they_stopped(
    audits: AuditStack,
) -> None:
    fields = {"game_date": GAME_DATE.isoformat(), "expected_players": 1, "schema_mode": "subcollection"}
    written = audits.db.batch()
    for number in range(2 * CHUNK):
        written.set(audits.ref(f"batch{number:03}"), {**fields, "status": "open", "is_complete": False})
    written.commit()
    reader = Counted(FirestoreDocuments(audits.db))
    look = {"sight": lambda **run: replace(audits.sight(**run), batches=reader), "monotonic": reader.seconds}

    short = audits.auditor(**look, time_limit=timedelta(seconds=CHUNK))
    first, of_one = short.run(Asked()).unwrap(), audits.audit(batch_id="batch001")
    second = short.run(Asked()).unwrap()
    whole = audits.audit()

    assert Counter(reader.ids) == Counter(f"batch{number:03}" for number in range(2 * CHUNK))
    assert [each.outcomes["batch_counts"].left for each in (first, second)] == [CHUNK] * 2
    # The check behind it did not even begin: it comes first the next time.
    assert first.outcomes["warehouse_rows"].left == 1 and not first.is_ok
    places = (Resume(check="warehouse_rows", after=None), Resume(check="batch_counts", after="batch063"))
    assert first.resume == of_one.resume == places
    assert list(second.outcomes)[-2:] == ["warehouse_rows", "batch_counts"]
    assert second.resume == (Resume(check="batch_counts", after="batch127"),)
    assert whole.resume == () and whole.is_ok


class Away:
    """Any port of a store that does not answer."""

    def __getattr__(self, name: str) -> Callable[..., Result[Any]]:
        error = ErrorInfo.transient("ServiceUnavailable", "told to be away")
        return lambda *args, **kwargs: Result.failure(error)


def test_store_that_is_away_is_told_once_and_told_to_be_up_again(audits: AuditStack) -> None:
    away: dict[str, Any] = {part: Away() for part in ("warehouse", "schedule", "staging")}
    stopped = audits.auditor(sight=lambda **run: replace(audits.sight(**run), **away))

    first, second = (stopped.run(Asked()).unwrap() for _ in range(2))
    back = [audits.audit().told for _ in range(3)]

    assert [(each.finding_class, each.subject, each.severity) for each in first.findings] == [
        (FindingClass.STORE_DOWN, "bigquery", Severity.CRITICAL)
    ]
    unknown = {name for name, outcome in first.outcomes.items() if isinstance(outcome, Unknown)}
    assert unknown == set(first.findings[0].ids) and not first.is_ok
    # The others had nothing to ask for.
    assert unknown == {"row_rules", "staging"}
    assert len(first.told) == 1 and second.told == ()
    assert [len(each) for each in back] == [0, 1, 0]


def test_run_that_cannot_remember_its_findings_tells_that_at_least_and_is_not_ok(audits: AuditStack) -> None:
    forgetful = audits.auditor(store=Away(), audit_log=Away())

    run = forgetful.run(Asked())

    assert run.is_partial and not run.unwrap().is_ok
    assert "could not be remembered" in audits.heard.messages[0]


async def test_two_auditors_at_once_tell_once(played: AuditStack) -> None:
    lose_an_increment(played)
    break_system(played)

    with ThreadPoolExecutor(4) as pool:
        reports: list[AuditReport] = list(pool.map(lambda _: played.audit(), range(4)))

    told = [each for report in reports for each in report.told]
    assert len(told) == len(set(told)) == len(reports[0].findings)


@pytest.mark.parametrize(
    ("answer", "error_type"),
    [
        pytest.param(OK, None, id="200"),
        pytest.param(Answer(status=400, body=b"invalid_payload"), ErrorType.PERMANENT, id="400"),
        pytest.param(Answer(status=429, headers={"Retry-After": "60"}), ErrorType.TRANSIENT, id="429"),
        pytest.param(Answer(status=500, body=b"server_error"), ErrorType.TRANSIENT, id="500"),
        pytest.param(NOTHING, ErrorType.TRANSIENT, id="nothing"),
        pytest.param(Answer(raw=b"\x00garbage\r\n\r\n"), ErrorType.TRANSIENT, id="garbage"),
    ],
)
def test_run_says_what_slack_did_not_take_and_the_next_one_tells_it(
    audits: AuditStack, answer: Answer, error_type: ErrorType | None
) -> None:
    mine = finding(FindingClass.SLOW_BATCH, check="mine", scope=Scope.of_system("mine"))
    line = Check(name="mine", of=ScopeKind.SYSTEM, stores=(), run=lambda _: outcome_of([mine]))

    def run(*answers: Answer) -> tuple[Result[AuditReport], list[str]]:
        time = MonotonicClock()
        with webhook(*answers) as hook:
            slack = SlackChannel(hook.address, sleep=time.sleep, monotonic=time)
            return audits.auditor(checks=(line,), channel=slack).run(Asked()), hook.texts

    (first, _), (second, heard), (third, unheard) = run(answer), run(OK), run(OK)

    untold = [each.type for each in first.unwrap().untold] if first.data else []
    stored = audits.db.collection("audits").document(first.data.run_id if first.data else "-").get().to_dict()
    if error_type is None:
        assert first.is_success and untold == [] and heard == []
    else:
        assert first.is_partial and untold == [error_type] and first.data and first.data.told == ()
        assert [each["type"] for each in (stored or {})["untold"]] == [error_type.value]
        assert second.is_success and second.unwrap().told == (f"{mine.finding_id} opened",)
        assert len(heard) == 1
    assert third.is_success and unheard == []
