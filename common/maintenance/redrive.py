"""Ask again for the players that no worker spoke for, and for nobody else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from google.cloud import firestore

from ..batches.batches import Batches, Progress
from ..batches.records import Batch, BatchStatus
from ..batches.store import Change
from ..batches.timeline import entry
from ..messages import Message, PredictionRequest
from ..result import ErrorInfo, Result
from ..topics import PREDICTION_REQUEST, Topic

MAX_REDRIVES: Final = 10
"""Per batch: a request that never succeeds must not be repeated for ever."""

MakeRequest = Callable[[Batch, str], PredictionRequest]


class RequestPublisher(Protocol):
    def publish_all(self, topic: Topic, messages: Sequence[Message]) -> Result[list[str]]: ...


@dataclass(frozen=True, kw_only=True)
class Redriven:
    """Who was asked for again; each worker endures to be asked twice."""

    players: tuple[str, ...]
    message_ids: tuple[str, ...]


def redrive(
    batches: Batches, publisher: RequestPublisher, batch_id: str, request: MakeRequest
) -> Result[Redriven]:
    """Publish `request(batch, player)` for every missing player, also for those who were timed out.

    PERMANENT for a batch without a manifest (nobody knows who is missing), one that was abandoned, and after
    MAX_REDRIVES. Repeating it asks again.
    """
    return (
        batches.progress(batch_id)
        .and_then(_missing)
        .and_then(lambda found: _count(batches, found).map(lambda _: found))
        .and_then(lambda found: _publish(publisher, found, request))
    )


def _missing(progress: Progress) -> Result[tuple[Batch, tuple[str, ...]]]:
    batch = progress.batch
    if progress.missing is None:
        return Result.failure(_refused(batch, "has no manifest: who is missing is not known"))
    if batch.status is BatchStatus.ABANDONED:
        return Result.failure(_refused(batch, "was abandoned"))
    return Result.success((batch, progress.missing))


def _count(batches: Batches, found: tuple[Batch, tuple[str, ...]]) -> Result[None]:
    """Before publishing: a crash in between counts one too many, never one too few."""
    batch, missing = found
    if not missing:
        return Result.success(None)
    if batch.redrives >= MAX_REDRIVES:
        return Result.failure(_refused(batch, f"was redriven {MAX_REDRIVES} times"))
    story = entry(f"redriven-{batch.redrives + 1}", f"{len(missing)} players", players=list(missing))
    change = Change(fields={"redrives": firestore.Increment(1)}, sets=story)
    return batches.store.amend(batch.batch_id, lambda _: Result.success(change)).map(lambda _: None)


def _publish(
    publisher: RequestPublisher, found: tuple[Batch, tuple[str, ...]], request: MakeRequest
) -> Result[Redriven]:
    batch, missing = found
    published = publisher.publish_all(PREDICTION_REQUEST, [request(batch, name) for name in missing])
    return published.map(lambda ids: Redriven(players=missing, message_ids=tuple(ids)))


def _refused(batch: Batch, why: str) -> ErrorInfo:
    return ErrorInfo.permanent("NotRedriven", f"batch {batch.batch_id!r} {why}")
