from datetime import UTC, date, datetime

import pytest

from common.phases.graph import GRAPHS
from local.day.faults import Faults
from local.problem import Problem

NOW = datetime(2026, 1, 17, 18, tzinfo=UTC)
TODAY = date(2026, 1, 17)
NOBODY = [
    pytest.param(Faults(late="weather"), "--late weather", id="an unknown processor is late"),
    pytest.param(Faults(fails="player_game_summary"), "--fail player_game_summary", id="one of another mode"),
    pytest.param(Faults(gate_closed="weather"), "--gate-closed weather", id="an unknown table"),
]


@pytest.mark.parametrize(("faults", "named"), NOBODY)
def test_faults_with_what_the_day_does_not_have_names_what_it_has(faults: Faults, named: str) -> None:
    with pytest.raises(Problem) as problem:
        faults.check(GRAPHS["nba"], TODAY, NOW)

    assert named in str(problem.value)
    assert "player_daily_cache" in str(problem.value)


def test_waits_are_shortened_more_where_somebody_stays_away() -> None:
    faults = Faults(late="ml_feature_store")
    faults.check(GRAPHS["nba"], TODAY, NOW)

    assert faults.speed > Faults().speed > 1
