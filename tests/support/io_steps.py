# grpc's own functions carry no types.
# mypy: disable-error-code="no-untyped-call, no-any-return, attr-defined"
"""Every I/O step of an instance, counted, with a fault at any one of them.

Firestore's calls are met on the wire and a publisher's at its door, so a step that is added to the code is a
step here without being told.
"""

from collections.abc import Callable
from enum import Enum
from threading import RLock
from typing import Any, TypeVar

import grpc

T = TypeVar("T")

_HOP_BY_HOP = ("grpc-", "user-agent", ":")


class Fault(Enum):
    """What happens at the chosen step."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    LOST_ANSWER = "lost answer"
    """The step takes place, and the instance, which lives on, is told that it failed."""


class Broken(Exception):
    """A step that failed; on the wire a status takes its place."""


class IoSteps(grpc.GenericRpcHandler):
    """A Firestore server in front of the emulator that is also asked for every other I/O step.

    After a crash nothing of the instance reaches the world any more, until `revive` starts another.
    """

    def __init__(self, target: str) -> None:
        self._channel = grpc.insecure_channel(target)
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

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        path = handler_call_details.method
        name = path.rpartition("/")[2]
        if name == "Commit":
            return grpc.unary_unary_rpc_method_handler(
                lambda request, context: self._relay(path, name, request, context)[0]
            )
        return grpc.unary_stream_rpc_method_handler(
            lambda request, context: iter(self._relay(path, name, request, context))
        )

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

    def _relay(self, path: str, name: str, request: bytes, context: grpc.ServicerContext) -> list[Any]:
        fault = self._enter(name)
        if fault is Fault.CRASH_BEFORE:
            context.abort(grpc.StatusCode.CANCELLED, f"dead before {name}")
        try:
            answers = self._pass_on(path, name, request, context)
        except grpc.RpcError as error:
            context.abort(error.code(), error.details())
        if fault is Fault.CRASH_AFTER:
            context.abort(grpc.StatusCode.CANCELLED, f"dead after {name}")
        if fault is Fault.LOST_ANSWER:
            context.abort(grpc.StatusCode.UNAVAILABLE, f"the answer of {name} was lost")
        return answers

    def _pass_on(self, path: str, name: str, request: bytes, context: grpc.ServicerContext) -> list[Any]:
        metadata = [pair for pair in context.invocation_metadata() if not pair[0].startswith(_HOP_BY_HOP)]
        if name == "Commit":
            return [self._channel.unary_unary(path)(request, metadata=metadata)]
        return list(self._channel.unary_stream(path)(request, metadata=metadata))
