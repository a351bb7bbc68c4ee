"""A server that dies is started again at once; one that will not stay alive, later and later."""

from local.stack.lives import EARLY_DEATHS, LONGEST_PAUSE_SECONDS, SOUND_LIFE_SECONDS, Lives


def pause_after_death(lives: Lives, at: float) -> float:
    """How long after it was found dead at `at` it may be started."""
    for hundredths in range(0, int(100 * LONGEST_PAUSE_SECONDS) + 1):
        if lives.may_start(at + hundredths / 100):
            return hundredths / 100
    raise AssertionError("it may never start again")


def test_server_that_was_well_is_started_at_once_however_often_it_is_killed() -> None:
    lives, now = Lives(), 100.0

    for _ in range(50):
        lives.begin(now)
        now += SOUND_LIFE_SECONDS
        assert pause_after_death(lives, now) == 0.0

    lives.begin(now)
    assert lives.restarts == 50
    assert not lives.is_hopeless


def test_server_that_dies_at_once_is_started_later_and_later_and_is_hopeless_in_the_end() -> None:
    lives, now, pauses = Lives(), 100.0, []

    for _ in range(EARLY_DEATHS + 4):
        lives.begin(now)
        pause = pause_after_death(lives, now + 1)
        now += 1 + pause
        pauses.append(pause)

    assert pauses == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert lives.is_hopeless


def test_one_sound_life_makes_up_for_all_early_deaths() -> None:
    lives = Lives()
    for now in (100.0, 200.0, 300.0):
        lives.begin(now)
        pause_after_death(lives, now + 1)

    lives.begin(400.0)

    assert pause_after_death(lives, 400.0 + SOUND_LIFE_SECONDS) == 0.0
    assert lives.early_deaths == 0
