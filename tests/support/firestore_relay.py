# grpc's own functions carry no types.
# mypy: disable-error-code="no-untyped-call, no-any-return, attr-defined"
"""A Firestore server in front of the emulator that decides what becomes of each call."""

from abc import abstractmethod
from typing import Any

import grpc

READ = "BatchGetDocuments"
COMMIT = "Commit"
QUERY = "RunQuery"

_SERVICE = "/google.firestore.v1.Firestore/"
# What one gRPC connection keeps to itself.
_HOP_BY_HOP = ("grpc-", "user-agent", ":")


class FirestoreRelay(grpc.GenericRpcHandler):
    """The client under test talks to it over a real connection, so that its own retries take part."""

    def __init__(self, target: str) -> None:
        self._channel = grpc.insecure_channel(target)

    @abstractmethod
    def relay(self, method: str, request: bytes, context: grpc.ServicerContext) -> list[bytes]:
        """Answer one call: by `pass_on`, or by aborting it."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        method = handler_call_details.method.removeprefix(_SERVICE)
        if method == COMMIT:
            return grpc.unary_unary_rpc_method_handler(
                lambda request, context: self.relay(method, request, context)[0]
            )
        return grpc.unary_stream_rpc_method_handler(
            lambda request, context: iter(self.relay(method, request, context))
        )

    def pass_on(self, method: str, request: bytes, context: grpc.ServicerContext) -> list[bytes]:
        """The emulator's answers; raises what it answers instead."""
        metadata = [pair for pair in context.invocation_metadata() if not pair[0].startswith(_HOP_BY_HOP)]
        limits: dict[str, Any] = {"metadata": metadata, "timeout": context.time_remaining()}
        path = _SERVICE + method
        if method == COMMIT:
            return [self._channel.unary_unary(path)(request, **limits)]
        return list(self._channel.unary_stream(path)(request, **limits))
