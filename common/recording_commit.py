"""The commit that records completions, for the modes that keep a document per completion.

One commit, no transaction, no read: create the documents (refused if one exists), increment the counters of
the batch, and refuse everything if the batch has left its mode. The counts after the increment come back in
the answer.

Built as wire messages: with one caller the client library's own builder takes a third of the whole time of a
recording (measured). The library still sends it, with its connection, credentials and retries.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from google.cloud.firestore_v1.types import firestore as firestore_types

from .batch_records import COMPLETIONS, Batch, Completion, Counts
from .batch_store import CALL_TIMEOUT_SECONDS, COLLECTION, RETRY
from .messages import PlayerOutcome

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

_Request: Final = type(firestore_types.CommitRequest.pb(firestore_types.CommitRequest()))
_SERVER_TIME: Final = 1


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


async def send(client: "AsyncClient", request: Any, *, retry: Any) -> Counts:
    """Commit; returns the counts of the batch right after it. Raises what the client raises."""
    answer = await client._firestore_api.commit(
        request=request, metadata=client._rpc_metadata, retry=retry, timeout=CALL_TIMEOUT_SECONDS
    )
    return counts_of(answer)


def send_blocking(client: "Client", request: Any) -> Counts:
    """As `send`, for who has no event loop."""
    answer = client._firestore_api.commit(
        request=request, metadata=client._rpc_metadata, retry=RETRY, timeout=CALL_TIMEOUT_SECONDS
    )
    return counts_of(answer)


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


def counts_of(answer: firestore_types.CommitResponse) -> Counts:
    """The counters after the commit: the first results of the first write, as ordered there."""
    counters = firestore_types.CommitResponse.pb(answer).write_results[0].transform_results
    return Counts(
        **{outcome.value: counter.integer_value for outcome, counter in zip(COUNTER, counters, strict=False)}
    )
