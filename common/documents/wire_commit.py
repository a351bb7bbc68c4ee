"""Commits sent past the client's layers of wrapping, as messages that `wire_messages` builds.

With one caller the client's builder takes a third of the whole time of a recording, and its asynchronous call
another eighth (measured). The connection, credentials, errors and retries are the client's.

This module alone knows the inside of the client. Where a release of it has another shape, `over` answers None
and the client's own batch commits the same writes, only slower.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import structlog
from google.api_core.gapic_v1.routing_header import to_grpc_metadata
from google.api_core.retry import AsyncRetry

from .wire_messages import Answers, build, message_types
from .writes import Write

if TYPE_CHECKING:
    from google.cloud.firestore import AsyncClient

log = structlog.get_logger()

LOOKED_AT_RELEASE: Final = "2.34.1"
"""The release of google-cloud-firestore whose inside this module was compared with: `_database_string`,
`_firestore_api.transport.grpc_channel`, `_rpc_metadata`, `_client_info`, and api_core's `wrap_errors`."""

_METHOD: Final = "/google.firestore.v1.Firestore/Commit"
"""The path of the call."""
Call = Callable[..., Awaitable[Any]]


class WireCommit:
    """Sends commits over the connection of a client; for the tasks of that client's event loop."""

    def __init__(
        self, *, database: str, call: Call, metadata: tuple[tuple[str, str], ...], timeout_seconds: float
    ) -> None:
        self._database = database
        self._call = call
        self._metadata = metadata
        self._timeout_seconds = timeout_seconds

    @classmethod
    def over(cls, client: "AsyncClient", *, retry: AsyncRetry, timeout_seconds: float) -> "WireCommit | None":
        """A wire commit over the connection of `client`; None where the client is not as it was looked at.

        Called in the event loop of the client. Nothing is sent.
        """
        try:
            from google.api_core.grpc_helpers_async import wrap_errors

            request, response = message_types()
            call = client._firestore_api.transport.grpc_channel.unary_unary(
                _METHOD,
                request_serializer=request.SerializeToString,
                response_deserializer=response.FromString,
            )
            database: str = client._database_string
            metadata = (
                *client._rpc_metadata,
                to_grpc_metadata((("database", database),)),
                client._client_info.to_grpc_metadata(),
            )
        # Whatever has another shape raises one of these, and nothing was sent yet.
        except (AttributeError, ImportError, TypeError) as exc:
            log.warning("the client has changed inside", action="wire_commit_unavailable", error=repr(exc))
            return None
        return cls(
            database=database,
            # In this order: the retry looks at api_core's exceptions, which `wrap_errors` makes of gRPC's.
            call=retry(wrap_errors(call)),
            metadata=metadata,
            timeout_seconds=timeout_seconds,
        )

    async def send(self, writes: Sequence[Write]) -> Answers:
        """Commit the writes; returns one answer per write, in order. Raises what the client raises.

        Retries are api_core's, with the retry that `over` was given. A commit whose answer was lost is
        refused when it is repeated.
        """
        request = build(self._database, writes)
        answer = await self._call(request, metadata=self._metadata, timeout=self._timeout_seconds)
        return Answers(writes, answer)
