"""When a running batch is expected to end: by its own pace, and by how the batches before it went.

One definition for the audit, the status page and the operator's commands: they must not tell different times
of one batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from ..batches.expected_end import ExpectedEnd, expected_end, profile
from ..batches.records import Batch, BatchStatus
from ..result import ErrorInfo, Result
from .batches_seen import Seen, Wanted

PAST_DAYS: Final = 3
"""Of so many days before it the batches tell how a batch goes."""
PAST_BATCHES: Final = 3
"""The latest of them: a read per completion of each."""


class Readable(Protocol):
    """Batches as an expected end needs them."""

    def seen(self, wanted: Wanted) -> Result[Seen]:
        """Which batches there are."""

    def times(self, batch: Batch) -> Result[tuple[datetime | None, list[datetime]]]:
        """When it was opened, and when each of its players was done: a read for each."""
        ...


@dataclass(frozen=True, kw_only=True)
class Past:
    """How the batches before a date went; none, where there were none or nobody could read them."""

    profiles: tuple[Sequence[float], ...] = ()
    """As `expected_end` takes them, the latest last."""
    reads: int = 0
    """Documents, as Firestore bills them."""
    error: ErrorInfo | None = None
    """Why some of them are not here that should be: for who may not take a poorer guess for an answer."""


def past_of(batches: Readable, game_date: date) -> Past:
    """How the last consolidated batches before that date went.

    Never fails: a batch that cannot be read only makes the guess poorer.
    """
    asked = batches.seen(Wanted(since=game_date - timedelta(days=PAST_DAYS)))
    if asked.data is None:
        return Past(error=asked.error)
    before = (batch for batch in asked.data.batches if batch.game_date < game_date)
    over = [batch for batch in before if batch.status is BatchStatus.CONSOLIDATED]
    over.sort(key=lambda batch: (batch.game_date, batch.batch_id))
    answers = [batches.times(batch) for batch in over[-PAST_BATCHES:]]
    read = [answer.data for answer in answers if answer.data is not None]
    return Past(
        profiles=tuple(profile(times, started) for started, times in read if started is not None),
        reads=asked.data.reads + sum(1 + len(times) for _, times in read),
        error=next((answer.error for answer in answers if answer.error is not None), None),
    )


def end_of(
    batch: Batch,
    started_at: datetime | None,
    completed_at: Sequence[datetime],
    *,
    now: datetime,
    past: Past,
) -> ExpectedEnd | None:
    """Its expected end; None where nobody can say, and for one that is not open: that one has an end. Pure.

    `started_at` and `completed_at` are its `times`, `past` is that of its date.
    """
    if batch.status is not BatchStatus.OPEN or started_at is None:
        return None
    return expected_end(
        completed_at, expected=batch.expected_players, started_at=started_at, now=now, past=past.profiles
    )
