"""Decisions about batches: facts in, decision out. No clock, no I/O."""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from ..messages import PlayerOutcome
from ..texts import counted
from .completion import Completion
from .records import Batch, BatchStatus, Counts

MAX_ARRAY_ELEMENTS: Final = 1_000
"""More players than this do not go into the legacy array: each commit rewrites it, each element costs an
index entry (40,000 a document), and all of it has to fit into 1 MiB."""
ARRAY_WARNING_ELEMENTS: Final = MAX_ARRAY_ELEMENTS * 9 // 10
"""From here on people are warned: time to migrate the batch."""
TRIGGER_GRACE: Final = timedelta(seconds=60)
"""How long a claim of a trigger's publishing holds: longer than publishing it and noting it may take, so that
only who has crashed is overtaken."""
CONSISTENCY_SAMPLE_PCT: Final = 10
"""Percent of the events of a batch that writes both schemas after which the two are compared."""


def closing_status(counts: Counts, *, expected: int, min_completion_pct: float) -> BatchStatus:
    """How a batch closes whose players have all ended; the deadline's decision is in `counts.timed_out`."""
    if counts.timed_out == 0:
        return BatchStatus.COMPLETE
    is_enough = reported_pct(counts, expected) >= min_completion_pct
    return BatchStatus.PARTIAL if is_enough else BatchStatus.FAILED


def ended_so_far(batch: Batch) -> str:
    """`2 of 3 players have ended`, those included that the deadline ended."""
    return f"{batch.counts.ended:,} of {counted(batch.expected_players, 'player', 'have')} ended"


def reported_pct(counts: Counts, expected: int) -> float:
    """Share of players that a worker spoke for, 0 to 100; an empty batch is whole."""
    # At most all: a count that overshot must not read as more.
    return 100.0 if expected == 0 else min(100.0, 100.0 * counts.reported / expected)


def completion_pct(counts: Counts, expected: int) -> float:
    """Share of players that need no more work (completed or skipped), 0 to 100: what phase 6 decides on."""
    return 100.0 if expected == 0 else min(100.0, 100.0 * (counts.completed + counts.skipped) / expected)


RANK: Final = (
    PlayerOutcome.TIMED_OUT,
    PlayerOutcome.FAILED,
    PlayerOutcome.SKIPPED,
    PlayerOutcome.COMPLETED,
)
"""Of different outcomes of one player the last of these stands, in whatever order they came."""


def outdoes(new: Completion, found: Completion) -> bool:
    """Whether `new` replaces what stands for its player.

    A completion that is known by its name alone gives way to one that says where its rows are.
    """
    # By rank alone, never by time: the order of arrival decides nothing.
    is_better = RANK.index(new.outcome) > RANK.index(found.outcome)
    fills_in = found.is_known_by_name_only and new.staging_table is not None
    return is_better or (fills_in and new.outcome is found.outcome)


def is_overdue(batch: Batch, now: datetime) -> bool:
    """Whether it is open past its deadline. A batch without one, as of the legacy system, never is."""
    return batch.status is BatchStatus.OPEN and batch.deadline is not None and batch.deadline <= now


def is_claimable(batch: Batch) -> bool:
    """Whether the publishing of a trigger is free to claim, by the server's clock.

    Nobody is at it, or whoever claimed it has had the time to publish it and to note it, and has not.
    """
    if batch.trigger_claim is None or batch.trigger_claimed_at is None:
        return True
    return batch.read_time - batch.trigger_claimed_at >= TRIGGER_GRACE


def is_sampled(batch_id: str, player_lookup: str, pct: int = CONSISTENCY_SAMPLE_PCT) -> bool:
    """Whether this player's event checks the consistency of a batch that writes both schemas.

    Deterministic, so that a redelivery decides alike.
    """
    digest = hashlib.sha256(f"{batch_id}/{player_lookup}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < pct
