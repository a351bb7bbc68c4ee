"""Batches: opened with a frozen set of players, read, and taken through their consolidation.

Recording is in `recorder.py`, closing in `closing.py`, deadlines in `overdue.py`. Every operation may be
repeated: what is done already is a success.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from google.api_core.exceptions import AlreadyExists
from google.cloud import firestore

from . import manifest
from .batch_records import Batch, BatchStatus, Completion
from .batch_rules import MAX_ARRAY_ELEMENTS
from .batch_store import CALL_TIMEOUT_SECONDS, FAULTS, RETRY, BatchStore, Change, below
from .closing import claim, claim_id, closed_fields
from .messages import PlayerOutcome, check_document_id
from .result import ErrorInfo, Result
from .schema_mode import SchemaMode
from .timeline import entry

DEFAULT_MIN_COMPLETION_PCT = 95.0


@dataclass(frozen=True, kw_only=True)
class Roster:
    """A batch and the players that it expects; `players` is None where no manifest was ever stored."""

    batch: Batch
    players: frozenset[str] | None


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a batch is, with names. `missing` are the players that no worker spoke for."""

    batch: Batch
    missing: tuple[str, ...] | None
    """None where no manifest was ever stored: how many is known, who is not."""
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
        policy = {
            "deadline": deadline,
            "min_completion_pct": min_completion_pct,
            "correlation_id": correlation_id,
            "dataset_prefix": dataset_prefix,
        }
        problem = _problem(batch_id, deadline, min_completion_pct)
        if problem is not None:
            return Result.failure(_invalid(problem))
        return (
            manifest.freeze(expected_players)
            .and_then(self._fits)
            .and_then(lambda players: self._open(batch_id, game_date, players, policy))
        )

    def get(self, batch_id: str) -> Result[Batch]:
        """The batch now; "not yet" if it does not exist."""
        return self.store.get(batch_id)

    def roster(self, batch_id: str) -> Result[Roster]:
        """The batch and its frozen players."""
        return self.get(batch_id).and_then(self._roster)

    def completions(self, batch_id: str) -> Result[list[Completion]]:
        """How each player ended that has ended, in the order of their names."""
        return self.get(batch_id).and_then(self._completions)

    def progress(self, batch_id: str) -> Result[Progress]:
        """Who is missing, by name."""
        return self.roster(batch_id).and_then(
            lambda roster: self._completions(roster.batch).and_then(
                lambda found: self._progress(roster, found)
            )
        )

    def start_consolidation(self, batch_id: str, generation: int) -> Result[Batch]:
        """`complete` | `partial` | `consolidating` → `consolidating`, unless it is consolidated already."""

        def decide(batch: Batch) -> Result[Change | None]:
            is_done = batch.consolidated_generation >= generation
            is_under_way = batch.status is BatchStatus.CONSOLIDATING
            waits_for_newer = batch.generation > generation
            if is_done or is_under_way or waits_for_newer:
                return Result.success(None)
            if not batch.status.wants_trigger:
                return Result.failure(_wrong_status(batch, "consolidated"))
            story = entry("consolidating", "consolidation started", generation=batch.generation)
            return Result.success(Change(fields={"status": BatchStatus.CONSOLIDATING.value}, sets=story))

        return self.store.amend(batch_id, decide).map(lambda amended: amended.batch)

    def finish_consolidation(
        self, batch_id: str, generation: int, fence: int, receipt: Mapping[str, Any]
    ) -> Result[Batch]:
        """Store `receipts/{fence}` and, unless a newer generation waits, make the batch `consolidated`."""

        def decide(batch: Batch) -> Result[Change | None]:
            if batch.consolidated_generation >= generation:
                return Result.success(None)
            fields: dict[str, Any] = {"consolidated_generation": generation}
            if batch.generation == generation:
                fields["status"] = BatchStatus.CONSOLIDATED.value
            story = entry("consolidated", f"under fence {fence}", generation=generation, fence=fence)
            stored = {f"receipts/{fence}": {**receipt, "fence": fence, "generation": generation}}
            return Result.success(Change(fields=fields, sets={**story, **stored}))

        return self.store.amend(batch_id, decide).map(lambda amended: amended.batch)

    def note_phase_message(self, batch_id: str, generation: int, message_id: str) -> Result[None]:
        """Note that the end of the phase was announced for this generation; never lowers it."""

        def decide(batch: Batch) -> Result[Change | None]:
            if batch.phase_generation >= generation:
                return Result.success(None)
            fields = {"phase_message_id": message_id, "phase_generation": generation}
            story = entry("announced", f"message {message_id}", generation=generation, message_id=message_id)
            return Result.success(Change(fields=fields, sets=story))

        return self.store.amend(batch_id, decide).map(lambda _: None)

    def _fits(self, players: tuple[str, ...]) -> Result[tuple[str, ...]]:
        if self._mode.writes_array and len(players) > MAX_ARRAY_ELEMENTS:
            return Result.failure(
                _invalid(
                    f"expected_players: {len(players)} do not fit into the array of mode "
                    f"{self._mode.value!r} ({MAX_ARRAY_ELEMENTS}); mode 'subcollection' has no such limit"
                )
            )
        return Result.success(players)

    def _open(
        self, batch_id: str, game_date: date, players: tuple[str, ...], policy: Mapping[str, Any]
    ) -> Result[Batch]:
        document = {**_new_batch(batch_id, game_date, players, self._mode), **policy}
        try:
            self._create(batch_id, document, players)
        except AlreadyExists:
            pass  # opened before, perhaps by this very call: reading back tells as what
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, batch_id=batch_id))
        return self.get(batch_id).and_then(lambda batch: _same_batch(batch, game_date, players))

    def _create(self, batch_id: str, document: Mapping[str, Any], players: tuple[str, ...]) -> None:
        below_batch = {
            **manifest.chunks(players),
            **entry("opened", f"{len(players)} players expected", mode=self._mode.value),
        }
        if not players:
            below_batch[f"claims/{claim_id(1)}"] = claim(BatchStatus.COMPLETE, event_id=f"open:{batch_id}")
        ref = self.store.ref(batch_id)
        commit = self.store.db.batch()
        commit.create(ref, dict(document))
        for path, content in below_batch.items():
            commit.create(below(ref, path), content)
        commit.commit(retry=RETRY, timeout=CALL_TIMEOUT_SECONDS)

    def _roster(self, batch: Batch) -> Result[Roster]:
        if batch.manifest_digest is None:
            return Result.success(Roster(batch=batch, players=None))
        chunks = self._documents(batch.batch_id, "manifest")
        return chunks.map(lambda found: Roster(batch=batch, players=manifest.join(found.values())))

    def _completions(self, batch: Batch) -> Result[list[Completion]]:
        if not batch.schema_mode.writes_subcollection:
            return Result.success(array_completions(batch))
        found = self._documents(batch.batch_id, "completions")
        return found.map(lambda documents: [Completion.from_document(data) for data in documents.values()])

    def _progress(self, roster: Roster, found: list[Completion]) -> Result[Progress]:
        reported = {one.player_lookup for one in found if one.outcome is not PlayerOutcome.TIMED_OUT}
        missing = None if roster.players is None else tuple(sorted(roster.players - reported))
        unexpected = self._documents(roster.batch.batch_id, "unexpected")
        return unexpected.map(
            lambda names: Progress(batch=roster.batch, missing=missing, unexpected=tuple(names))
        )

    def _documents(self, batch_id: str, collection: str) -> Result[dict[str, dict[str, Any]]]:
        """All documents of a collection below the batch, by id."""
        try:
            found = self.store.ref(batch_id).collection(collection).get(retry=RETRY, timeout=60)
        except FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, batch_id=batch_id, collection=collection))
        return Result.success({snapshot.id: snapshot.to_dict() or {} for snapshot in found})


