from datetime import UTC, datetime, timedelta

import pytest
import sqlglot

from common.phases.decision import Closed, Open
from common.phases.gates import Gates
from common.phases.graph import GRAPHS
from common.phases.mode import Mode
from common.phases.records import Day, DayKey
from common.phases.shape import Boundary
from common.result import ErrorType
from tests.support.batch_helpers import GAME_DATE
from tests.support.phase_world import FakeWarehouse
from tests.support.results import error_of

NOW = datetime(2026, 1, 18, 10, tzinfo=UTC)
NBA = GRAPHS["nba"]
ALL = [(boundary, mode) for boundary in NBA.boundaries for mode in Mode]


@pytest.fixture
def warehouse() -> FakeWarehouse:
    return FakeWarehouse()


@pytest.fixture
def gates(warehouse: FakeWarehouse) -> Gates:
    return Gates(lambda: warehouse, lambda role: f"nba_{role.value}")


def day(boundary: Boundary) -> Day:
    return Day.from_documents(DayKey(sport="nba", phase=boundary.phase, game_date=GAME_DATE), None, {})


def counted(boundary: Boundary, mode: Mode) -> list:  # type: ignore[type-arg]
    return [gate for gate in boundary.modes[mode].gates if gate.kind != "reported"]


@pytest.mark.parametrize(("boundary", "mode"), ALL, ids=lambda each: getattr(each, "name", each))
def test_boundary_asks_one_query_that_reads_one_day_of_each_table(
    gates: Gates, warehouse: FakeWarehouse, boundary: Boundary, mode: Mode
) -> None:
    read = gates.evaluate(boundary, counted(boundary, mode), day(boundary), NOW).unwrap()

    [sql] = warehouse.queries
    selects = list(sqlglot.parse_one(sql, dialect="bigquery").find_all(sqlglot.exp.Select))
    assert len(selects) == sql.count("UNION ALL") + 1
    assert all("@game_date" in select.args["where"].sql(dialect="bigquery") for select in selects)
    assert [reading.name for reading in read] == [gate.name for gate in counted(boundary, mode)]
    assert all(isinstance(reading, Open) for reading in read)


def test_partition_is_asked_for_by_the_name_that_the_table_gives_it(
    gates: Gates, warehouse: FakeWarehouse
) -> None:
    boundary = NBA.boundary("phase4_to_phase5")

    gates.evaluate(boundary, counted(boundary, Mode.OVERNIGHT), day(boundary), NOW).unwrap()

    [sql] = warehouse.queries
    assert "FROM `nba_precompute.player_daily_cache`\nWHERE `cache_date` = @game_date" in sql
    assert "FROM `nba_precompute.team_defense_zone_analysis`\nWHERE `analysis_date` = @game_date" in sql


ROWS = [
    pytest.param({"team_defense_zone_analysis": 0}, True, 4, id="one of five is empty"),
    pytest.param({"team_defense_zone_analysis": 0, "player_shot_zone_analysis": 0}, True, 3, id="two are"),
    pytest.param(
        {"team_defense_zone_analysis": 0, "player_shot_zone_analysis": 0, "player_composite_factors": 0},
        False,
        2,
        id="three are",
    ),
    pytest.param({"player_daily_cache": 0}, False, 4, id="a required one is"),
]


@pytest.mark.parametrize(("rows", "is_open", "filled"), ROWS)
def test_enough_tables_have_rows_and_the_required_ones_among_them(
    gates: Gates, warehouse: FakeWarehouse, rows: dict[str, int], is_open: bool, filled: int
) -> None:
    boundary = NBA.boundary("phase4_to_phase5")
    warehouse.rows = rows

    [reading, _] = gates.evaluate(boundary, counted(boundary, Mode.OVERNIGHT), day(boundary), NOW).unwrap()

    assert isinstance(reading, Open) is is_open
    assert (reading.value, reading.limit) == (filled, 3)
    assert set(reading.missing) == set(rows)
    if isinstance(reading, Closed):
        assert reading.next_check == NOW + timedelta(minutes=boundary.recheck_minutes)
        assert all(name in reading.reason for name in rows)


COVERAGE = [
    pytest.param(8, 10, 80.0, True, id="just enough"),
    pytest.param(7, 10, 70.0, False, id="too few"),
    pytest.param(0, 0, 100.0, True, id="no games"),
    pytest.param(12, 10, 100.0, True, id="more than the schedule knows"),
]


@pytest.mark.parametrize(("known", "games", "pct", "is_open"), COVERAGE)
def test_games_are_covered_as_the_schedule_has_them(
    gates: Gates, warehouse: FakeWarehouse, known: int, games: int, pct: float, is_open: bool
) -> None:
    boundary = NBA.boundary("phase3_to_phase4")
    warehouse.rows = {"player_game_summary": known, "nbac_schedule": games}
    [_, coverage] = counted(boundary, Mode.OVERNIGHT)

    [reading] = gates.evaluate(boundary, [coverage], day(boundary), NOW).unwrap()

    assert (isinstance(reading, Open), reading.value, reading.limit) == (is_open, pct, 80)


def test_gate_that_cannot_be_evaluated_is_transient_whatever_went_wrong(
    gates: Gates, warehouse: FakeWarehouse
) -> None:
    """Here a missing dataset, which by itself would be PERMANENT."""
    boundary = NBA.boundary("phase3_to_phase4")
    warehouse.is_down = True

    error = error_of(gates.evaluate(boundary, counted(boundary, Mode.OVERNIGHT), day(boundary), NOW))

    assert (error.type, error.exception_class) == (ErrorType.TRANSIENT, "GateNotEvaluated")
    assert "dataset is away" in error.message


def test_warehouse_is_not_asked_where_what_was_reported_is_not_enough(
    gates: Gates, warehouse: FakeWarehouse
) -> None:
    boundary = NBA.boundary("phase5_to_phase6")

    read = gates.evaluate(boundary, boundary.modes[Mode.OVERNIGHT].gates, day(boundary), NOW).unwrap()

    assert warehouse.queries == []
    closed = [reading for reading in read if isinstance(reading, Closed)]
    assert [reading.name for reading in closed] == ["completion_pct", "predictions"]
    assert "not told" in closed[0].reason


def test_schedule_tells_the_games_of_a_date(gates: Gates, warehouse: FakeWarehouse) -> None:
    assert NBA.schedule is not None
    warehouse.rows = {"nbac_schedule": 7}

    assert gates.games(NBA.schedule, GAME_DATE).unwrap() == 7
