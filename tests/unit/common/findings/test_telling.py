"""Who is told of what, when a store is down, when there is too much, and when two runs tell at once."""

from dataclasses import replace
from datetime import timedelta

from common.findings import rules, telling
from common.findings.records import Scope, Severity
from tests.support.findings import store_down, tracked_now
from tests.support.wall_clock import WallClock

HOUR = timedelta(hours=1)


def test_where_a_store_is_down_it_alone_is_told_and_what_depends_on_it_is_counted(clock: WallClock) -> None:
    root = rules.found(None, store_down("bigquery"), clock())
    rows = tracked_now(clock, subject="rows", depends_on=frozenset({"bigquery"}))
    locks = tracked_now(clock, subject="locks", depends_on=frozenset({"firestore"}))

    due = telling.due([rows, locks, root], clock())

    told = {notice.tracked.finding_id for group in due.groups for notice in group.notices}
    assert told == {root.finding_id, locks.finding_id}
    assert due.groups[0].scope == Scope.of_system("bigquery")
    assert due.groups[0].dependent_count == 1
    assert due.inhibited == (rows,)


def test_store_that_is_up_again_holds_nothing_back(clock: WallClock) -> None:
    root = rules.found(None, store_down("bigquery"), clock())
    rows = tracked_now(clock, depends_on=frozenset({"bigquery"}))
    later = clock.advance(HOUR)
    up = rules.not_found(root, run_started_at=later - HOUR / 60, now=later)

    due = telling.due([up, rows], later)

    assert rows.finding_id in {notice.tracked.finding_id for group in due.groups for notice in group.notices}


def test_store_that_is_down_never_silences_itself(clock: WallClock) -> None:
    root = rules.found(None, replace(store_down(), depends_on=frozenset({"bigquery"})), clock())

    assert len(telling.due([root], clock()).groups) == 1


def test_what_concerns_one_batch_is_one_message_and_the_worst_comes_first(clock: WallClock) -> None:
    mild = tracked_now(clock, subject="a")
    bad = tracked_now(clock, subject="b", severity=Severity.CRITICAL)
    other = tracked_now(clock, scope=Scope.of_batch("batch2", None))

    due = telling.due([mild, other, bad], clock())

    assert [
        (group.scope.name, [notice.tracked.finding.subject for notice in group.notices])
        for group in due.groups
    ] == [("batch1", ["b", "a"]), ("batch2", [""])]


def test_a_catastrophe_is_a_few_messages(clock: WallClock) -> None:
    broken = [tracked_now(clock, scope=Scope.of_batch(f"batch{index:03}", None)) for index in range(300)]

    groups = telling.due(broken, clock()).groups

    assert len(groups) == telling.MAX_MESSAGES
    assert sum(len(group.notices) for group in groups) == 300


def test_what_one_run_is_telling_no_other_tells_until_it_must_have_died(clock: WallClock) -> None:
    claimed = telling.claimed(tracked_now(clock), "run1", clock())

    assert not telling.due([claimed], clock()).groups
    assert telling.due([claimed], clock.advance(telling.TELLING_TAKES)).groups
