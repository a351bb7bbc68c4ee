"""The graphs that are deployed, held against what the pipeline's publishers and tables are called."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from common.phases import graph, nba
from common.phases.decision import PhaseState
from common.phases.graph import EXPORT, GRAPHS
from common.phases.mode import Mode
from common.phases.phase_graph import Graph
from common.sport import Sport
from tests.support.phase_world import PhaseWorld

PRECOMPUTE = {
    "team_defense_zone_analysis",
    "player_shot_zone_analysis",
    "player_composite_factors",
    "player_daily_cache",
    "ml_feature_store",
}
ANALYTICS = {
    "player_game_summary",
    "team_defense_game_summary",
    "team_offense_game_summary",
    "upcoming_player_game_context",
    "upcoming_team_game_context",
}
RAW = {"bdl_player_boxscores", "odds_api_game_lines", "nbac_schedule", "nbac_gamebook_player_stats"}
CONTEXT = {"upcoming_player_game_context"}
EXPECTED = [
    pytest.param(2, Mode.OVERNIGHT, RAW, id="raw, overnight"),
    pytest.param(2, Mode.SAME_DAY, {"nbac_schedule", "odds_api_game_lines"}, id="raw, same day"),
    pytest.param(3, Mode.OVERNIGHT, ANALYTICS, id="analytics, overnight"),
    pytest.param(3, Mode.SAME_DAY, CONTEXT, id="analytics, same day"),
    pytest.param(3, Mode.TOMORROW, CONTEXT, id="analytics, tomorrow"),
    pytest.param(4, Mode.OVERNIGHT, PRECOMPUTE, id="precompute, overnight"),
    pytest.param(4, Mode.SAME_DAY, PRECOMPUTE, id="precompute, same day"),
    pytest.param(5, Mode.TOMORROW, {"prediction_consolidation"}, id="predictions, tomorrow"),
]


@pytest.mark.parametrize(("phase", "mode", "expected"), EXPECTED)
def test_boundary_waits_for_the_processors_of_its_mode(phase: int, mode: Mode, expected: set[str]) -> None:
    boundary = next(each for each in GRAPHS["nba"].boundaries if each.phase == phase)

    assert set(boundary.modes[mode].expected) == expected


def test_tables_of_played_games_are_not_asked_for_before_the_games() -> None:
    boundary = GRAPHS["nba"].boundary("phase3_to_phase4")
    asked = str(boundary.modes[Mode.SAME_DAY].gates)

    assert "upcoming_player_game_context" in asked
    assert "game_summary" not in asked


def test_every_sport_has_a_graph_and_mlb_a_smaller_one() -> None:
    assert set(GRAPHS) == {sport.value for sport in Sport}
    assert len(GRAPHS["mlb"].boundaries) < len(GRAPHS["nba"].boundaries)


def test_whatever_changes_before_the_predictions_is_told_as_players_or_as_teams() -> None:
    before = [each for graph in GRAPHS.values() for each in graph.boundaries if each.phase < 5]

    assert before
    for boundary in before:
        assert set(boundary.entities) == {"players", "teams"}
        told = [name for names in boundary.entities.values() for name in names]
        assert sorted(told) == list(boundary.known)


def edited(deployed: ModuleType, *edits: tuple[str, str]) -> ModuleType:
    """The module as it is once its text is edited; nothing else is."""
    source = Path(str(deployed.__file__))
    text = source.read_text(encoding="utf-8")
    for before, after in edits:
        assert before in text
        text = text.replace(before, after, 1)
    spec = importlib.util.spec_from_loader(deployed.__name__, loader=None)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    module.__package__ = deployed.__package__
    exec(compile(text, source, "exec"), module.__dict__)
    return module


def test_processor_is_added_by_editing_the_graph_alone() -> None:
    last = '        "ml_feature_store",\n'
    boundaries = edited(nba, (last, last + '        "injury_report",\n')).BOUNDARIES
    world = PhaseWorld(graph=Graph(sport="nba", boundaries=(*boundaries, EXPORT)))

    for name in PRECOMPUTE:
        world.report(name).unwrap()
    before = world.day().state
    world.report("injury_report").unwrap()

    assert (before, world.day().state) == (PhaseState.WAITING, PhaseState.DISPATCHED)


def test_phase_is_added_by_editing_the_graph_alone() -> None:
    """The smaller graph gets the phase that it lacks."""
    new = (
        'Graph(sport="mlb", boundaries=(mlb.ANALYTICS.model_copy(update={"next_phase": 4, '
        '"dispatches_to": "PHASE4_TRIGGER"}), nba.PRECOMPUTE, EXPORT))'
    )
    graphs = edited(graph, ('Graph(sport="mlb", boundaries=(mlb.ANALYTICS, EXPORT))', new)).GRAPHS
    world = PhaseWorld(graph=graphs["mlb"])

    for name in ("pitcher_game_summary", "upcoming_pitcher_game_context"):
        world.report(name, phase=3).unwrap()
    for name in PRECOMPUTE:
        world.report(name, phase=4).unwrap()

    assert [each.dispatch_id for each in world.started] == [
        "mlb-phase4-2026-01-17-1",
        "mlb-phase5-2026-01-17-1",
    ]
    assert world.day(4).key.path == "mlb_phase4_completion/2026-01-17"


def test_sport_is_added_by_editing_the_graph_alone() -> None:
    mlb = '            Graph(sport="mlb", boundaries=(mlb.ANALYTICS, EXPORT)),\n'
    graphs = edited(graph, (mlb, mlb + mlb.replace("mlb", "wnba", 1))).GRAPHS
    world = PhaseWorld(graph=graphs["wnba"])

    for name in ("pitcher_game_summary", "upcoming_pitcher_game_context"):
        world.report(name, phase=3).unwrap()

    assert [each.dispatch_id for each in world.started] == ["wnba-phase5-2026-01-17-1"]
