"""Commits built as wire messages and sent past the client's layers of wrapping.

With one caller the client's builder takes a third of the whole time of a recording, and its asynchronous call
another eighth (measured). The connection, credentials, errors and retries are the client's.

This module alone knows the inside of the client. Where a release of it has another shape, `over` answers None
and the client's own batch commits the same writes, only slower.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, overload

import structlog
from google.api_core.datetime_helpers import DatetimeWithNanoseconds
from google.api_core.gapic_v1.routing_header import to_grpc_metadata
from google.api_core.retry import AsyncRetry
from google.cloud.firestore_v1.types import firestore as firestore_types

from .port import Written
from .writes import (
    REMOVED,
    SERVER_TIME,
    Absent,
    Create,
    Delete,
    Difference,
    Increment,
    Merge,
    Set,
    Union,
    Update,
    Write,
    computed,
    is_computed,
)

if TYPE_CHECKING:
    from google.cloud.firestore import AsyncClient

log = structlog.get_logger()

LOOKED_AT_RELEASE: Final = "2.34.1"
"""The release of google-cloud-firestore whose inside this module was compared with: `_database_string`,
`_firestore_api.transport.grpc_channel`, `_rpc_metadata`, `_client_info`, and api_core's `wrap_errors`."""

_METHOD: Final = "/google.firestore.v1.Firestore/Commit"
"""The path of the call."""
# `REQUEST_TIME` of the protocol's enumeration of server values.
_SERVER_TIME: Final = 1

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

    async def send(self, writes: Sequence[Write]) -> "Answers":
        """Commit the writes; returns one answer per write, in order. Raises what the client raises.

        Retries are api_core's, with the retry that `over` was given. A commit whose answer was lost is
        refused when it is repeated.
        """
        request = build(self._database, writes)
        answer = await self._call(request, metadata=self._metadata, timeout=self._timeout_seconds)
        return Answers(writes, answer)


class Answers(Sequence[Written]):
    """What a `CommitResponse` tells of each write; read when it is looked at, for of a group of 200
    completions two are."""

    def __init__(self, writes: Sequence[Write], response: Any) -> None:
        self._writes = writes
        self._results = response.write_results

    def __len__(self) -> int:
        return len(self._writes)

    @overload
    def __getitem__(self, index: int) -> Written: ...
    @overload
    def __getitem__(self, index: slice) -> list[Written]: ...
    def __getitem__(self, index: int | slice) -> Written | list[Written]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        result = self._results[index]
        told = map(_told, computed(self._writes[index]).items(), result.transform_results)
        return Written(update_time=_time(result.update_time), results=dict(told))


def _request_type() -> Any:
    return firestore_types.CommitRequest.pb()


_Request: Final = _request_type()


def build(database: str, writes: Sequence[Write]) -> Any:
    """A `CommitRequest` (protobuf) of these writes in their order; their transforms in that of the fields."""
    request = _Request(database=database)
    root = f"{database}/documents/"
    for write in writes:
        message = request.writes.add()
        match write:
            case Create():
                message.current_document.exists = False
                _fill(message, root, write)
            case Set():
                _fill(message, root, write)
            case Merge():
                _fill(message, root, write)
                _mask(message, write.fields)
            case Update():
                _require(message.current_document, write.unchanged_since)
                _fill(message, root, write)
                _mask(message, write.fields)
            case Delete():
                message.delete = root + write.path
            case Absent():
                message.delete = root + write.path
                message.current_document.exists = False
    return request


def _require(precondition: Any, unchanged_since: datetime | None) -> None:
    """What has to hold for the write: that the document exists, or that it was not written since."""
    if unchanged_since is None:
        precondition.exists = True
    else:
        precondition.update_time.FromDatetime(unchanged_since)  # by microseconds, as the client does


def _mask(message: Any, fields: Mapping[str, Any]) -> None:
    """Which fields are replaced; the others stay. With no name in it, all are transformed, none replaced."""
    message.update_mask.SetInParent()
    message.update_mask.field_paths.extend(name for name, value in fields.items() if not is_computed(value))


def _fill(message: Any, root: str, write: Create | Set | Merge | Update) -> None:
    """The fields of a write: constants into the document, what the store computes into its transforms."""
    message.update.name = root + write.path
    fields, transforms = message.update.fields, message.update_transforms
    for name, value in write.fields.items():
        if value is SERVER_TIME:
            # Transforms are answered in this order, the order of the fields; the client's builder sorts them
            # by name.
            transforms.add(field_path=name, set_to_server_value=_SERVER_TIME)
        elif isinstance(value, Increment):
            transforms.add(field_path=name).increment.integer_value = value.by
        elif isinstance(value, Union):
            _set_all(transforms.add(field_path=name).append_missing_elements, value.values)
        elif isinstance(value, Difference):
            _set_all(transforms.add(field_path=name).remove_all_from_array, value.values)
        elif value is not REMOVED:  # which is named by the mask, and absent here
            _set(fields[name], value)


def _set(message: Any, value: Any) -> None:
    """Put a value into a `Value`; the frequent kinds first."""
    if isinstance(value, str):
        message.string_value = value
    elif value is None:
        message.null_value = 0
    elif isinstance(value, bool):
        message.boolean_value = value
    elif isinstance(value, int):
        message.integer_value = value
    elif isinstance(value, float):
        message.double_value = value
    elif isinstance(value, datetime):
        _set_time(message.timestamp_value, value)
    elif isinstance(value, Mapping):
        message.map_value.SetInParent()
        for name, one in value.items():
            _set(message.map_value.fields[name], one)
    elif isinstance(value, list | tuple):
        message.array_value.SetInParent()
        _set_all(message.array_value, value)
    else:
        raise TypeError(f"{value!r} cannot be stored")


def _set_all(message: Any, values: Sequence[Any]) -> None:
    for value in values:
        _set(message.values.add(), value)


def _set_time(message: Any, value: datetime) -> None:
    """A timestamp to the nanosecond where the store has given it: a precondition compares all of it."""
    if isinstance(value, DatetimeWithNanoseconds):
        message.CopyFrom(value.timestamp_pb())
    else:
        message.FromDatetime(value)


def _told(asked: tuple[str, Any], result: Any) -> tuple[str, Any]:
    """A field and its number or time; of what is done to an array the store tells nothing."""
    name, transform = asked
    if isinstance(transform, Increment):
        return name, result.integer_value
    return name, _time(result.timestamp_value) if transform is SERVER_TIME else None


def _time(timestamp: Any) -> datetime:
    found: datetime = DatetimeWithNanoseconds.from_timestamp_pb(timestamp)
    return found
