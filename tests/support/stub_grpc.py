# grpc's own functions carry no types.
# mypy: disable-error-code="no-untyped-call, no-any-return, attr-defined"
"""A gRPC server that answers any service as it is told: with a status, not at all, or as Pub/Sub does."""

import itertools
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Self

import grpc
from google.pubsub_v1.types import PublishRequest, PublishResponse, PubsubMessage

from tests.support.grpc_server import serving

PUBLISH = "Publish"


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """What a call is answered with."""

    status: grpc.StatusCode
    message: str


DENIED_BY_PUBSUB = Refusal(
    status=grpc.StatusCode.PERMISSION_DENIED, message="User not authorized to perform this action."
)
DENIED_BY_FIRESTORE = Refusal(
    status=grpc.StatusCode.PERMISSION_DENIED, message="Missing or insufficient permissions."
)
NO_SUCH_TOPIC = Refusal(
    status=grpc.StatusCode.NOT_FOUND, message="Resource not found (resource=nba-prediction-request)."
)
UNAVAILABLE = Refusal(
    status=grpc.StatusCode.UNAVAILABLE, message="The service was unable to fulfill your request."
)
EXHAUSTED = Refusal(
    status=grpc.StatusCode.RESOURCE_EXHAUSTED,
    message="Quota exceeded for quota metric 'Regional publisher throughput, kB' and limit 'Regional "
    "publisher throughput, kB per minute per region' of service 'pubsub.googleapis.com'.",
)


class GrpcStub(grpc.GenericRpcHandler):
    """Accepts what is published, and refuses every other call, until it is told something else."""

    def __init__(self) -> None:
        self.host = ""
        """HOST:PORT, while it serves."""
        self.calls: list[str] = []
        """The methods that were called, in order."""
        self.published: list[list[PubsubMessage]] = []
        """What was accepted, by request."""
        self.ids_to_lose = 0
        """So many ids are missing in every confirmation."""
        self.seconds_to_answer = 0.0
        self._refusals: deque[Refusal | None] = deque()
        self._always: Refusal | None = None
        self._hangs = False
        self._ids = itertools.count(1)

    def refuse(self, *refusals: Refusal | None) -> None:
        """Refuse the next calls, one after the other; None lets one pass."""
        self._refusals.extend(refusals)

    def refuse_always(self, refusal: Refusal) -> None:
        """Refuse every call that `refuse` says nothing about."""
        self._always = refusal

    def hang_once(self) -> None:
        """Do not answer the next call."""
        self._hangs = True

    @contextmanager
    def serving(self) -> Iterator[Self]:
        """Serve on a free port."""
        with serving(self) as self.host:
            yield self

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        method = handler_call_details.method.rpartition("/")[2]
        return grpc.stream_stream_rpc_method_handler(
            lambda requests, context: self._answer(method, requests, context)
        )

    def _answer(
        self, method: str, requests: Iterator[bytes], context: grpc.ServicerContext
    ) -> Iterator[bytes]:
        self.calls.append(method)
        if self._hangs:
            self._hangs = False
            _until_the_client_gives_up(context, within_seconds=None)
        if self.seconds_to_answer:
            _until_the_client_gives_up(context, within_seconds=self.seconds_to_answer)
        refusal = self._refusals.popleft() if self._refusals else self._always
        if refusal is not None:
            context.abort(refusal.status, refusal.message)
        if method != PUBLISH:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{method} is not known to the stub")
        yield self._publish(PublishRequest.deserialize(next(requests)))

    def _publish(self, request: PublishRequest) -> bytes:
        messages = list(request.messages)
        self.published.append(messages)
        ids = [str(next(self._ids)) for _ in messages]
        return PublishResponse.serialize(PublishResponse(message_ids=ids[self.ids_to_lose :]))


def _until_the_client_gives_up(context: grpc.ServicerContext, within_seconds: float | None) -> None:
    given_up = Event()
    if context.add_callback(given_up.set):
        given_up.wait(within_seconds)
