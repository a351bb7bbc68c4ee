from datetime import timedelta

import pytest

from common.players.ttl_cache import TtlCache
from tests.support.wall_clock import WallClock

TTL = timedelta(seconds=10)


@pytest.fixture
def cache(clock: WallClock) -> TtlCache[str, int]:
    return TtlCache(TTL, clock)


def test_only_what_is_known_is_returned(cache: TtlCache[str, int]) -> None:
    cache.put({"a": 1, "b": 2})

    assert cache.get(["a", "c"]) == {"a": 1}


def test_a_value_ends_with_its_time(cache: TtlCache[str, int], clock: WallClock) -> None:
    cache.put({"a": 1})

    clock.advance(TTL - timedelta(microseconds=1))
    assert cache.get(["a"]) == {"a": 1}

    clock.advance(timedelta(microseconds=1))
    assert cache.get(["a"]) == {}


def test_putting_again_starts_the_time_anew(cache: TtlCache[str, int], clock: WallClock) -> None:
    cache.put({"a": 1})
    clock.advance(TTL / 2)
    cache.put({"a": 2})

    clock.advance(TTL / 2)

    assert cache.get(["a"]) == {"a": 2}
