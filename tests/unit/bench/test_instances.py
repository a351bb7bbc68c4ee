"""Instances are killed oldest first, replaced, and gone at the end."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.bench.instances import Instances


class Server:
    """Numbers what it runs; `left` are the numbers of those that ended."""

    def __init__(self) -> None:
        self.left: list[int] = []
        self.fails_at: int | None = None
        self._numbers = itertools.count()

    @contextmanager
    def running(self) -> Iterator[int]:
        number = next(self._numbers)
        if number == self.fails_at:
            raise RuntimeError("will not start")
        try:
            yield number
        finally:
            self.left.append(number)


def test_the_oldest_is_killed_and_a_new_one_takes_its_place() -> None:
    server = Server()

    with Instances(2, server.running) as instances:
        instances.kill()
        assert (instances.alive, server.left) == ([1], [0])
        instances.refill()

        assert instances.alive == [1, 2]


def test_nothing_is_left_running() -> None:
    server = Server()

    with Instances(3, server.running) as instances:
        instances.kill()

    assert sorted(server.left) == [0, 1, 2]


def test_one_that_does_not_start_leaves_none_of_the_others_behind() -> None:
    server = Server()
    server.fails_at = 2
    instances = Instances(3, server.running)

    with pytest.raises(RuntimeError, match="will not start"), instances:
        pass

    assert (instances.alive, sorted(server.left)) == ([], [0, 1])
