"""When a running batch will end, as a range: from its own rate so far, and from how past batches went. Pure.

Three guesses, of which the third is the likely one, or the first where there was no batch before; the range
is from the least to the greatest:

* as fast as on the whole: what is left takes as long per player as what is done; for the earliest end the
  time since the last completion is left out: the next ones may be about to come, all at once;
* as fast as lately: per player as the last tenth did, the time since the last completion included, so that a
  batch that stands still moves its end away from itself;
* as batches before: they had done this share after that part of their time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final

LATELY: Final = 0.1
"""The share of the players done whose pace counts as the present one."""
FEWEST_LATELY: Final = 5
"""Of a small batch a tenth is no more than chance."""
ENOUGH: Final = 3
"""Completions below which nobody can say anything."""


@dataclass(frozen=True, kw_only=True)
class ExpectedEnd:
    """When a batch will end; `likely` lies within the two others."""

    earliest: datetime
    likely: datetime
    latest: datetime


def expected_end(
    completed_at: Sequence[datetime],
    *,
    expected: int,
    started_at: datetime,
    now: datetime,
    past: Sequence[Sequence[float]] = (),
) -> ExpectedEnd | None:
    """None while there is too little to go by, or nothing left to wait for.

    `past`: of each batch before, when its players were done, as fractions of its time, ascending (see
    `profile`).
    """
    # The times are the store's, `now` may be another clock's: what lies ahead of it is not done yet.
    done = sorted(each for each in completed_at if each <= now)
    left = expected - len(done)
    if len(done) < ENOUGH or left <= 0:
        return None
    whole, lately = left * (now - started_at) / len(done), left * _pace_lately(done, started_at, now)
    before = _as_before(now - started_at, len(done) / expected, past)
    likely = whole if before is None else before
    # As if the next completion came now: what is waited for may be a pause, not a pace.
    at_once = left * (done[-1] - started_at) / len(done)
    guesses = (at_once, whole, lately, likely)
    return ExpectedEnd(earliest=now + min(guesses), likely=now + likely, latest=now + max(guesses))


def _pace_lately(done: Sequence[datetime], started_at: datetime, now: datetime) -> timedelta:
    """Per player."""
    number = max(FEWEST_LATELY, round(len(done) * LATELY))
    # One more than the number: a pace needs its beginning.
    lately = done[-number - 1 :] if len(done) > number else [started_at, *done]
    return (now - lately[0]) / (len(lately) - 1)


def _as_before(elapsed: timedelta, share: float, past: Sequence[Sequence[float]]) -> timedelta | None:
    parts = [_part_of_time(one, share) for one in past if one]
    # A batch that had this share at once, or only at its very end, tells no pace.
    known = [part for part in parts if 0 < part < 1]
    return elapsed / median(known) - elapsed if known else None


def _part_of_time(one: Sequence[float], share: float) -> float:
    """After which part of its time that batch had done this share."""
    # Kept within the list: a share may round to none, or beyond the last.
    return one[min(len(one) - 1, max(0, round(share * len(one)) - 1))]


def profile(completed_at: Sequence[datetime], started_at: datetime) -> list[float]:
    """When each player of a batch that is over was done, as a fraction of its time."""
    done = sorted(completed_at)
    # Times of two clocks: a batch that ended before it began says nothing.
    if not done or done[-1] <= started_at:
        return []
    span = done[-1] - started_at
    return [(each - started_at) / span for each in done]


def misses(found: ExpectedEnd | None, deadline: datetime | None) -> bool:
    """Whether even the earliest guess is past the deadline."""
    return found is not None and deadline is not None and found.earliest > deadline
