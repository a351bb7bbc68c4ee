"""A read for each of many batches: a bounded number at a time, as long as there is time, and on from where
the last run had to stop.

    last run   1 2 3 4 5 6 7 │ 8 9        stopped after 7
    this run   8 9 1 2 3 4 5 6 7
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, TypeVar

from ..batches.records import Batch
from ..chunks import chunks
from ..findings import Finding
from ..result import ErrorInfo, ErrorType, Result
from .outcomes import Cost, Outcome, Unknown, outcome_of
from .stores import FIRESTORE
from .unreadable import is_unreadable, unreadable_in_batch

V = TypeVar("V")

AT_ONCE: Final = 16
"""A read waits for the network for ten times as long as it computes."""
CHUNK: Final = 64
"""After so many it is looked whether to go on: whether the time is up, whether the store answers."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What one run grants one check."""

    seconds_left: Callable[[], float]
    after: str | None = None
    """The last batch that the run before it came to; None: it came to all."""

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return self.seconds_left() <= 0

    def part(self, share: float) -> "Turn":
        """This share of the time that is left now, for the first of two things to do."""
        kept_seconds = (1 - share) * self.seconds_left()
        return replace(self, seconds_left=lambda: self.seconds_left() - kept_seconds)


UNHURRIED: Final = Turn(seconds_left=lambda: 86_400.0)
"""For whoever waits until all is done."""


@dataclass(frozen=True, kw_only=True)
class Resume:
    """Where the next run takes up a check that this one had to stop."""

    check: str
    after: str | None
    """The last batch that it came to; None: it did not come to any."""


@dataclass(kw_only=True)
class Walked(Generic[V]):
    """What was read, and what was not."""

    found: dict[str, V] = field(default_factory=dict)
    """By batch, in the order of the walk."""
    errors: dict[str, ErrorInfo] = field(default_factory=dict)
    left: int = 0
    """How many it did not come to: the time was up, or nobody answered any more."""
    after: str | None = None
    """The last batch that it came to."""

    @property
    def faults(self) -> list[ErrorInfo]:
        """Why the store did not answer, where it did not."""
        return [each for each in self.errors.values() if not is_unreadable(each)]


def in_turn(batches: Sequence[Batch], after: str | None) -> list[Batch]:
    """By id, those first that come after this one. Pure."""
    ordered = sorted(batches, key=lambda batch: batch.batch_id)
    if after is None:
        return ordered
    later = [batch for batch in ordered if batch.batch_id > after]
    return [*later, *ordered[: len(ordered) - len(later)]]


def walk(batches: Sequence[Batch], read: Callable[[Batch], Result[V]], turn: Turn) -> Walked[V]:
    """What `read` says of each, from where the last run had to stop, until the time is up.

    A batch that cannot be read keeps no other from being read; where a whole chunk gets no answer, the store
    is away, and nobody asks it thousands of times. `read` may be called from several threads, and may be
    asked again by the next run.
    """
    walked = Walked[V](after=turn.after)
    ordered = in_turn(batches, turn.after)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for some in chunks(ordered, CHUNK):
            # Looked at between chunks: a chunk that has begun is finished, in seconds.
            if turn.is_over:
                break
            answers = list(zip(some, pool.map(read, some), strict=True))
            failed = {batch.batch_id: answer.error for batch, answer in answers if answer.error is not None}
            walked.errors |= failed
            walked.found |= {batch.batch_id: answer.unwrap() for batch, answer in answers if not answer.error}
            if len(failed) == len(some) and all(each.type is ErrorType.TRANSIENT for each in failed.values()):
                break
            # Only a chunk that was answered counts as come to: one that was not is walked over again.
            walked.after = some[-1].batch_id
    walked.left = len(ordered) - len(walked.found) - len(walked.errors)
    return walked


def concluded(
    check: str,
    walked: Walked[Any],
    findings: Sequence[Finding],
    batches: Sequence[Batch],
    *,
    also: frozenset[str] = frozenset(),
    cost: Cost,
) -> Outcome:
    """The outcome of a check that walked over `batches`: Unknown where the store did not answer for some,
    else what was found.

    `also` are scopes that it need not walk to. Documents that make no sense are findings of this check.
    """
    by_id = {batch.batch_id: batch for batch in batches}
    unreadable = [
        unreadable_in_batch(check, by_id[batch_id], error)
        for batch_id, error in walked.errors.items()
        if is_unreadable(error)
    ]
    where: dict[str, Any] = {
        "looked_at": walked.found.keys() | also,
        "cost": cost,
        "left": walked.left,
        # Only what was left is resumed: a store that failed for some batches is asked about all of them
        # again.
        "resume_after": walked.after if walked.left else None,
    }
    found = (*findings, *unreadable)
    if walked.faults:
        return Unknown(store=FIRESTORE, error=walked.faults[0], findings=found, **where)
    return outcome_of(found, **where)
