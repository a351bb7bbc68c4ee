"""Batches: opened with a frozen set of players, read, and taken through their consolidation.

Recording is in `recorder.py`, closing in `closing.py`, deadlines in `overdue.py`. Every operation may be
repeated: what is done already is a success.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from google.api_core.exceptions import AlreadyExists
from google.cloud import firestore

from ..messages import PlayerOutcome
from ..result import ErrorInfo, Result
from ..schema_mode import SchemaMode
from . import player_manifest as manifest
from . import transitions
from .opening import Opening, prepare
from .records import COMPLETIONS, UNEXPECTED, Batch, Completion
from .store import (
    CALL_TIMEOUT_SECONDS,
    FAULTS,
    RETRY,
    UNREADABLE,
    Amended,
    BatchStore,
    Decide,
    below,
    not_there_yet,
)

T = TypeVar("T")

DEFAULT_MIN_COMPLETION_PCT = 95.0


@dataclass(frozen=True, kw_only=True)
class Roster:
    """A batch and the players that it expects; `players` is None where no manifest was ever stored."""

    batch: Batch
    players: frozenset[str] | None


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a batch is, with names."""

    batch: Batch
    missing: tuple[str, ...] | None
    """Players that no worker spoke for, timed out or not. None where no manifest was ever stored: how many is
    known, who is not."""
    timed_out: tuple[str, ...]
    unexpected: tuple[str, ...]


