"""The writes of one recording commit, for the modes that keep a document per completion.

One commit, no transaction, no read: create the documents (refused if one exists), increment the counters of
the batch, and refuse everything if the batch has changed its mode. The counts after the increment come back
in the commit's `transform_results`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from google.cloud import firestore

from .batch_records import Completion, Counts
from .messages import PlayerOutcome
from .schema_mode import SchemaMode

if TYPE_CHECKING:
    from google.cloud.firestore_v1.base_batch import BaseWriteBatch
    from google.cloud.firestore_v1.base_client import BaseClient
    from google.cloud.firestore_v1.base_document import BaseDocumentReference
    from google.cloud.firestore_v1.types import WriteResult

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


def add_writes(
    commit: "BaseWriteBatch",
    db: "BaseClient",
    ref: "BaseDocumentReference",
    completions: Sequence[Completion],
    *,
    mode: SchemaMode,
    epoch: int,
) -> dict[str, Any]:
    """Fill `commit`; the batch comes first. Returns its fields, by which `counts_after` reads the answer.

    `modes/{epoch}` is created by a change of mode: deleting it "if it does not exist" writes nothing, and
    refuses a commit made in a mode that the batch has left (its cost is not measurable).
    """
    fields = batch_fields(completions, mode)
    commit.update(ref, fields)
    for completion in completions:
        marker = ref.collection("completions").document(completion.player_lookup)
        commit.create(marker, completion.to_document(firestore.SERVER_TIMESTAMP))
    commit.delete(mode_tombstone(ref, epoch), option=db.write_option(exists=False))
    return fields


def mode_tombstone(ref: "BaseDocumentReference", epoch: int) -> Any:
    """Exists as soon as the batch has left the mode of this epoch."""
    return ref.collection("modes").document(str(epoch))


def batch_fields(completions: Sequence[Completion], mode: SchemaMode) -> dict[str, Any]:
    """What the completions add to the batch. All four counters, most by 0: their sum is then known."""
    predictions = sum(one.predictions_count for one in completions)
    fields: dict[str, Any] = {
        name: firestore.Increment(sum(one.outcome is outcome for one in completions))
        for outcome, name in COUNTER.items()
    }
    fields["total_predictions_subcoll"] = firestore.Increment(predictions)
    fields["updated_at"] = firestore.SERVER_TIMESTAMP
    if mode.writes_array:
        fields |= array_fields(completions)
        fields["total_predictions"] = firestore.Increment(predictions)
    return fields


def array_fields(completions: Sequence[Completion]) -> dict[str, Any]:
    players: dict[str, list[str]] = {}
    for one in completions:
        players.setdefault(ARRAY[one.outcome], []).append(one.player_lookup)
    return {name: firestore.ArrayUnion(names) for name, names in players.items()}


def counts_after(fields: Mapping[str, Any], result: "WriteResult") -> Counts:
    """The counts after the commit. The server answers in the order of the field paths, not in ours
    (measured); every field here is a transform."""
    values = dict(zip(sorted(fields), result.transform_results, strict=True))
    return Counts(**{outcome.value: values[name].integer_value for outcome, name in COUNTER.items()})
