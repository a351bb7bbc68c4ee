"""The sample slate's players are real, and each is there once."""

import pytest

from local.day.players import active_players, first_players
from local.problem import Problem


def test_there_are_enough_active_players_for_a_busy_day_each_once() -> None:
    players = active_players()

    assert len(players) == len(set(players)) > 450
    assert "lebronjames" in players
    assert all(player.isascii() and player.isalnum() for player in players)


@pytest.mark.parametrize("number", [0, 100_000])
def test_a_number_of_players_that_nobody_has_is_named_with_its_bounds(number: int) -> None:
    with pytest.raises(Problem, match=rf"--players {number}: between 1 and \d+"):
        first_players(number)
