"""How times, durations and lists are said to a person."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ops.wording import clock, duration, moment, names


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=-3), "0 s"),
        (timedelta(seconds=48), "48 s"),
        (timedelta(seconds=119), "119 s"),
        (timedelta(minutes=2), "2 min"),
        (timedelta(minutes=119, seconds=59), "119 min"),
        (timedelta(hours=3, minutes=5), "3 h 05 min"),
        (timedelta(days=2, hours=4, minutes=59), "2 d 4 h"),
    ],
    ids=lambda value: str(value),
)
def test_duration_is_said_in_its_two_largest_units(length: timedelta, said: str) -> None:
    assert duration(length) == said


def test_moment_is_told_in_utc_wherever_it_comes_from() -> None:
    in_new_york = datetime(2026, 1, 17, 18, 4, 5, tzinfo=timezone(timedelta(hours=-5)))

    assert moment(in_new_york) == "2026-01-17 23:04:05"
    assert clock(in_new_york.astimezone(UTC)) == "23:04:05"


def test_long_list_of_names_is_cut_and_says_how_many_more_there_are() -> None:
    players = [f"player{number}" for number in range(1, 8)]

    assert names(players) == "player1, player2, player3, player4, player5 and 2 more"
    assert names(players[:2]) == "player1, player2"
