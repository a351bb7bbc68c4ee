"""Batches: opened with a frozen set of players, read, and taken through their consolidation.

Recording is in `recorder/`, closing in `closing`, deadlines in `maintenance/`. Every operation is idempotent:
what is done already is a success.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, Final

from ..documents.port import Documents, is_refused
from ..messages import PlayerOutcome
from ..result import Result, returns_result
from ..schema_mode import SchemaMode
from . import transitions
from .batch_store import BatchStore, Settled
from .completion import Completion
from .records import Batch, Progress, Roster

DEFAULT_MIN_COMPLETION_PCT: Final = 95.0
"""Percent of the players that a worker must have spoken for by the deadline, for the batch to be
consolidated."""


class Batches:
    """The batches of one database; safe to share between threads. `mode` is stamped on what it opens."""

    def __init__(self, documents: Documents, *, mode: SchemaMode = SchemaMode.SUBCOLLECTION) -> None:
        self.store = BatchStore(documents)
        self._mode = mode

    @returns_result
    def open(
        self,
        batch_id: str,
        game_date: date,
        expected_players: Collection[str],
        *,
        deadline: datetime,
        min_completion_pct: float = DEFAULT_MIN_COMPLETION_PCT,
        correlation_id: str | None = None,
        dataset_prefix: str = "",
    ) -> Batch:
        """Create the batch and freeze its players; never overwrites. Returns the batch as it is.

        `deadline` is aware. `expected_players` are names or keys, at most 20,000. Opening again with the same
        date and set returns the batch as it is, however far it is; with another one it is a PERMANENT failure
        (InvalidBatch), as are two players of one key. An empty set is complete at once: see
        `Batch.owes_trigger`. One commit; by two at once, both get the one batch.
        """
        # Whoever opens a batch loads it: the functions only find batches that are open.
        from .opening import prepare

        opening = prepare(
            batch_id=batch_id,
            game_date=game_date,
            expected_players=expected_players,
            mode=self._mode,
            deadline=deadline,
            min_completion_pct=min_completion_pct,
            correlation_id=correlation_id,
            dataset_prefix=dataset_prefix,
        ).unwrap()
        opened = self.store.documents.commit(opening.writes())
        # Refused: opened before, perhaps by this very call. Reading back tells as what. Else it is a fault.
        if not is_refused(opened):
            opened.unwrap()
        return opening.check(self.get(batch_id).unwrap()).unwrap()

    def get(self, batch_id: str) -> Result[Batch]:
        """The batch now; "not yet" if it does not exist."""
        return self.store.get(batch_id)

    def roster(self, batch_id: str) -> Result[Roster]:
        """The batch and its frozen players, in one reading."""
        return self.store.roster(batch_id)

    @returns_result
    def completions(self, batch_id: str) -> list[Completion]:
        """How each player ended that has ended, in the order of their names."""
        return self.ended(self.get(batch_id).unwrap()).unwrap()

    @returns_result
    def progress(self, batch_id: str) -> Progress:
        """Who is missing, who was timed out and who was not expected, by name."""
        roster = self.roster(batch_id).unwrap()
        # Read after the roster: who ends in between is not told as missing.
        ended = self.ended(roster.batch).unwrap()
        timed_out = {one.player_lookup for one in ended if one.outcome is PlayerOutcome.TIMED_OUT}
        reported = {one.player_lookup for one in ended} - timed_out
        return Progress(
            batch=roster.batch,
            missing=None if roster.players is None else tuple(sorted(roster.players - reported)),
            timed_out=tuple(sorted(timed_out)),
            unexpected=self.store.unexpected(batch_id).unwrap(),
        )

    @returns_result
    def start_consolidation(self, batch_id: str, generation: int, *, seen: Batch | None = None) -> Batch:
        """`complete` | `partial` → `consolidating`; returns the batch as it is then.

        Under way or done already: unchanged. PERMANENT, and nothing is changed, for a batch that is not
        closed or is abandoned (WrongBatchStatus), and for a generation that it has not reached
        (WrongGeneration). `seen`, the batch as the caller read it, saves the reading here and below: it
        counts only where nobody has changed the batch since.
        """
        settled = self.store.compare_and_set(
            batch_id, lambda batch: transitions.start_consolidation(batch, generation), seen=seen
        )
        return settled.unwrap().batch

    def finish_consolidation(
        self,
        batch_id: str,
        generation: int,
        fence: int,
        receipt: Mapping[str, Any],
        *,
        known_as: Mapping[str, Any] | None = None,
        seen: Batch | None = None,
    ) -> Result[Settled]:
        """Store `receipts/{fence}`; `consolidated`, unless a newer generation waits. One commit for both.

        `known_as` are fields of the batch by which the receipt is known again. Unchanged where the generation
        has its receipt already: perhaps ours, whose answer was lost.
        """
        return self.store.compare_and_set(
            batch_id,
            lambda batch: transitions.finish_consolidation(
                batch, generation=generation, fence=fence, receipt=receipt, known_as=known_as
            ),
            seen=seen,
        )

    @returns_result
    def note_phase_message(
        self, batch_id: str, generation: int, message_id: str, *, seen: Batch | None = None
    ) -> None:
        """Note that the end of the phase was announced; nothing if this or a later generation has a note."""
        self.store.compare_and_set(
            batch_id, lambda batch: transitions.announce(batch, generation, message_id), seen=seen
        ).unwrap()

    @returns_result
    def abandon(self, batch_id: str, *, who: str, why: str) -> Batch:
        """Give up a batch that is not being consolidated: it is never triggered (again).

        What still arrives for it is recorded. PERMANENT (WrongBatchStatus) once its consolidation has
        started. Again: nothing.
        """
        settled = self.store.compare_and_set(batch_id, lambda batch: transitions.abandon(batch, who, why))
        return settled.unwrap().batch

    @returns_result
    def ended(self, batch: Batch) -> list[Completion]:
        """As `completions`, for a batch that was read already."""
        if not batch.schema_mode.writes_subcollection:
            # In the order of the documents of the other modes.
            return [batch.in_array[name] for name in sorted(batch.in_array)]
        return list(self.documents(batch).unwrap().values())

    def documents(self, batch: Batch) -> Result[dict[str, Completion]]:
        """The completion documents by player, whatever the mode of the batch."""
        return self.store.completions(batch.batch_id)
