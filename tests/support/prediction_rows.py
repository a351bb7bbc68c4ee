"""Rows of predictions, valid unless a test wants them otherwise."""

from datetime import UTC, datetime
from typing import Any

from tests.support.batch_helpers import GAME_DATE

CREATED_AT = datetime(2026, 1, 17, 22, 0, tzinfo=UTC)


def prediction(player: str, **fields: Any) -> dict[str, Any]:
    """A valid row, with some columns as the test wants them."""
    row = {
        "prediction_id": f"{player}-{fields.get('system_id')}-{fields.get('current_points_line', 24.5)}",
        "system_id": "ensemble",
        "player_lookup": player,
        "game_date": GAME_DATE,
        "game_id": "20260117_LAL_BOS",
        "predicted_points": 27.3,
        "confidence_score": 71.25,
        "recommendation": "OVER",
        "current_points_line": 24.5,
        "created_at": CREATED_AT,
    }
    return {**row, **fields}
