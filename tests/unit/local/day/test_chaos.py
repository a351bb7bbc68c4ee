"""What goes wrong in a run goes wrong in the same way again."""

import threading

from local.day.chaos import LONGEST_DELAY_SECONDS, Disorder, Killing

PLAYERS = [f"player{number}" for number in range(2_000)]


def test_about_the_share_that_was_asked_for_is_published_twice() -> None:
    disorder = Disorder(duplicates=0.3)

    copies = sum(disorder.copies(player) for player in PLAYERS)

    assert 0.27 < copies / len(PLAYERS) - 1 < 0.33


def test_none_and_all_are_exact() -> None:
    assert all(Disorder(duplicates=0).copies(player) == 1 for player in PLAYERS)
    assert all(Disorder(duplicates=1).copies(player) == 2 for player in PLAYERS)


def test_the_same_seed_chooses_the_same_players() -> None:
    def chosen(seed: int) -> list[int]:
        return [Disorder(duplicates=0.5, seed=seed).copies(player) for player in PLAYERS]

    assert chosen(1) == chosen(1) != chosen(2)


def test_only_a_shuffled_run_holds_events_back_and_each_copy_for_its_own_time() -> None:
    delays = [Disorder(shuffle=True).delay_seconds("lebronjames", copy) for copy in (0, 1)]

    assert Disorder().delay_seconds("lebronjames", 0) == 0
    assert len(set(delays)) == 2
    assert all(0 < delay < LONGEST_DELAY_SECONDS for delay in delays)


def test_a_killing_waits_for_its_moment_and_happens_once() -> None:
    moment, deaths = threading.Event(), []
    killing = Killing(moment.is_set, lambda: deaths.append("death"))
    killing.start()

    moment.set()
    killing.join(timeout=10)

    assert deaths == ["death"]
    assert killing.done.is_set()


def test_a_killing_that_is_called_off_never_happens() -> None:
    moment = threading.Event()
    killing = Killing(moment.is_set, lambda: None)
    killing.start()

    killing.call_off()
    moment.set()

    assert not killing.is_alive()
    assert not killing.done.is_set()
