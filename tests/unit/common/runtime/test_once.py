import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from common.runtime.once import once


def test_nothing_is_built_before_it_is_asked_for() -> None:
    built: list[object] = []

    once(lambda: built.append(object()))

    assert built == []


def test_parallel_callers_get_the_same_single_object() -> None:
    callers = 16
    together = threading.Barrier(callers)
    second_factory = threading.Barrier(2)
    built: list[object] = []

    @once
    def client() -> object:
        with suppress(threading.BrokenBarrierError):  # as it should be: no other factory runs meanwhile
            second_factory.wait(timeout=0.05)
        built.append(object())
        return built[-1]

    def ask() -> object:
        together.wait(timeout=5)
        return client()

    with ThreadPoolExecutor(callers) as pool:
        given = list(pool.map(lambda _: ask(), range(callers)))

    assert len(built) == 1
    assert all(each is built[0] for each in given)


def test_factory_that_raised_is_tried_again() -> None:
    attempts: list[int] = []

    @once
    def client() -> int:
        attempts.append(1)
        if len(attempts) == 1:
            raise ConnectionError("not yet")
        return len(attempts)

    with pytest.raises(ConnectionError):
        client()

    assert client() == 2
    assert client() == 2


def test_none_is_built_once_too() -> None:
    calls: list[int] = []
    get = once(lambda: calls.append(1))

    assert get() is None and get() is None
    assert len(calls) == 1
