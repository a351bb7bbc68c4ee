"""Batches, events and a publisher that tests share."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from threading import Lock

from common.batch_records import Batch
from common.batches import Batches
from common.messages import BatchComplete, Message, PlayerCompletion, PlayerOutcome
from common.result import ErrorInfo, Result
from common.topics import Topic

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
