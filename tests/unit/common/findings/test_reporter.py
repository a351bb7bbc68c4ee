from dataclasses import replace
from datetime import timedelta

import pytest

from common.documents.memory_store import MemoryDocuments
from common.findings import Change, Finding, Looked, Severity
from common.findings.reporter import Reporter, Told
from common.findings.store import FindingStore
from common.findings.tracked import Tracked
from common.result import ErrorInfo, Result
from tests.support.findings import Heard, finding, store_down
from tests.support.results import error_of
from tests.support.wall_clock import WallClock

EVERYWHERE = Looked(by_check={"batch_counts": None, "stores": None})


@pytest.fixture
def store(clock: WallClock) -> FindingStore:
    return FindingStore(MemoryDocuments(clock))


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def reporter(store: FindingStore, heard: Heard, clock: WallClock) -> Reporter:
    return Reporter(store, heard, now=clock, teller="run1")


def run(reporter: Reporter, clock: WallClock, *findings: Finding, looked: Looked = EVERYWHERE) -> Told:
    """One run, an hour after the one before."""
    started_at = clock.advance(timedelta(hours=1))
    clock.advance(timedelta(seconds=10))
    return reporter.conclude(findings, looked, started_at).unwrap()


def test_finding_is_told_once_and_its_end_once(reporter: Reporter, heard: Heard, clock: WallClock) -> None:
    told = [run(reporter, clock, *found) for found in ([finding()], [finding()], [], [], [])]

    assert [[notice.change for notice in each.notices] for each in told] == [
        [Change.OPENED],
        [],
        [],
        [Change.RESOLVED],
        [],
    ]
    assert len(heard.messages) == 2


def test_run_that_could_not_look_leaves_everything_as_it_was(
    reporter: Reporter, store: FindingStore, clock: WallClock
) -> None:
    run(reporter, clock, finding())
    before = store.unsettled().unwrap()

    run(reporter, clock, looked=Looked(by_check={}))

    assert store.unsettled().unwrap() == before


def test_message_that_was_not_delivered_is_in_the_answer_and_told_by_the_next_run(
    reporter: Reporter, heard: Heard, clock: WallClock
) -> None:
    heard.is_down = True
    unheard = run(reporter, clock, finding())
    heard.is_down = False
    told = run(reporter, clock, finding())

    assert [error.exception_class for error in unheard.undelivered] == ["SlackError"]
    assert not unheard.notices
    assert [notice.change for notice in told.notices] == [Change.OPENED]
    assert not told.undelivered


def test_finding_of_a_single_look_is_told_once_by_however_many_instances(
    store: FindingStore, heard: Heard, clock: WallClock
) -> None:
    for instance in range(3):
        Reporter(store, heard, now=clock, teller=str(instance)).report(finding()).unwrap()

    assert len(heard.messages) == 1


def test_root_is_told_and_what_depends_on_it_is_counted(
    reporter: Reporter, heard: Heard, clock: WallClock
) -> None:
    told = run(reporter, clock, store_down(), finding(depends_on=frozenset({"bigquery"})))

    assert told.inhibited_count == 1
    [message] = heard.messages
    assert "store_down" in message and "1 finding depends on it" in message


def test_finding_that_another_run_changed_meanwhile_is_judged_as_it_is_now(clock: WallClock) -> None:
    class Rival(FindingStore):
        """Before the first change of a document, somebody else writes it."""

        def put(self, tracked: Tracked) -> Result[Tracked | None]:
            if tracked.version is not None and not rivals:
                rivals.append(super().put(replace(tracked, finding=worse)).unwrap())
            return super().put(tracked)

    worse = finding(severity=Severity.CRITICAL)
    rivals: list[Tracked | None] = []
    heard = Heard()

    told = Reporter(Rival(MemoryDocuments(clock)), heard, now=clock, teller="run1").report(finding()).unwrap()

    assert len(rivals) == 1
    assert told.notices == () and heard.messages == []


def test_what_cannot_be_remembered_is_a_failure(clock: WallClock) -> None:
    class Away(FindingStore):
        def put(self, tracked: Tracked) -> Result[Tracked | None]:
            return Result.failure(ErrorInfo.transient("ServiceUnavailable", "told to fail"))

    heard = Heard()

    failed = Reporter(Away(MemoryDocuments(clock)), heard, now=clock, teller="run1").report(finding())

    assert error_of(failed).exception_class == "ServiceUnavailable"
    assert heard.messages == []


def test_finding_that_changes_at_every_attempt_is_a_transient_failure(clock: WallClock) -> None:
    class Contended(FindingStore):
        def put(self, tracked: Tracked) -> Result[Tracked | None]:
            return Result.success(None)

    failed = Reporter(Contended(MemoryDocuments(clock)), Heard(), now=clock, teller="run1").report(finding())

    assert error_of(failed).exception_class == "Contended"
    assert failed.is_retryable
