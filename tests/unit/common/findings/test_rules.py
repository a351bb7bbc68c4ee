"""The cases that other alerting got wrong are the table here: each story is one finding, run after run."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from common.findings import rules, telling
from common.findings.records import FindingClass, Severity
from common.findings.rules import Looked
from common.findings.tracked import Silence, Told, Tracked
from tests.support.findings import finding, tracked_now
from tests.support.wall_clock import WallClock

HOUR = timedelta(hours=1)


@dataclass
class Story:
    """One finding, an hour between two runs; `told` has what people heard."""

    clock: WallClock
    tracked: Tracked | None = None

    def run(self, step: str) -> str:
        """The change that is told, or "-"."""
        now = self.clock.advance(HOUR)
        one = finding(severity=Severity.CRITICAL if "worse" in step else Severity.WARNING)
        if "found" in step:
            self.tracked = rules.found(self.tracked, one, now)
        elif "clean" in step and self.tracked is not None:
            started_at = now - timedelta(minutes=1)
            self.tracked = rules.not_found(
                self.tracked, run_started_at=started_at, now=now, has_arrived="arrived" in step
            )
        if "ask" in step and self.tracked is not None:
            self.tracked = rules.asked(self.tracked, ["ann"], now)
        if "lapse" in step and self.tracked is not None:
            self.tracked = rules.lapsed(self.tracked, now)
        if "silence" in step and self.tracked is not None:
            self.tracked = telling.silenced(
                self.tracked, Silence(who="ann", why="known", until=now + 2.5 * HOUR)
            )
        return self._tell(now, is_delivered="undelivered" not in step)

    def _tell(self, now: datetime, *, is_delivered: bool) -> str:
        groups = telling.due([self.tracked] if self.tracked else [], now).groups
        if not groups:
            return "-"
        [notice] = groups[0].notices
        claimed = telling.claimed(notice.tracked, "run", now)
        if is_delivered:
            self.tracked = telling.told(claimed, notice.change, now)
            return notice.change.value
        self.tracked = telling.not_told(claimed)
        return "lost"


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        pytest.param("found found found", "opened - -", id="is told once"),
        pytest.param("found found found found found", "opened - - - ongoing", id="is told again in a while"),
        pytest.param("found clean found", "opened - -", id="one clean run is not the end"),
        pytest.param("found clean clean clean", "opened - resolved -", id="two clean runs are the end"),
        pytest.param("found unknown unknown", "opened - -", id="a run that could not look is no clean run"),
        pytest.param(
            "found clean unknown clean", "opened - - resolved", id="a run that could not look is no finding"
        ),
        pytest.param("undelivered-found found", "lost opened", id="what was not delivered is told next time"),
        pytest.param(
            "undelivered-found undelivered-clean undelivered-clean clean",
            "lost lost - -",
            id="its end is not told if its beginning never was",
        ),
        pytest.param(
            "found clean undelivered-clean clean", "opened - lost resolved", id="its end is told next time"
        ),
        pytest.param("found clean clean found", "opened - resolved opened", id="it comes back"),
        pytest.param(
            "found clean clean found clean clean found clean clean found clean clean clean clean clean clean",
            "opened - resolved opened - resolved flapping - - - - - - - - resolved",
            id="it comes and goes: told to flap, and then quiet until it is stable",
        ),
        pytest.param("silence-found found found found", "- - - opened", id="a silence expires"),
        pytest.param(
            "silence-found clean clean unknown", "- - - -", id="it came and went while it was silenced"
        ),
        pytest.param(
            "found silence-found clean clean unknown",
            "opened - - - resolved",
            id="its end waits for the end of a silence",
        ),
        pytest.param("found worse-found worse-found", "opened worsened -", id="it gets worse"),
        pytest.param("worse-found found found", "opened - -", id="it gets better, but is not over"),
        pytest.param("clean unknown", "- -", id="there was never anything"),
        pytest.param(
            "found asked clean arrived-clean clean clean",
            "opened - escalated - resolved -",
            id="it is not over before its repair has arrived, however clean it looks",
        ),
        pytest.param(
            "found asked arrived-clean clean", "opened - - resolved", id="its repair arrives in time"
        ),
        pytest.param(
            "found asked found found found", "opened - escalated - -", id="its repair is late: told once"
        ),
        pytest.param(
            "found asked clean asked clean clean arrived-clean clean",
            "opened - escalated - - - - resolved",
            id="it is asked for again: no second escalation",
        ),
        pytest.param(
            "found lapse-asked clean arrived-clean clean",
            "opened escalated - - resolved",
            id="asking failed",
        ),
        pytest.param(
            "undelivered-found asked clean arrived-clean clean",
            "lost opened escalated - resolved",
            id="nobody had heard of it when its repair was asked for",
        ),
        pytest.param(
            "found asked arrived-clean clean found",
            "opened - - resolved opened",
            id="it comes back: nothing is waited for",
        ),
    ],
)
def test_what_is_told_of_a_finding_from_run_to_run(clock: WallClock, steps: str, told: str) -> None:
    story = Story(clock)

    assert [story.run(step) for step in steps.split()] == told.split()


def test_what_comes_back_each_day_does_not_flap(clock: WallClock) -> None:
    story = Story(clock)
    a_day = ("found", "clean", "clean", *["unknown"] * 22)

    told = [story.run(step) for _ in range(4) for step in a_day]

    assert [change for change in told if change != "-"] == ["opened", "resolved"] * 4


@pytest.mark.parametrize(
    ("minutes", "elsewhere"), [(0, True), (59, True), (60, False)], ids=["now", "in time", "late"]
)
def test_repair_that_may_still_arrive_is_asked_for_by_nobody_else(
    clock: WallClock, minutes: int, elsewhere: bool
) -> None:
    tracked = rules.asked(tracked_now(clock), ["ben", "ann"], clock())
    now = clock.advance(timedelta(minutes=minutes))

    assert rules.is_repaired_elsewhere(tracked, now) is elsewhere
    assert tracked.state == "repairing"
    assert not rules.is_repaired_elsewhere(rules.lapsed(tracked, now), now)
    assert not rules.is_repaired_elsewhere(replace(tracked, is_open=False), now)


def test_who_is_waited_for_is_waited_for_until_all_have_come(clock: WallClock) -> None:
    once = rules.asked(tracked_now(clock), ["ben"], clock())

    twice = rules.asked(once, ["ann"], clock.advance(HOUR))

    assert twice.pending is not None
    assert (twice.pending.ids, twice.pending.due_at) == (("ann", "ben"), clock() + rules.REPAIR_TAKES)


def test_what_goes_on_is_told_once_a_day_after_the_first_time(clock: WallClock) -> None:
    story = Story(clock)

    heard = [story.run("found") for _ in range(60)]

    assert [index for index, told in enumerate(heard) if told == "ongoing"] == [4, 28, 52]


def test_of_two_runs_at_the_same_time_one_counts_as_clean(clock: WallClock) -> None:
    tracked = rules.found(None, finding(), clock())
    started_at = clock.advance(HOUR)
    first_ends_at, second_ends_at = started_at + HOUR / 60, started_at + HOUR / 30

    once = rules.not_found(tracked, run_started_at=started_at, now=first_ends_at)
    twice = rules.not_found(once, run_started_at=started_at, now=second_ends_at)

    assert once.clean_runs == 1
    assert twice == once


def test_clock_that_is_ahead_delays_an_end_and_tells_nothing_twice(clock: WallClock) -> None:
    ahead = clock() + 2 * HOUR
    opened = telling.told(rules.found(None, finding(), ahead), telling.Change.OPENED, ahead)

    found_again = rules.found(opened, finding(), clock())
    too_early = rules.not_found(found_again, run_started_at=clock(), now=clock())
    tracked = too_early
    for _ in range(rules.CLEAN_RUNS):
        later = clock.advance(3 * HOUR)
        tracked = rules.not_found(tracked, run_started_at=later - HOUR / 60, now=later)

    assert telling.change_to_tell(found_again, clock()) is not telling.Change.OPENED
    assert too_early == found_again and found_again.last_seen == ahead
    assert telling.change_to_tell(tracked, clock()) is telling.Change.RESOLVED


def test_run_that_began_before_it_was_found_does_not_find_it_over(clock: WallClock) -> None:
    began_at = clock()
    tracked = rules.found(None, finding(), clock.advance(HOUR / 60))

    assert rules.not_found(tracked, run_started_at=began_at, now=clock.advance(HOUR)) == tracked


@pytest.mark.parametrize(
    ("looked", "is_over"),
    [
        pytest.param({"batch_counts": None}, True, id="looked everywhere"),
        pytest.param({"locks": None}, False, id="another check"),
        pytest.param({"batch_counts": frozenset({"batch2"})}, False, id="another batch"),
        pytest.param({"batch_counts": frozenset({"batch1"})}, True, id="this batch"),
        pytest.param({}, False, id="could not look"),
    ],
)
def test_only_what_was_looked_at_can_be_over(
    clock: WallClock, looked: dict[str, frozenset[str] | None], is_over: bool
) -> None:
    tracked = tracked_now(clock)

    absent = rules.covered_and_absent({tracked.finding_id: tracked}, frozenset(), Looked(by_check=looked))

    assert absent == ([tracked] if is_over else [])


def test_settled_is_what_is_over_and_owed_to_nobody(clock: WallClock) -> None:
    tracked = tracked_now(clock)

    assert not tracked.is_settled
    assert replace(tracked, is_open=False).is_settled
    assert not replace(tracked, is_open=False, told=Told.OPENED).is_settled
    assert replace(tracked, is_open=False, told=Told.RESOLVED).is_settled
    assert FindingClass.LOST_INCREMENT.value in tracked.finding_id
