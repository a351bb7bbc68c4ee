from datetime import UTC, date, datetime, timedelta

from common.lock.free_locks import MAX_LOCKS, RECENT_SECONDS, FreeLocks
from common.lock.rules import LockKey
from common.lock.store import LockSnapshot
from tests.support.monotonic_clock import MonotonicClock

NOW = datetime(2026, 1, 17, 23, tzinfo=UTC)
LEFT = LockSnapshot(record=None, update_time=None, server_now=NOW, asked_at=0.0)


def key_of(day: int) -> LockKey:
    return LockKey(lock_type="consolidation", game_date=date(2020, 1, 1) + timedelta(days=day), sport="nba")


def test_lock_that_was_left_free_is_recalled_once_with_the_servers_time_moved_on() -> None:
    clock = MonotonicClock()
    free = FreeLocks(clock)
    free.remember(key_of(1), LEFT)
    clock.sleep(10)

    recalled = free.recall(key_of(1))

    assert recalled is not None and recalled.server_now == NOW + timedelta(seconds=10)
    assert free.recall(key_of(1)) is None


def test_lock_that_was_left_free_too_long_ago_is_read_again() -> None:
    clock = MonotonicClock()
    free = FreeLocks(clock)
    free.remember(key_of(1), LEFT)

    clock.sleep(RECENT_SECONDS)

    assert free.recall(key_of(1)) is None


def test_locks_that_were_left_free_and_never_taken_again_do_not_pile_up() -> None:
    free = FreeLocks(MonotonicClock())

    for day in range(MAX_LOCKS + 10):
        free.remember(key_of(day), LEFT)

    assert free.recall(key_of(0)) is None
    assert free.recall(key_of(MAX_LOCKS + 9)) is not None
