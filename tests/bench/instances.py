"""Several instances of one server, of which some are killed and replaced."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Instances(AbstractContextManager["Instances[T]"], Generic[T]):
    """`running` runs one. It gives what tells it from the others; to leave it is a `kill -9`."""

    def __init__(self, number: int, running: Callable[[], AbstractContextManager[T]]) -> None:
        self._number = number
        self._running = running
        self._stacks: dict[T, ExitStack] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self.stop)
            self.refill()
            stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def alive(self) -> list[T]:
        """The oldest first."""
        return list(self._stacks)

    def refill(self) -> None:
        """Start as many as are missing."""
        while len(self._stacks) < self._number:
            stack = ExitStack()
            self._stacks[stack.enter_context(self._running())] = stack

    def kill(self) -> None:
        """The oldest dies, in the middle of whatever it does."""
        self._stacks.pop(self.alive[0]).close()

    def stop(self) -> None:
        while self._stacks:
            self.kill()
