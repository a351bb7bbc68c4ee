"""The recording commit, built as wire messages and called past the client's layers of wrapping.

With one caller the client's builder takes a third of the whole time of a recording, and its asynchronous call
another eighth (measured). The connection, credentials, errors and retries are the client's.

This module alone knows the inside of the client. Where a release of it has another shape, `over` answers None
and the public twin (`recording.writes`, committed by the client's own batch) does the same, only slower.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import structlog
from google.api_core.datetime_helpers import DatetimeWithNanoseconds
from google.api_core.gapic_v1.routing_header import to_grpc_metadata
from google.api_core.retry import AsyncRetry
from google.cloud.firestore_v1.types import firestore as firestore_types

from .port import Committed
from .records import COLLECTION, COMPLETIONS, COUNTER, Batch, Completion, Counts, array_players

if TYPE_CHECKING:
    from google.cloud.firestore import AsyncClient

log = structlog.get_logger()

LOOKED_AT_RELEASE: Final = "2.34.1"
"""The release of google-cloud-firestore whose inside this module was compared with: `_database_string`,
`_firestore_api.transport.grpc_channel`, `_rpc_metadata`, `_client_info`, and api_core's `wrap_errors`."""

_METHOD: Final = "/google.firestore.v1.Firestore/Commit"
_SERVER_TIME: Final = 1

Call = Callable[..., Awaitable[Any]]


class WireCommit:
    """Sends recording commits over the connection of a client."""

    def __init__(
        self, *, database: str, call: Call, metadata: tuple[tuple[str, str], ...], timeout_seconds: float
    ) -> None:
        self._database = database
        self._call = call
        self._metadata = metadata
        self._timeout_seconds = timeout_seconds

    @classmethod
    def over(cls, client: "AsyncClient", *, retry: AsyncRetry, timeout_seconds: float) -> "WireCommit | None":
        """Called in the event loop of the client; None where the client is not as it was looked at."""
        try:
            from google.api_core.grpc_helpers_async import wrap_errors

            request, response = _request_type(), firestore_types.CommitResponse.pb()
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
        except (AttributeError, ImportError, TypeError) as exc:
            log.warning("the client has changed inside", action="wire_commit_unavailable", error=repr(exc))
            return None
        return cls(
            database=database,
            call=retry(wrap_errors(call)),
            metadata=metadata,
            timeout_seconds=timeout_seconds,
        )

    async def send(self, batch: Batch, completions: Sequence[Completion]) -> Committed:
        """Raises what the client raises. A commit whose answer was lost is refused when it is repeated."""
        request = build(self._database, batch, completions)
        answer = await self._call(request, metadata=self._metadata, timeout=self._timeout_seconds)
        return committed(answer)


def _request_type() -> Any:
    return firestore_types.CommitRequest.pb()


_Request: Final = _request_type()


def build(database: str, batch: Batch, completions: Sequence[Completion]) -> Any:
    """A `CommitRequest` (protobuf) with the writes of `recording.writes`, in their order."""
    request = _Request(database=database)
    path = f"{database}/documents/{COLLECTION}/{batch.batch_id}"
    _count(request.writes.add(), path, batch, completions)
    for completion in completions:
        document = request.writes.add()
        document.update.name = f"{path}/{COMPLETIONS}/{completion.player_lookup}"
        document.current_document.exists = False
        _fill(document.update.fields, completion)
        document.update_transforms.add(field_path="completed_at", set_to_server_value=_SERVER_TIME)
    tombstone = request.writes.add(delete=f"{path}/modes/{batch.mode_epoch}")
    tombstone.current_document.exists = False
    return request


def _count(write: Any, path: str, batch: Batch, completions: Sequence[Completion]) -> None:
    """The four counters and the predictions come first: `committed` reads their results by position."""
    write.update.name = path
    write.update_mask.SetInParent()  # none of the fields is replaced, all are transformed
    write.current_document.exists = True
    predictions = sum(one.predictions_count for one in completions)
    for outcome, name in COUNTER.items():
        _increment(write, name, sum(one.outcome is outcome for one in completions))
    _increment(write, "total_predictions_subcoll", predictions)
    write.update_transforms.add(field_path="updated_at", set_to_server_value=_SERVER_TIME)
    if batch.schema_mode.writes_array:
        _increment(write, "total_predictions", predictions)
        for name, players in array_players(completions).items():
            union = write.update_transforms.add(field_path=name).append_missing_elements
            for player in players:
                union.values.add(string_value=player)


def _increment(write: Any, field_path: str, number: int) -> None:
    write.update_transforms.add(field_path=field_path).increment.integer_value = number


def _fill(fields: Any, completion: Completion) -> None:
    for name, value in completion.plain_fields().items():
        if value is None:
            fields[name].null_value = 0
        elif isinstance(value, bool):
            fields[name].boolean_value = value
        elif isinstance(value, int):
            fields[name].integer_value = value
        else:
            fields[name].string_value = value


def committed(answer: Any) -> Committed:
    """What a `CommitResponse` says: the counters are the first results of its first write, in their order."""
    of_batch, of_first_completion = answer.write_results[:2]
    *counters, predictions = (each.integer_value for each in of_batch.transform_results[: len(COUNTER) + 1])
    return Committed(
        counts=Counts(
            **{outcome.value: number for outcome, number in zip(COUNTER, counters, strict=True)},
        ),
        total_predictions=predictions,
        written_at=DatetimeWithNanoseconds.from_timestamp_pb(of_batch.update_time),
        completed_at=DatetimeWithNanoseconds.from_timestamp_pb(
            of_first_completion.transform_results[0].timestamp_value
        ),
    )
