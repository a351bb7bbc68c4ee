from datetime import UTC, date, datetime

import pytest

from common.phases.graph import GRAPHS
from local.day.mischief import Mischief
from local.problem import Problem

NOW = datetime(2026, 1, 17, 18, tzinfo=UTC)
TODAY = date(2026, 1, 17)
NOBODY = [
    pytest.param(Mischief(late="weather"), "--late weather", id="an unknown processor is late"),
    pytest.param(
        Mischief(fails="player_game_summary"), "--fail player_game_summary", id="one of another mode"
    ),
    pytest.param(Mischief(gate_closed="weather"), "--gate-closed weather", id="an unknown table"),
]


@pytest.mark.parametrize(("mischief", "named"), NOBODY)
def test_mischief_with_what_the_day_does_not_have_names_what_it_has(mischief: Mischief, named: str) -> None:
    with pytest.raises(Problem) as problem:
        mischief.check(GRAPHS["nba"], TODAY, NOW)

    assert named in str(problem.value)
    assert "player_daily_cache" in str(problem.value)


def test_waits_are_shortened_more_where_somebody_stays_away() -> None:
    mischief = Mischief(late="ml_feature_store")
    mischief.check(GRAPHS["nba"], TODAY, NOW)

    assert mischief.speed > Mischief().speed > 1
