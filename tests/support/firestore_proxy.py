# grpc's own functions carry no types.
# mypy: disable-error-code="no-untyped-call, no-any-return, attr-defined"
"""A gRPC server in front of the Firestore emulator: passes calls on, refuses them, or loses their answers.

The client under test talks to it over a real connection, so that its own retries take part.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import grpc

READ = "BatchGetDocuments"
COMMIT = "Commit"

_SERVICE = "/google.firestore.v1.Firestore/"
# What one gRPC connection keeps to itself.
_HOP_BY_HOP = ("grpc-", "user-agent", ":")


class FirestoreProxy(grpc.GenericRpcHandler):
    """`refuse` and `lose` are told per method, at any time; `calls` counts what arrived."""

    def __init__(self, target: str) -> None:
        self._channel = grpc.insecure_channel(target)
        self._refused: dict[str, grpc.StatusCode] = {}
        self._answers_to_lose: Counter[str] = Counter()
        self._before: dict[str, Callable[[], object]] = {}
        self.calls: Counter[str] = Counter()

    def refuse(self, method: str, status: grpc.StatusCode) -> None:
        """Answer `method` with `status` until it is accepted again; the emulator never sees it."""
        self._refused[method] = status

    def accept(self, method: str) -> None:
        self._refused.pop(method, None)

    def lose_answers(self, method: str, count: int) -> None:
        """Let the next `count` calls of `method` take place, and break each off instead of answering."""
        self._answers_to_lose[method] = count

    def once_before(self, method: str, action: Callable[[], object]) -> None:
        """Run `action` when the next `method` has arrived, before it is passed on: a rival who is faster."""
        self._before[method] = action

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        path = handler_call_details.method
        method = path.removeprefix(_SERVICE)
        if method == COMMIT:
            return grpc.unary_unary_rpc_method_handler(
                lambda request, context: next(self._relay(path, method, request, context))
            )
        return grpc.unary_stream_rpc_method_handler(
            lambda request, context: self._relay(path, method, request, context)
        )

    def _relay(
        self, path: str, method: str, request: bytes, context: grpc.ServicerContext
    ) -> Iterator[bytes]:
        self.calls[method] += 1
        if action := self._before.pop(method, None):
            action()
        if method in self._refused:
            context.abort(self._refused[method], "refused by the proxy")
        try:
            answers = self._pass_on(path, method, request, context)
        except grpc.RpcError as error:
            self._perhaps_lose(method, context)
            context.abort(error.code(), error.details())
        self._perhaps_lose(method, context)
        yield from answers

    def _perhaps_lose(self, method: str, context: grpc.ServicerContext) -> None:
        if self._answers_to_lose[method] > 0:
            self._answers_to_lose[method] -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "the answer was lost")

    def _pass_on(self, path: str, method: str, request: bytes, context: grpc.ServicerContext) -> list[bytes]:
        metadata = [pair for pair in context.invocation_metadata() if not pair[0].startswith(_HOP_BY_HOP)]
        limits: dict[str, Any] = {"metadata": metadata, "timeout": context.time_remaining()}
        if method == COMMIT:
            return [self._channel.unary_unary(path)(request, **limits)]
        return list(self._channel.unary_stream(path)(request, **limits))
