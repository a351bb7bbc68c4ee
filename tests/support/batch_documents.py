"""Batches as read from documents, without a store."""

from datetime import UTC, datetime
from typing import Any

from common.batches.batch_document import read_batch
from common.batches.completion import Completion
from common.batches.records import Batch, batch_path
from common.documents.document import Document
from common.messages import PlayerOutcome

NOW = datetime(2026, 1, 17, 23, tzinfo=UTC)
OLD_DOCUMENT = {"game_date": "2026-01-17", "expected_players": 20}


def batch_of(**fields: Any) -> Batch:
    """What a document with these fields says; without any, one of the system before."""
    document = OLD_DOCUMENT | fields
    path = batch_path("batch1")
    return read_batch(Document(path=path, data=document, update_time=NOW, read_time=NOW))


def ended(player: str, outcome: PlayerOutcome = PlayerOutcome.COMPLETED, **more: Any) -> Completion:
    return Completion(
        player_lookup=player, outcome=outcome, predictions_count=5, event_id=f"event-{player}", **more
    )
