# grpc's own functions carry no types.
# mypy: disable-error-code="no-untyped-call, no-any-return, attr-defined"
"""Every I/O step of an instance, counted, with a fault at any one of them.

Firestore's calls are met on the wire and a publisher's at its door, so a step that is added to the code is a
step here without being told.
"""

from collections.abc import Callable
from enum import Enum
from threading import RLock
from typing import TypeVar

import grpc

from tests.support.firestore_relay import FirestoreRelay

T = TypeVar("T")


class Fault(Enum):
    """What happens at the chosen step."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    LOST_ANSWER = "lost answer"
    """The step takes place, and the instance, which lives on, is told that it failed."""


class Broken(Exception):
    """A step that failed; on the wire a status takes its place."""


class IoSteps(FirestoreRelay):
    """A Firestore server in front of the emulator that is also asked for every other I/O step.

    After a crash nothing of the instance reaches the world any more, until `revive` starts another.
    """

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self._lock = RLock()
        self._fault: tuple[int, Fault] | None = None
        self._is_dead = False
        self.names: list[str] = []

    def arm(self, step: int, fault: Fault) -> None:
        """Let `fault` happen at the step of this index, counted from now on."""
        self.names, self._fault, self._is_dead = [], (step, fault), False

    def revive(self) -> None:
        """A new instance, without faults."""
        self._fault, self._is_dead = None, False

    def run(self, name: str, action: Callable[[], T]) -> T:
        """One step that is no call of Firestore."""
        fault = self._enter(name)
        if fault is Fault.CRASH_BEFORE:
            raise Broken(f"dead before {name}")
        answer = action()
        if fault is not None:
            raise Broken(f"no answer of {name}")
        return answer

    def _enter(self, name: str) -> Fault | None:
        with self._lock:
            if self._is_dead:
                return Fault.CRASH_BEFORE
            self.names.append(name)
            if self._fault is None or self._fault[0] != len(self.names) - 1:
                return None
            fault = self._fault[1]
            self._is_dead = fault is not Fault.LOST_ANSWER
            return fault

    def relay(self, name: str, request: bytes, context: grpc.ServicerContext) -> list[bytes]:
        fault = self._enter(name)
        if fault is Fault.CRASH_BEFORE:
            context.abort(grpc.StatusCode.CANCELLED, f"dead before {name}")
        try:
            answers = self.pass_on(name, request, context)
        except grpc.RpcError as error:
            context.abort(error.code(), error.details())
        if fault is Fault.CRASH_AFTER:
            context.abort(grpc.StatusCode.CANCELLED, f"dead after {name}")
        if fault is Fault.LOST_ANSWER:
            context.abort(grpc.StatusCode.UNAVAILABLE, f"the answer of {name} was lost")
        return answers
