"""The commit that records completions, for the modes that keep a document per completion.

One commit, no transaction, no read: create the documents (refused if one exists), increment the counters of
the batch, and refuse everything if the batch has left its mode. The counts after the increment come back in
the answer.

Built as wire messages and called past the library's layers of wrapping: with one caller its builder takes a
third of the whole time of a recording, and its asynchronous call another eighth (measured). The connection,
credentials, errors and retries are the library's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from google.api_core.datetime_helpers import DatetimeWithNanoseconds
from google.api_core.gapic_v1.routing_header import to_grpc_metadata
from google.api_core.grpc_helpers_async import wrap_errors
from google.api_core.retry import AsyncRetry
from google.cloud.firestore_v1.types import firestore as firestore_types

from ..batches.records import COMPLETIONS, Batch, Completion, Counts
from ..batches.store import CALL_TIMEOUT_SECONDS, COLLECTION, RETRY
from ..messages import PlayerOutcome

if TYPE_CHECKING:
    from google.cloud.firestore import AsyncClient, Client
    from google.cloud.firestore_v1.base_client import BaseClient

COUNTER: Final[Mapping[PlayerOutcome, str]] = {
    PlayerOutcome.COMPLETED: "completed_count",
    PlayerOutcome.SKIPPED: "skipped_count",
    PlayerOutcome.FAILED: "failed_count",
    PlayerOutcome.TIMED_OUT: "timed_out_count",
}

ARRAY: Final[Mapping[PlayerOutcome, str]] = {
    PlayerOutcome.COMPLETED: "completed_players",
    PlayerOutcome.SKIPPED: "completed_players",
    PlayerOutcome.FAILED: "failed_players",
    PlayerOutcome.TIMED_OUT: "failed_players",
}

_Request: Final = firestore_types.CommitRequest.pb()
_Response: Final = firestore_types.CommitResponse.pb()
_METHOD: Final = "/google.firestore.v1.Firestore/Commit"
_SERVER_TIME: Final = 1


@dataclass(frozen=True, kw_only=True)
class Committed:
    """What the answer to a commit tells."""

    counts: Counts
    """Of the batch, right after the commit."""
    total_predictions: int
    """Those that the completion documents of the batch tell of."""
    written_at: datetime
    """The new update time of the batch."""
    completed_at: datetime
    """The server's time in the completion documents."""


def build(client: "BaseClient", batch: Batch, completions: Sequence[Completion]) -> Any:
    """The request, in the mode that the batch had when it was read.

    `modes/{epoch}` is created by a change of mode: deleting it "if it does not exist" writes nothing, and
    refuses a commit made in a mode that the batch has left (its cost is not measurable).
    """
    request = _Request(database=client._database_string)
    path = f"{client._database_string}/documents/{COLLECTION}/{batch.batch_id}"
    _count(request.writes.add(), path, batch, completions)
    for completion in completions:
        marker = request.writes.add()
        marker.update.name = f"{path}/{COMPLETIONS}/{completion.player_lookup}"
        marker.current_document.exists = False
        _fill(marker.update.fields, completion)
        marker.update_transforms.add(field_path="completed_at", set_to_server_value=_SERVER_TIME)
    tombstone = request.writes.add(delete=f"{path}/modes/{batch.mode_epoch}")
    tombstone.current_document.exists = False
    return request


class Commits:
    """Sends such commits; made in the event loop that it is used in."""

    def __init__(self, client: "AsyncClient", *, retry: AsyncRetry) -> None:
        call = client._firestore_api.transport.grpc_channel.unary_unary(
            _METHOD, request_serializer=_Request.SerializeToString, response_deserializer=_Response.FromString
        )
        self._call = retry(wrap_errors(call))
        self._metadata = (
            *client._rpc_metadata,
            to_grpc_metadata((("database", client._database_string),)),
            client._client_info.to_grpc_metadata(),
        )

    async def send(self, request: Any) -> Committed:
        """Raises what the client raises. A commit whose answer was lost is refused when it is repeated."""
        return committed(await self._call(request, metadata=self._metadata, timeout=CALL_TIMEOUT_SECONDS))


def send_blocking(client: "Client", request: Any) -> None:
    """As `Commits.send`, for who has no event loop."""
    client._firestore_api.commit(
        request=request, metadata=client._rpc_metadata, retry=RETRY, timeout=CALL_TIMEOUT_SECONDS
    )


def _count(write: Any, path: str, batch: Batch, completions: Sequence[Completion]) -> None:
    """All four counters come first, most of them incremented by 0: their sum is then known."""
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


def array_players(completions: Iterable[Completion]) -> dict[str, list[str]]:
    """Which players go into which array."""
    players: dict[str, list[str]] = {}
    for one in completions:
        players.setdefault(ARRAY[one.outcome], []).append(one.player_lookup)
    return players


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
