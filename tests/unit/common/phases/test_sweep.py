"""What falls due without an event. Tiers and next checks are in test_boundaries.py, where they belong."""

from datetime import date, datetime, timedelta

from common.documents.writes import Create
from common.phases.decision import PhaseState
from tests.support.phase_world import OVERNIGHT, PRECOMPUTE, PhaseWorld

AFTER_ALL_DEADLINES = datetime.fromisoformat("2026-01-18T10:00:00-05:00")


def due_days(world: PhaseWorld, number: int) -> None:
    """Days of which a processor has reported and whose look was cut short."""
    for index in range(number):
        game_date = date(2025, 1, 1) + timedelta(days=index)
        world.report("ml_feature_store", game_date=game_date).unwrap()
    world.clock.advance(timedelta(hours=1))


def test_phase_without_any_event_on_a_day_of_games_is_told_once_and_can_be_read() -> None:
    world = PhaseWorld(now=AFTER_ALL_DEADLINES)

    for _ in range(3):
        world.sweep().unwrap()
        world.clock.advance(timedelta(minutes=10))

    assert world.told.kinds == ["deadline_missed"] * 4
    day = world.day()
    assert day.state is PhaseState.WAITING
    assert day.decision is not None and set(day.decision.missing) == set(PRECOMPUTE)


def test_day_without_games_is_silent() -> None:
    world = PhaseWorld(now=AFTER_ALL_DEADLINES)
    world.warehouse.rows["nbac_schedule"] = 0

    world.sweep().unwrap()

    assert world.told.findings == []
    assert world.day().document is None


def test_schedule_that_cannot_be_read_is_neither_games_nor_none() -> None:
    world = PhaseWorld(now=AFTER_ALL_DEADLINES)
    world.warehouse.is_down = True

    swept = world.sweep()

    assert swept.is_partial
    assert "could not be evaluated" in swept.unwrap().failed[0]
    assert world.told.findings == []


def test_bad_document_never_stops_the_others() -> None:
    world = PhaseWorld()
    due = {"next_check": OVERNIGHT - timedelta(hours=1)}
    for path, fields in (
        ("phase4_completion/not-a-date", due),
        ("phase4_completion/2026-01-02", {**due, "state": "perhaps"}),
        ("phase4_completion/2026-01-03", {**due, "decision": {"reason": "half a decision"}}),
    ):
        world.documents.commit([Create(path=path, fields=fields)]).unwrap()
    for name in PRECOMPUTE[1:]:
        world.report(name).unwrap()
    world.clock.advance(timedelta(hours=1))

    swept = world.sweep()

    assert swept.is_partial
    assert len(swept.unwrap().failed) == 3
    assert world.reasons == ["tier2_timeout"]


def test_sweep_within_its_budget_says_what_it_left_and_the_next_one_goes_on() -> None:
    world = PhaseWorld()
    due_days(world, 5)
    original = world.boundaries.look

    def slow(*arguments):  # type: ignore[no-untyped-def]
        world.clock.advance(timedelta(seconds=50))
        return original(*arguments)

    world.boundaries.look = slow  # type: ignore[method-assign]
    first = world.sweep().unwrap()
    second = world.sweep().unwrap()

    assert (first.looked, first.is_complete) == (3, False)
    assert (second.looked, second.is_complete) == (2, True)


def test_more_days_than_a_page_are_each_looked_at_once() -> None:
    world = PhaseWorld()
    due_days(world, 250)

    assert world.sweep().unwrap().looked == 250
    assert world.sweep().unwrap().looked == 0
