"""Calls that are counted, so that a test may do something, or die, before any of them."""

from collections.abc import Callable
from typing import Any


class Crash(Exception):
    """The process is gone."""


class Stepped:
    """A port whose every call is a step; `before` is told of it, by its name, before it takes place."""

    def __init__(self, port: Any, before: Callable[[str], None]) -> None:
        self._port = port
        self._before = before

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            self._before(name)
            return getattr(self._port, name)(*args, **options)

        return call


class Steps:
    """The steps that were taken, by name; dies before the one of number `dies_before`, counted from 1."""

    def __init__(self, dies_before: int | None = None) -> None:
        self.names: list[str] = []
        self._dies_before = dies_before

    def __call__(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) == self._dies_before:
            raise Crash
