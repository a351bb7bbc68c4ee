"""A commit as the messages of the protocol: built of our writes, and its answer read."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, overload

from google.api_core.datetime_helpers import DatetimeWithNanoseconds
from google.cloud.firestore_v1.types import firestore as firestore_types

from .port import Written
from .writes import (
    SERVER_TIME,
    TRANSFORMS,
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
)

# `REQUEST_TIME` of the protocol's enumeration of server values.
_SERVER_TIME: Final = 1
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


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


def message_types() -> tuple[Any, Any]:
    """The protobuf classes of a commit's request and response."""
    return firestore_types.CommitRequest.pb(), firestore_types.CommitResponse.pb()


_Request: Final = message_types()[0]
"""Looked up once: each access makes its way through the library's wrapping."""


def build(database: str, writes: Sequence[Write]) -> Any:
    """A `CommitRequest` (protobuf) of these writes in their order; their transforms in that of the fields.

    `database` is its full name, `projects/P/databases/D`. Raises TypeError for a value that Firestore has no
    kind for; nothing is sent.
    """
    request = _Request(database=database)
    root = f"{database}/documents/"
    for write in writes:
        message = request.writes.add()
        match write:
            case Create() | Set():
                _fill(message, root, write)
            case Merge() | Update():
                # The mask says which fields are replaced; with no name in it, all are transformed.
                message.update_mask.SetInParent()
                message.update_mask.field_paths.extend(_fill(message, root, write))
            case Delete() | Absent():
                message.delete = root + write.path
        match write:
            case Update() | Delete() if write.unchanged_since is not None:
                # By microseconds, as the client does.
                message.current_document.update_time.FromDatetime(write.unchanged_since)
            case Update():
                message.current_document.exists = True
            case Create() | Absent():
                message.current_document.exists = False
    return request


def _fill(message: Any, root: str, write: Create | Set | Merge | Update) -> list[str]:
    """The fields of a write: constants into the document, what the store computes into its transforms.

    Returns the names of those that are not computed.
    """
    message.update.name = root + write.path
    fields, transforms = message.update.fields, message.update_transforms
    replaced = []
    for name, value in write.fields.items():
        # By its very type, as most are constants: asked for each field of each completion.
        if type(value) not in TRANSFORMS:
            replaced.append(name)
            _set(fields[name], value)
        elif value is SERVER_TIME:
            # Transforms are answered in this order, the order of the fields; the client's builder sorts them
            # by name.
            transforms.add(field_path=name, set_to_server_value=_SERVER_TIME)
        elif isinstance(value, Increment):
            transforms.add(field_path=name).increment.integer_value = value.by
        elif isinstance(value, Union):
            _set_all(transforms.add(field_path=name).append_missing_elements, value.values)
        elif isinstance(value, Difference):
            _set_all(transforms.add(field_path=name).remove_all_from_array, value.values)
        else:  # removed: the mask names the field, and the document has it not
            replaced.append(name)
    return replaced


def _set(message: Any, value: Any) -> None:
    """Put a value into a `Value`; the frequent kinds first."""
    if isinstance(value, str):
        message.string_value = value
    elif value is None:
        message.null_value = 0
    # Before the whole numbers: to Python a bool is one.
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
    """By microseconds, as preconditions are compared; the client's own class takes three times as long."""
    return _EPOCH + timedelta(seconds=timestamp.seconds, microseconds=timestamp.nanos // 1_000)
