"""Shapes of batches, asked on their way: the error of the likely end, in percent of the duration."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from common.batches.expected_end import ExpectedEnd, expected_end, misses, profile

START = datetime(2026, 1, 17, 23, tzinfo=UTC)
PLAYERS = 450


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def steady() -> list[datetime]:
    return [at(30 * (number + 1) / PLAYERS) for number in range(PLAYERS)]


def tail() -> list[datetime]:
    """The last twentieth takes as long as all before."""
    fast = PLAYERS - PLAYERS // 20
    slow = PLAYERS - fast
    return [at(15 * (n + 1) / fast) for n in range(fast)] + [
        at(15 + 15 * (n + 1) / slow) for n in range(slow)
    ]


def bursts() -> list[datetime]:
    """Ten waves of 45 players, each within ten seconds."""
    return [at(3 * (n // 45 + 1) - (44 - n % 45) / 44 / 6) for n in range(PLAYERS)]


def stalled() -> list[datetime]:
    """Stands still for 20 minutes in the middle."""
    half = PLAYERS // 2
    return [at(5 * (n + 1) / half) for n in range(half)] + [at(25 + 5 * (n + 1) / half) for n in range(half)]


def ask(shape: Sequence[datetime], minutes: float, past: Sequence[Sequence[float]] = ()) -> ExpectedEnd:
    found = expected_end(shape, expected=PLAYERS, started_at=START, now=at(minutes), past=past)
    assert found is not None
    return found


def error_pct(found: ExpectedEnd, end: datetime) -> float:
    """Of the whole duration."""
    return round(100 * abs(found.likely - end) / (end - START), 1)


@pytest.mark.parametrize(
    ("shape", "minutes", "at_most_pct", "with_past_pct"),
    [
        pytest.param(steady, 15, 0.1, 0.1, id="steady"),
        pytest.param(bursts, 15, 0.1, 0.1, id="in bursts"),
        pytest.param(tail, 14, 48, 1, id="before a tail"),
        pytest.param(tail, 20, 32, 2, id="in a tail"),
        pytest.param(stalled, 20, 34, 300, id="while it stands still"),
        pytest.param(stalled, 28, 17, 0.1, id="after it stood still"),
    ],
)
def test_likely_end_is_as_near_as_this(
    shape: Callable[[], list[datetime]], minutes: float, at_most_pct: float, with_past_pct: float
) -> None:
    times = shape()

    alone = ask(times, minutes)
    with_past = ask(times, minutes, past=[profile(times, START)])

    assert error_pct(alone, times[-1]) <= at_most_pct
    assert error_pct(with_past, times[-1]) <= with_past_pct
    assert alone.earliest <= alone.likely <= alone.latest


@pytest.mark.parametrize("shape", [steady, tail, bursts])
def test_range_and_past_days_hold_the_end(shape: Callable[[], list[datetime]]) -> None:
    """Asked after three quarters of the time, with a day before that went the same way."""
    times = shape()

    found = ask(times, 22.5, past=[profile(times, START)])

    slack = timedelta(minutes=1)
    assert found.earliest - slack <= times[-1] <= found.latest + slack


def test_range_of_a_steady_batch_holds_its_end() -> None:
    found = ask(steady(), 15)

    slack = timedelta(seconds=5)
    assert found.earliest - slack <= steady()[-1] <= found.latest + slack


def test_batch_that_stands_still_moves_its_end_away() -> None:
    latest = [ask(stalled(), minutes).latest for minutes in (6, 10, 15, 20)]

    assert latest == sorted(latest) and latest[-1] - latest[0] > timedelta(hours=1)


def test_too_little_to_go_by_is_no_guess() -> None:
    assert expected_end([at(1), at(2)], expected=PLAYERS, started_at=START, now=at(3)) is None
    assert expected_end(steady(), expected=PLAYERS, started_at=START, now=at(31)) is None


def test_deadline_is_missed_when_even_the_earliest_guess_is_past_it() -> None:
    found = ask(steady(), 15)

    assert misses(found, at(20)) and not misses(found, at(40))
    assert not misses(found, None) and not misses(None, at(20))


SHAPES = (steady, tail, bursts, stalled)


def first_told(shape: Sequence[datetime], deadline: float) -> float | None:
    """The minute at which an audit that looks every minute says that this deadline will be missed."""
    for minute in range(1, round(deadline)):
        found = expected_end(shape, expected=PLAYERS, started_at=START, now=at(minute))
        if misses(found, at(deadline)):
            return minute
    return None


@pytest.mark.parametrize(
    ("shape", "deadline", "told_at"),
    [
        pytest.param(steady, 27, 1, id="steady"),
        pytest.param(bursts, 27, 4, id="in bursts: between the first two"),
        pytest.param(stalled, 15, 11, id="stands still: when the rest cannot be done any more"),
        pytest.param(stalled, 27, 23, id="stands still, later"),
        pytest.param(tail, 15, 1, id="before its tail"),
        # What its own pace does not show is not told: only days before know that it has a tail.
        pytest.param(tail, 27, None, id="in its tail"),
    ],
)
def test_deadline_that_will_be_missed_is_told_before_it_is(
    shape: Callable[[], list[datetime]], deadline: float, told_at: float | None
) -> None:
    assert first_told(shape(), deadline) == told_at


@pytest.mark.parametrize("shape", SHAPES)
def test_deadline_that_is_met_by_a_tenth_is_never_said_to_be_missed(
    shape: Callable[[], list[datetime]],
) -> None:
    assert first_told(shape(), 33) is None
