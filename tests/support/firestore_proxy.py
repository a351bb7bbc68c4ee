# grpc's own functions carry no types.
# mypy: disable-error-code="no-untyped-call, no-any-return, attr-defined"
"""A gRPC server in front of the Firestore emulator: passes calls on, refuses them, or loses their answers."""

from collections import Counter
from collections.abc import Callable

import grpc
from google.cloud.firestore_v1.types import BatchGetDocumentsRequest

from tests.support.firestore_relay import READ, FirestoreRelay


class FirestoreProxy(FirestoreRelay):
    """`refuse` and `lose` are told per method, at any time; `calls` counts what arrived."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self._refused: dict[str, grpc.StatusCode] = {}
        self._answers_to_lose: Counter[str] = Counter()
        self._before: dict[str, Callable[[], object]] = {}
        self.calls: Counter[str] = Counter()
        self.read: Counter[str] = Counter()
        """How often each document was read, by its full name."""

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

    def relay(self, method: str, request: bytes, context: grpc.ServicerContext) -> list[bytes]:
        self.calls[method] += 1
        if method == READ:
            self.read.update(BatchGetDocumentsRequest.deserialize(request).documents)
        if action := self._before.pop(method, None):
            action()
        if method in self._refused:
            context.abort(self._refused[method], "refused by the proxy")
        try:
            answers = self.pass_on(method, request, context)
        except grpc.RpcError as error:
            self._perhaps_lose(method, context)
            context.abort(error.code(), error.details())
        self._perhaps_lose(method, context)
        return answers

    def _perhaps_lose(self, method: str, context: grpc.ServicerContext) -> None:
        if self._answers_to_lose[method] > 0:
            self._answers_to_lose[method] -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "the answer was lost")
