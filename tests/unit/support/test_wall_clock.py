"""The clock that other tests move."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.wall_clock import WallClock


def test_it_stands_until_it_is_moved(clock: WallClock) -> None:
    before = clock()

    clock.advance(timedelta(minutes=10))

    assert clock() - before == timedelta(minutes=10)


def test_it_can_go_back(clock: WallClock) -> None:
    clock.set(datetime(2020, 2, 29, tzinfo=UTC))

    assert clock() == datetime(2020, 2, 29, tzinfo=UTC)


def test_a_naive_time_is_refused(clock: WallClock) -> None:
    with pytest.raises(ValueError, match="naive"):
        clock.set(datetime(2026, 1, 17))  # noqa: DTZ001
