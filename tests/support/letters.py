"""A dead letter as its function writes it."""

from datetime import datetime
from typing import Any

from common.entrypoint.dead_letters import COLLECTION


def letter_at(at: datetime, *, event_id: str = "e1") -> tuple[str, dict[str, Any]]:
    """Its path and its fields."""
    return f"{COLLECTION}/{event_id}", {
        "event_id": event_id,
        "topic": "nba-prediction-ready",
        "function": "completion_recorder",
        "reason": "no JSON",
        "error_class": "InvalidMessage",
        "data": "{}",
        "data_bytes": 2,
        "dead_lettered_at": at,
    }
