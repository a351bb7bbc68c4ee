"""The commit that records completions, for the modes that keep a document per completion.

One commit, no transaction, no read: create the documents (refused if one exists), increment the counters of
the batch, and refuse everything if the batch has left its mode. The counts after the increment come back in
the answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..documents.port import Written
from ..documents.writes import SERVER_TIME, Absent, Create, Increment, Union, Update, Write
from .completion import COUNTER, Completion, array_players
from .records import COMPLETIONS, Batch, Counts, batch_path


@dataclass(frozen=True, kw_only=True)
class Committed:
    """What the answer to a commit of completions tells."""

    counts: Counts
    """Of the batch, right after the commit."""
    total_predictions: int
    """Those that the completion documents of the batch tell of, after the commit."""
    written_at: datetime
    """The new update time of the batch."""
    completed_at: datetime
    """The server's time in the completion documents."""


def writes(batch: Batch, completions: Sequence[Completion]) -> list[Write]:
    """The commit that records these completions: the batch, a document per completion, the tombstone of its
    mode.

    Refused if a player has a document already, if the batch is gone, or if it has left the mode that it had
    when it was read: `modes/{epoch}` is created by a change of mode, and requiring its absence writes nothing
    (its cost is not measurable). No player stands in it twice: Firestore refuses such a commit for good.
    """
    path = batch_path(batch.batch_id)
    predictions = sum(one.predictions_count for one in completions)
    # All four counters are incremented, most of them by 0: their sum is then known.
    fields: dict[str, Any] = {
        name: Increment(sum(one.outcome is outcome for one in completions))
        for outcome, name in COUNTER.items()
    }
    # The server's time in each: an update that changes nothing keeps the version.
    fields |= {"total_predictions_subcoll": Increment(predictions), "updated_at": SERVER_TIME}
    if batch.schema_mode.writes_array:
        fields |= _in_arrays(completions, predictions)
    return [
        Update(path=path, fields=fields),
        *(
            Create(path=f"{path}/{COMPLETIONS}/{one.player_lookup}", fields=one.to_document(SERVER_TIME))
            for one in completions
        ),
        # Last, as it answers nothing: `committed` counts on the order of the others.
        Absent(path=f"{path}/modes/{batch.mode_epoch}"),
    ]


def committed(written: Sequence[Written]) -> Committed:
    """What the store's answers to `writes` say."""
    # Answers come in the order of `writes`; all completions of one commit have one time.
    of_batch, of_first_completion = written[0], written[1]
    results = of_batch.results
    return Committed(
        counts=Counts(**{outcome.value: results[name] for outcome, name in COUNTER.items()}),
        total_predictions=results["total_predictions_subcoll"],
        written_at=of_batch.update_time,
        completed_at=of_first_completion.results["completed_at"],
    )


def _in_arrays(completions: Sequence[Completion], predictions: int) -> dict[str, Any]:
    # The legacy total, for readers that know the array alone.
    unions = {name: Union(tuple(players)) for name, players in array_players(completions).items()}
    return {"total_predictions": Increment(predictions), **unions}
