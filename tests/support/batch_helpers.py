"""Batches, events and a publisher that tests share."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from threading import Lock
from typing import Any

import pytest
from google.cloud import firestore

from common.batches.batches import Batches
from common.batches.records import Batch, batch_path
from common.batches.rules import TRIGGER_GRACE
from common.documents.store import FirestoreDocuments
from common.documents.writes import SERVER_TIME, Set, Update
from common.messages import BatchComplete, Message, PlayerCompletion, PlayerOutcome, PredictionRequest
from common.recorder.answers import Recorded
from common.result import ErrorInfo, Result
from common.schema_mode import SchemaMode
from common.topics import Topic
from functions.completion_recorder.handler import Recorder

EVERY_MODE = pytest.mark.parametrize("mode", list(SchemaMode), ids=lambda mode: mode.value)
MODES_WITH_ARRAY = pytest.mark.parametrize(
    "mode", [mode for mode in SchemaMode if mode.writes_array], ids=lambda mode: mode.value
)
GAME_DATE = date(2026, 1, 17)
DEADLINE = datetime(2026, 1, 18, tzinfo=UTC)
AFTER_DEADLINE = datetime(2026, 1, 18, 0, 1, tzinfo=UTC)


class Published:
    """A publisher that keeps what it published, or fails when told to."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.is_down = False
        self._lock = Lock()

    def publish(self, topic: Topic, message: Message) -> Result[str]:
        return self.publish_all(topic, [message]).map(lambda ids: ids[0])

    def publish_all(self, topic: Topic, messages: Sequence[Message]) -> Result[list[str]]:
        if self.is_down:
            return Result.failure(ErrorInfo.transient("ServiceUnavailable", "told to fail"))
        with self._lock:
            self.messages += messages
            return Result.success([f"message-{len(self.messages)}" for _ in messages])

    @property
    def triggers(self) -> list[tuple[str, int]]:
        """Batch and generation of every trigger."""
        return [
            (message.batch_id, message.generation)
            for message in self.messages
            if isinstance(message, BatchComplete)
        ]

    @property
    def requests(self) -> list[PredictionRequest]:
        return [message for message in self.messages if isinstance(message, PredictionRequest)]


class NotSampled:
    """The matrix is that of the recording; what is compared afterwards is no step of it."""

    async def run(self, batch_id: str) -> None:
        return


def names(number: int) -> list[str]:
    return [f"player{index:05}" for index in range(number)]


def opened(
    batches: Batches,
    players: Sequence[str] | int = 3,
    *,
    batch_id: str = "batch1",
    deadline: datetime = DEADLINE,
    min_completion_pct: float = 95.0,
) -> Batch:
    expected = names(players) if isinstance(players, int) else players
    return batches.open(
        batch_id, GAME_DATE, expected, deadline=deadline, min_completion_pct=min_completion_pct
    ).unwrap()


def completion(
    player: str,
    *,
    batch_id: str = "batch1",
    outcome: PlayerOutcome = PlayerOutcome.COMPLETED,
    predictions: int = 5,
    game_date: date = GAME_DATE,
) -> PlayerCompletion:
    is_completed = outcome is PlayerOutcome.COMPLETED
    return PlayerCompletion(
        batch_id=batch_id,
        player_lookup=player,
        game_date=game_date,
        predictions_generated=predictions if is_completed else 0,
        outcome=outcome,
        reason=None if is_completed else "told to",
    )


async def deliver(
    recorder: Recorder, *players: str, event: str = "event", batch_id: str = "batch1"
) -> list[Recorded]:
    """All at once; each player's event id is made from its name."""
    answers = await asyncio.gather(
        *(
            recorder.record(completion(player, batch_id=batch_id), event_id=f"{event}-{player}")
            for player in players
        )
    )
    return [answer.unwrap() for answer in answers]


def request_for(batch: Batch, player: str) -> PredictionRequest:
    return PredictionRequest(
        batch_id=batch.batch_id, player_lookup=player, game_date=batch.game_date, game_id="game1"
    )


def timeline(batches: Batches, batch_id: str = "batch1") -> dict[str, dict[str, Any]]:
    """The entries by id."""
    found = batches.store.below(batch_id, "timeline").unwrap()
    return {document.id: dict(document.data) for document in found}


def client_of(batches: Batches) -> firestore.Client:
    """The client of batches that are in Firestore."""
    documents = batches.store.documents
    assert isinstance(documents, FirestoreDocuments)
    return documents.client


def put(batches: Batches, below: str, fields: dict[str, Any], *, batch_id: str = "batch1") -> None:
    """Write a document below a batch, or with "" the batch, past everything that watches over it."""
    path = f"{batch_path(batch_id)}/{below}".rstrip("/")
    batches.store.documents.commit([Set(path=path, fields=fields)]).unwrap()


def alter(batches: Batches, *, batch_id: str = "batch1", **fields: Any) -> None:
    """Overwrite fields of a batch, past everything that watches over it."""
    batches.store.documents.commit([Update(path=batch_path(batch_id), fields=fields)]).unwrap()


def let_the_grace_pass(batches: Batches, *, batch_id: str = "batch1") -> None:
    """As if whoever claimed the publishing of the trigger had done so long ago."""
    alter(batches, batch_id=batch_id, trigger_claimed_at=datetime.now(UTC) - TRIGGER_GRACE)


def as_the_old_system_wrote_it(
    batches: Batches,
    *,
    expected: int,
    completed: Sequence[str] = (),
    is_complete: bool = False,
    batch_id: str = "batch1",
    **more: Any,
) -> None:
    """A batch document of the system before: no mode, no status, no manifest, no counters."""
    now = SERVER_TIME
    document = {
        "batch_id": batch_id,
        "game_date": GAME_DATE.isoformat(),
        "expected_players": expected,
        "completed_players": list(completed),
        "failed_players": [],
        "total_predictions": 5 * len(completed),
        "is_complete": is_complete,
        "start_time": now,
        "correlation_id": None,
        "dataset_prefix": "",
        "created_at": now,
        "updated_at": now,
        **more,
    }
    put(batches, "", document, batch_id=batch_id)