class Batches:
    """The batches of one database; safe to share between threads. `mode` is stamped on what it opens."""

    def __init__(self, db: firestore.Client, *, mode: SchemaMode = SchemaMode.SUBCOLLECTION) -> None:
        self.store = BatchStore(db)
        self._mode = mode

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
    ) -> Result[Batch]:
        """Create the batch and freeze its players; never overwrites.

        `deadline` is aware. Opening again with the same date and set returns the batch as it is; with another
        one it is a PERMANENT failure. An empty set is complete at once: see `Batch.owes_trigger`.
        """
        return prepare(
            batch_id=batch_id,
            game_date=game_date,
            expected_players=expected_players,
            mode=self._mode,
            deadline=deadline,
            min_completion_pct=min_completion_pct,
            correlation_id=correlation_id,
            dataset_prefix=dataset_prefix,
        ).and_then(self._open)

    def get(self, batch_id: str) -> Result[Batch]:
        """The batch now; "not yet" if it does not exist."""
        return self.store.get(batch_id)

    def roster(self, batch_id: str) -> Result[Roster]:
        """The batch and its frozen players, in one reading."""
        ref = self.store.ref(batch_id)
        chunks = [below(ref, manifest.chunk_path(number)) for number in range(manifest.MAX_CHUNKS)]
        try:
            found = self.store.db.get_all([ref, *chunks], retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
            there = {each.reference.path: each for each in found if each.exists}
            if ref.path not in there:
                return Result.failure(not_there_yet(batch_id))
            batch = Batch.from_snapshot(there.pop(ref.path))
            parts = [manifest.read_chunk(each.to_dict() or {}) for each in there.values()]
        except (*FAULTS, *UNREADABLE) as exc:
            return Result.failure(ErrorInfo.from_exception(exc, batch_id=batch_id))
        return _roster(batch, parts)

    def completions(self, batch_id: str) -> Result[list[Completion]]:
        """How each player ended that has ended, in the order of their names."""
        return self.get(batch_id).and_then(self.ended)

    def progress(self, batch_id: str) -> Result[Progress]:
        """Who is missing, by name."""
        return self.roster(batch_id).and_then(
            lambda roster: self.ended(roster.batch).and_then(lambda found: self._progress(roster, found))
        )

    def start_consolidation(
        self, batch_id: str, generation: int, *, seen: Batch | None = None
    ) -> Result[Batch]:
        """`complete` | `partial` → `consolidating`; returns the batch as it is then.

        PERMANENT, and nothing is changed, for a batch that is not closed or is abandoned, and for a
        generation that it has not reached. `seen`, the batch as the caller read it, saves the reading here
        and below: it counts only where nobody has changed the batch since.
        """
        return self._amend(
            batch_id, lambda batch: transitions.start_consolidation(batch, generation), seen=seen
        ).map(lambda amended: amended.batch)

    def finish_consolidation(
        self,
        batch_id: str,
        generation: int,
        fence: int,
        receipt: Mapping[str, Any],
        *,
        seen: Batch | None = None,
    ) -> Result[Amended]:
        """Store `receipts/{fence}`; `consolidated`, unless a newer generation waits.

        Unchanged where the generation has its receipt already: perhaps ours, whose answer was lost.
        """
        return self._amend(
            batch_id,
            lambda batch: transitions.finish_consolidation(batch, generation, fence, receipt),
            seen=seen,
        )

    def note_phase_message(
        self, batch_id: str, generation: int, message_id: str, *, seen: Batch | None = None
    ) -> Result[None]:
        """Note that the end of the phase was announced for this generation."""
        return self._amend(
            batch_id, lambda batch: transitions.announce(batch, generation, message_id), seen=seen
        ).map(lambda _: None)

    def abandon(self, batch_id: str, *, who: str, why: str) -> Result[Batch]:
        """Give up a batch that is not being consolidated: it is never triggered (again). What still arrives
        for it is recorded. PERMANENT once its consolidation has started."""
        return self._amend(batch_id, lambda batch: transitions.abandon(batch, who, why)).map(
            lambda amended: amended.batch
        )

    def ended(self, batch: Batch) -> Result[list[Completion]]:
        """As `completions`, for a batch that was read already."""
        if not batch.schema_mode.writes_subcollection:
            return Result.success([batch.in_array[name] for name in sorted(batch.in_array)])
        return self.documents(batch).map(lambda found: list(found.values()))

    def documents(self, batch: Batch) -> Result[dict[str, Completion]]:
        """The completion documents by player, whatever the mode of the batch."""
        return self._documents(batch.batch_id, COMPLETIONS, Completion.from_document)

    def _amend(self, batch_id: str, decide: Decide, *, seen: Batch | None = None) -> Result[Amended]:
        return self.store.amend(batch_id, decide, seen=seen)

    def _open(self, opening: Opening) -> Result[Batch]:
        ref = self.store.ref(opening.batch_id)
        commit = self.store.db.batch()
        commit.create(ref, opening.document())
        for path, document in opening.below().items():
            commit.create(below(ref, path), dict(document))
        try:
            commit.commit(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)
        except AlreadyExists:
            pass  # opened before, perhaps by this very call: reading back tells as what
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, batch_id=opening.batch_id))
        return self.get(opening.batch_id).and_then(opening.check)

    def _progress(self, roster: Roster, found: list[Completion]) -> Result[Progress]:
        timed_out = {one.player_lookup for one in found if one.outcome is PlayerOutcome.TIMED_OUT}
        reported = {one.player_lookup for one in found} - timed_out
        return self._documents(roster.batch.batch_id, UNEXPECTED, dict).map(
            lambda unexpected: Progress(
                batch=roster.batch,
                missing=None if roster.players is None else tuple(sorted(roster.players - reported)),
                timed_out=tuple(sorted(timed_out)),
                unexpected=tuple(unexpected),
            )
        )

    def _documents(
        self, batch_id: str, collection: str, read: Callable[[Mapping[str, Any]], T]
    ) -> Result[dict[str, T]]:
        """The documents of a collection below the batch, by id; PERMANENT if `read` cannot read one."""
        try:
            snapshots = self.store.ref(batch_id).collection(collection).get(retry=RETRY, timeout=60)
            found = {snapshot.id: read(snapshot.to_dict() or {}) for snapshot in snapshots}
        except (*FAULTS, *UNREADABLE) as exc:
            return Result.failure(ErrorInfo.from_exception(exc, batch_id=batch_id, collection=collection))
        return Result.success(found)


def _roster(batch: Batch, parts: Sequence[Sequence[str]]) -> Result[Roster]:
    if batch.manifest_digest is None:
        return Result.success(Roster(batch=batch, players=None))
    return manifest.join(parts, batch.manifest_digest).map(
        lambda players: Roster(batch=batch, players=players)
    )
