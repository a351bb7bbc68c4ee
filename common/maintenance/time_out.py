"""Speaks for the players who were not heard of by the deadline, so that every player ends in one outcome."""

from collections.abc import Sequence
from typing import Final

from ..batches.batches import Batches, Progress
from ..batches.records import Batch, Completion
from ..batches.store import FAULTS, MAX_ATTEMPTS, REFUSED, contended
from ..messages import PlayerOutcome
from ..recorder.array_commit import ArrayCommit
from ..recorder.commit_request import build, send_blocking
from ..result import ErrorInfo, Result, ResultError

CHUNK: Final = 200
EVENT_ID: Final = "deadline"
REASON: Final = "not heard of by the deadline"


def time_out_missing(batches: Batches, batch_id: str) -> Result[tuple[str, ...]]:
    """Record whoever has not ended as timed out, until nobody is missing; returns who is timed out now.

    Runs beside live recorders: of a completion and a time-out for the same player the store takes one, and a
    refused commit has written nothing. Repeating it times out only who is still missing.
    """
    for _ in range(MAX_ATTEMPTS):
        found = batches.progress(batch_id)
        if found.error is not None:
            return Result.failure(found.error)
        progress = found.unwrap()
        names = _not_ended(progress)
        if not names:
            return Result.success(progress.timed_out)
        try:
            for start in range(0, len(names), CHUNK):
                _record(batches, progress.batch, names[start : start + CHUNK])
        except REFUSED:
            continue  # a completion was faster, or the batch changed its mode: look again
        except ResultError as exc:
            return Result.failure(exc.error)
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, batch_id=batch_id))
    return Result.failure(contended(batch_id))


def _not_ended(progress: Progress) -> list[str]:
    """In the order of their names; empty where nobody knows who is expected."""
    timed_out = set(progress.timed_out)
    return [name for name in progress.missing or () if name not in timed_out]


def _record(batches: Batches, batch: Batch, names: Sequence[str]) -> None:
    """One commit; raises what the store raises. In mode `legacy` whoever has ended meanwhile is left out."""
    completions = [_timed_out(name) for name in names]
    if not batch.schema_mode.writes_subcollection:
        for answer in ArrayCommit(batches.store, batch).record(completions):
            answer.unwrap()
        return
    send_blocking(batches.store.db, build(batches.store.db, batch, completions))


def _timed_out(name: str) -> Completion:
    return Completion(
        player_lookup=name,
        outcome=PlayerOutcome.TIMED_OUT,
        predictions_count=0,
        event_id=EVENT_ID,
        reason=REASON,
    )
