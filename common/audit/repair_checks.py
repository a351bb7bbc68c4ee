"""Repairs that others carry out: whether players who were asked for again have come, with their rows.

Asking hides a defect before it mends it: the counters are right again, and the player is still away. So only
what is seen here to have arrived lets a finding end.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from ..batches.completion import Completion
from ..batches.records import Batch, BatchStatus
from ..findings import Finding, Pending, Tracked
from ..messages import PlayerOutcome
from ..result import Result
from ..texts import counted
from .batches_seen import Batches, Seen
from .in_turn import Turn, concluded, walk
from .outcomes import Cost, Outcome, Unknown
from .stores import FIRESTORE

REPAIRS: Final = "repairs"
_ON_THE_WAY: Final = (BatchStatus.COMPLETE, BatchStatus.PARTIAL, BatchStatus.CONSOLIDATING)


def check_repairs(batches: Batches, seen: Result[Seen], pending: Sequence[Tracked], turn: Turn) -> Outcome:
    """The findings whose repair is waited for. Those that it has arrived for are among what this check has
    looked at, by their ids.

    Reads the documents of the players who were asked for, and no others. What cannot be read is waited for.
    """
    if seen.error is not None:
        return Unknown(store=FIRESTORE, error=seen.error)
    known = seen.unwrap()
    by_batch: dict[str, list[Tracked]] = defaultdict(list)
    for each in pending:
        by_batch[each.finding.scope.name].append(each)
    there = [batch for batch in known.batches if batch.batch_id in by_batch]
    asked_for = {batch.batch_id: _players(by_batch[batch.batch_id]) for batch in there}
    # By the names that were asked for: a batch of hundreds is not read for the sake of three.
    read = walk(there, lambda batch: batches.ended(batch, asked_for[batch.batch_id]), turn)
    waiting = [
        awaited(each, ended)
        for batch in there
        for ended in [read.found.get(batch.batch_id)]
        for each in by_batch[batch.batch_id]
        if not has_arrived(each, batch, ended)
    ]
    # A batch that is gone is waited for by nobody.
    looked_at = {each.finding_id for batch_id in {*asked_for, *known.gone} for each in by_batch[batch_id]}
    return concluded(
        REPAIRS,
        read,
        waiting,
        there,
        also=frozenset(looked_at - {each.finding_id for each in waiting}),
        cost=Cost(reads=sum(len(asked_for[batch_id]) for batch_id in read.found)),
    )


def _players(pending: Sequence[Tracked]) -> frozenset[str]:
    """Everybody whom these repairs have asked for, in one batch."""
    return frozenset(name for each in pending if each.pending for name in each.pending.ids)


def has_arrived(tracked: Tracked, batch: Batch, ended: Mapping[str, Completion] | None) -> bool:
    """Whether every player who was asked for was heard of, and their batch is not on its way to the main
    table. Nobody waits for a batch that was given up. Pure; `ended` is None where it could not be read."""
    if batch.status is BatchStatus.ABANDONED:
        return True
    return ended is not None and not missing(tracked.pending, ended) and batch.status not in _ON_THE_WAY


def missing(pending: Pending | None, ended: Mapping[str, Completion]) -> tuple[str, ...]:
    """Who was asked for and was not heard of: none, or the time-out that stands in for him.

    In the order in which they were asked for.
    """
    wanted = pending.ids if pending else ()
    return tuple(
        name for name in wanted if name not in ended or ended[name].outcome is PlayerOutcome.TIMED_OUT
    )


def awaited(tracked: Tracked, ended: Mapping[str, Completion] | None) -> Finding:
    """The finding as it stands while its repair is waited for, with the players who have not come yet."""
    pending = tracked.pending
    assert pending is not None
    names = pending.ids if ended is None else missing(pending, ended)
    since = f"its repair was asked for at {pending.asked_at:%H:%M} UTC"
    what_is_left = f"{counted(len(names), 'player', 'have')} not come yet" if names else "goes on"
    # The players who were found missing stay named where all have come: the batch itself is still on its way.
    return replace(tracked.finding, ids=names or tracked.finding.ids, summary=f"{since}, and {what_is_left}")