def array_completions(batch: Batch) -> list[Completion]:
    """How the players in the legacy arrays ended, in the order of their names."""
    known = {one.player_lookup: one for one in batch.array_entries}
    return [known[name] for name in sorted(known)]


def _new_batch(batch_id: str, game_date: date, players: tuple[str, ...], mode: SchemaMode) -> dict[str, Any]:
    document: dict[str, Any] = {
        "batch_id": batch_id,
        "game_date": game_date.isoformat(),
        "expected_players": len(players),
        "manifest_digest": manifest.digest(players),
        "schema_mode": mode.value,
        "mode_epoch": 0,
        "status": BatchStatus.OPEN.value,
        "is_complete": False,
        "generation": 1,
        "completed_players": [],
        "failed_players": [],
        "total_predictions": 0,
        "completed_count": 0,
        "skipped_count": 0,
        "failed_count": 0,
        "timed_out_count": 0,
        "total_predictions_subcoll": 0,
        "trigger_message_id": None,
        "trigger_generation": 0,
        "consolidated_generation": 0,
        "phase_message_id": None,
        "phase_generation": 0,
        "start_time": firestore.SERVER_TIMESTAMP,
        "created_at": firestore.SERVER_TIMESTAMP,
        "updated_at": firestore.SERVER_TIMESTAMP,
    }
    if not players:
        document |= closed_fields(BatchStatus.COMPLETE, event_id=f"open:{batch_id}")
    return document


def _problem(batch_id: str, deadline: datetime, min_completion_pct: float) -> str | None:
    """Why a batch cannot be opened like this, or None."""
    try:
        check_document_id(batch_id)
    except ValueError as exc:
        return f"batch_id: {batch_id!r} {exc}"
    if deadline.tzinfo is None:
        return f"deadline: {deadline} has no time zone"
    if not 0 <= min_completion_pct <= 100:
        return f"min_completion_pct: {min_completion_pct} is not within 0 and 100"
    return None


def _same_batch(batch: Batch, game_date: date, players: tuple[str, ...]) -> Result[Batch]:
    if batch.game_date != game_date:
        return Result.failure(
            _invalid(f"game_date: {batch.batch_id!r} was opened for {batch.game_date}, not for {game_date}")
        )
    if batch.manifest_digest != manifest.digest(players):
        return Result.failure(
            _invalid(f"expected_players: {batch.batch_id!r} was opened with another set of players")
        )
    return Result.success(batch)


def _wrong_status(batch: Batch, wanted: str) -> ErrorInfo:
    return ErrorInfo.permanent(
        "WrongBatchStatus", f"status: {batch.batch_id!r} is {batch.status.value}, it cannot be {wanted}"
    )


def _invalid(message: str) -> ErrorInfo:
    return ErrorInfo.permanent("InvalidBatch", message)
