"""Ask again for the players that no worker spoke for, and for nobody else.

    redrive    p is missing ── counted ── publishes a request for p
    worker 1        had p all along ── completes p: recorded
    worker 2                                      completes p: duplicate, its marker is there

Of two answers for one player the first is counted and the second refused, or the better one stands; a batch
that is closed is reopened with a new generation by a late one. So a request too many costs work, never a
wrong count.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import uuid4

from ..batches.batches import Batches
from ..batches.changes import Change
from ..batches.records import Batch, BatchStatus, Progress
from ..batches.timeline import entry
from ..messages import Message, PredictionRequest
from ..result import ErrorInfo, Result, ResultError, returns_result
from ..topics import PREDICTION_REQUEST, Topic

MAX_REDRIVES: Final = 10
"""Per batch: a request that never succeeds must not be repeated for ever. After these a person has to
look."""

MakeRequest = Callable[[Batch, str], PredictionRequest]
"""The request of one player, see `requests.Requests.of`."""


class RequestPublisher(Protocol):
    """Publishes many messages; returns their ids in order."""

    def publish_all(self, topic: Topic, messages: Sequence[Message]) -> Result[list[str]]: ...


@dataclass(frozen=True, kw_only=True)
class Redriven:
    """Who was asked for again; each worker endures to be asked twice."""

    players: tuple[str, ...]
    message_ids: tuple[str, ...]


@returns_result
def redrive(
    batches: Batches,
    publisher: RequestPublisher,
    batch_id: str,
    request: MakeRequest,
    *,
    players: tuple[str, ...] | None = None,
    token: str | None = None,
) -> Redriven:
    """Publish `request(batch, player)` for every missing player, those who were timed out included.

    `players`: whom the caller chose instead, such as those that failed. Nobody missing: nothing is published
    or counted. PERMANENT (NotRedriven) for a batch without a manifest (nobody knows who is missing), one that
    was abandoned, and after MAX_REDRIVES; else the failures of the store and the publisher. Repeating it asks
    again, and counts again; two at once count both. With a `token` of the caller's own, which no other
    redrive bears, a repeat counts once, even after a crash.
    """
    progress = batches.progress(batch_id).unwrap()
    if progress.batch.status is BatchStatus.ABANDONED:
        raise ResultError(_refused(progress.batch, "was abandoned"))
    missing = _missing(progress) if players is None else players
    if not missing:
        return Redriven(players=(), message_ids=())
    # Counted before publishing: a crash in between counts one too many, never one too few.
    own = token or uuid4().hex
    counted = batches.store.compare_and_set(
        batch_id, lambda batch: count(batch, missing, own), seen=progress.batch
    ).unwrap()
    requests = [request(counted.batch, name) for name in missing]
    ids = publisher.publish_all(PREDICTION_REQUEST, requests).unwrap()
    return Redriven(players=missing, message_ids=tuple(ids))


def _missing(progress: Progress) -> tuple[str, ...]:
    if progress.missing is None:
        raise ResultError(_refused(progress.batch, "has no manifest: who is missing is not known"))
    return progress.missing


def count(batch: Batch, missing: Sequence[str], token: str) -> Result[Change | None]:
    """The commit that counts one redrive, by the number that it was read with.

    `token` is of this redrive: a commit whose answer was lost is known by it and counts once.
    """
    if batch.last_redrive == token:
        return Result.success(None)
    if batch.redrives >= MAX_REDRIVES:
        return Result.failure(_refused(batch, f"was redriven {MAX_REDRIVES} times"))
    fields: dict[str, Any] = {"redrives": batch.redrives + 1, "last_redrive": token}
    story = entry(f"redriven-{batch.redrives + 1}", f"{len(missing)} players", players=list(missing))
    return Result.success(Change(fields=fields, sets=story, then=lambda at: batch.as_written(at, **fields)))


def _refused(batch: Batch, why: str) -> ErrorInfo:
    return ErrorInfo.permanent("NotRedriven", f"batch {batch.batch_id!r} {why}")
