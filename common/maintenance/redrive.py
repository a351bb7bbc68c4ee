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
from datetime import timedelta
from functools import partial
from typing import Any, Final, Protocol
from uuid import uuid4

from ..batches.batch_store import MAX_ATTEMPTS, contended
from ..batches.batches import Batches
from ..batches.changes import Change
from ..batches.records import Batch, BatchStatus, Progress, batch_path
from ..batches.timeline import entry
from ..messages import Message, PredictionRequest
from ..result import ErrorInfo, Result, ResultError, returns_result
from ..texts import counted
from ..topics import PREDICTION_REQUEST, Topic

MAX_REDRIVES: Final = 10
"""Per batch: a request that never succeeds must not be repeated for ever. After these a person has to
look."""

MakeRequest = Callable[[Batch, str], PredictionRequest]
"""The request of one player, see `requests.Requests.of`."""


class RequestPublisher(Protocol):
    """Publishes many messages; returns their ids in order."""

    def publish_all(self, topic: Topic, messages: Sequence[Message]) -> Result[list[str]]:
        """Ids of the messages, in order; a failure may have published some."""


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
    not_within: timedelta | None = None,
    prepare: Callable[[tuple[str, ...]], Result[Any]] | None = None,
) -> Redriven:
    """Publish `request(batch, player)` for every missing player, those who were timed out included.

    `players`: whom the caller chose instead, such as those that failed. Nobody missing: nothing is published
    or counted. PERMANENT (NotRedriven) for a batch without a manifest (nobody knows who is missing), one that
    was abandoned, and after MAX_REDRIVES; else the failures of the store and the publisher.

    Repeating it asks again, and counts again; two at once count both. With a `token` of the caller's own,
    which no other redrive bears, a repeat counts once, even after a crash. Whoever was asked for `not_within`
    this time is left out, by whichever call, and so asked for once by several at the same time.

    `prepare` is called with those who are asked for once they are counted and before anything is published:
    no answer to this redrive can have come yet, and, with `not_within`, nobody else asks for them meanwhile.
    Its failure is the redrive's; what was counted then stays counted.
    """
    # Counted before publishing: a crash in between counts one too many, never one too few.
    own = token or uuid4().hex
    for _ in range(MAX_ATTEMPTS):
        progress = batches.progress(batch_id).unwrap()
        wanted = _wanted(batches, progress, players, not_within)
        if not wanted:
            return Redriven(players=(), message_ids=())
        # Only who leaves out those just asked for has to be the next one: else two would leave out nobody.
        after = None if not_within is None else progress.batch.redrives
        counted = batches.store.compare_and_set(
            batch_id, partial(count, missing=wanted, token=own, after=after), seen=progress.batch
        ).unwrap()
        # Not ours: somebody was counted between the reading and the commit, who may have asked for the same.
        if counted.batch.last_redrive == own:
            if prepare is not None:
                prepare(wanted).unwrap()
            requests = [request(counted.batch, name) for name in wanted]
            ids = publisher.publish_all(PREDICTION_REQUEST, requests).unwrap()
            return Redriven(players=wanted, message_ids=tuple(ids))
    raise ResultError(contended(batch_id))


def _wanted(
    batches: Batches, progress: Progress, players: tuple[str, ...] | None, not_within: timedelta | None
) -> tuple[str, ...]:
    stands_against_it = refusal(progress.batch)
    if stands_against_it is not None:
        raise ResultError(stands_against_it)
    wanted = _missing(progress) if players is None else players
    if not_within is None or not wanted:
        return wanted
    asked = _asked_within(batches, progress.batch, not_within)
    return tuple(name for name in wanted if name not in asked)


def _asked_within(batches: Batches, batch: Batch, span: timedelta) -> frozenset[str]:
    """Who was asked for lately, by the server's clock: the story of the batch tells of each redrive."""
    paths = [_told_at(batch, number + 1) for number in range(batch.redrives)]
    told = batches.store.documents.get(paths).unwrap() if paths else {}
    lately = [each.data for each in told.values() if batch.read_time - each.data["at"] < span]
    return frozenset(name for each in lately for name in each["players"])


def asked_last(batches: Batches, batch: Batch) -> tuple[str, ...]:
    """Whom the batch's last redrive has counted, in the order of their names; () where there was none."""
    if not batch.redrives:
        return ()
    path = _told_at(batch, batch.redrives)
    told = batches.store.documents.get([path]).unwrap().get(path)
    return tuple(told.data["players"]) if told is not None else ()


def _told_at(batch: Batch, number: int) -> str:
    """Where the story of the batch tells of its redrive of that number, counted from 1."""
    return f"{batch_path(batch.batch_id)}/timeline/redriven-{number}"


def _missing(progress: Progress) -> tuple[str, ...]:
    if progress.missing is None:
        raise ResultError(_refused(progress.batch, "has no manifest: who is missing is not known"))
    return progress.missing


def refusal(batch: Batch) -> ErrorInfo | None:
    """Why nobody of the batch is asked for again, whoever is missing; None where that may be."""
    if batch.status is BatchStatus.ABANDONED:
        return _refused(batch, "was abandoned")
    return None


def count(
    batch: Batch, *, missing: Sequence[str], token: str, after: int | None = None
) -> Result[Change | None]:
    """The commit that counts one redrive, by the number that it was read with.

    `token` is of this redrive: a commit whose answer was lost is known by it and counts once. None, and
    nothing is counted, where there were not `after` redrives before it: somebody has asked meanwhile.
    """
    if batch.last_redrive == token:
        return Result.success(None)
    if after is not None and batch.redrives != after:
        return Result.success(None)
    if batch.redrives >= MAX_REDRIVES:
        return Result.failure(_refused(batch, f"was redriven {MAX_REDRIVES} times"))
    fields: dict[str, Any] = {"redrives": batch.redrives + 1, "last_redrive": token}
    story = entry(f"redriven-{batch.redrives + 1}", counted(len(missing), "player"), players=list(missing))
    return Result.success(Change(fields=fields, sets=story, then=lambda at: batch.as_written(at, **fields)))


def _refused(batch: Batch, why: str) -> ErrorInfo:
    return ErrorInfo.permanent("NotRedriven", f"batch {batch.batch_id!r} {why}")
