"""What an audit asks of batches and what it is told, as records: all as of one moment."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from ..batches.completion import Completion
from ..batches.differences import Totals
from ..batches.records import Batch
from ..consolidation.receipt import Receipt
from ..result import ErrorInfo, Result


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which batches: this one, those of a date, or whatever may be stuck and all since a date."""

    batch_id: str | None = None
    game_date: date | None = None
    since: date
    """With neither batch nor date: every batch of this game date or a later one, and whatever is
    unsettled."""
    also: frozenset[str] = frozenset()
    """Batches with an open finding: only who looks again can find it over."""

    @property
    def is_limited(self) -> bool:
        """Whether one batch or one date is asked for, and not all."""
        return self.batch_id is not None or self.game_date is not None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The batches as of `read_time`, in the order of their ids."""

    batches: tuple[Batch, ...]
    unreadable: tuple[tuple[str, ErrorInfo], ...]
    """Batch id and why."""
    gone: frozenset[str]
    """Asked for, and not there (any more)."""
    read_time: datetime
    reads: int
    """Documents, as Firestore bills them."""

    @property
    def batch_ids(self) -> frozenset[str]:
        """Every batch that the reading can say something of: found, unreadable or gone."""
        there = {batch.batch_id for batch in self.batches} | {batch_id for batch_id, _ in self.unreadable}
        return frozenset(there | self.gone)


@dataclass(frozen=True, kw_only=True)
class Details:
    """All that a batch's documents tell, as of the moment at which the batch was read."""

    documents: dict[str, Completion]
    """By lookup key."""
    expected: frozenset[str] | None
    """The players of the manifest; None where none was ever stored."""
    reads: int
    """Documents, as Firestore bills them."""


class Batches(Protocol):
    """What the checks of batches ask; a failure is "could not look", or names the document that is none."""

    def seen(self, wanted: Wanted) -> Result[Seen]:
        """Which batches there are, as of one moment."""

    def totals(self, batch: Batch) -> Result[Totals]:
        """Counts of the batch's documents, as of the moment at which it was read."""

    def details(self, batch: Batch) -> Result[Details]:
        """All documents of the batch, as of that moment."""

    def receipt(self, batch: Batch) -> Result[Receipt | None]:
        """The receipt of its latest consolidation; None where the legacy system consolidated."""

    def times(self, batch: Batch) -> Result[tuple[datetime | None, list[datetime]]]:
        """When it was opened, and when each of its players was done, ascending."""

    def ended(self, batch: Batch, players: Collection[str]) -> Result[dict[str, Completion]]:
        """How these players have ended, those that have."""
