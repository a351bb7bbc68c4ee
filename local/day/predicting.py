"""The sample workers' rule: made-up predictions that are the same on every machine and at every delivery.

Because the rule is a pure function of the request, the report can compute every row that must be in the main
table, and a redelivered request gives the very same rows.
"""

import hashlib
import uuid

from common.messages import PredictionRequest
from common.predictions.rows import Row

SYSTEMS = ("moving_average", "zone_matchup", "similarity", "gradient_boosting", "ensemble")
"""Five systems a player: a row each."""
NO_FEATURES = "no features"
"""Why a player is skipped."""

_NAMESPACE = uuid.UUID("6f1d9a52-0a3c-4d0e-9b0e-6c3c5a4be0d7")
"""Any fixed one: the same request gives the same prediction ids everywhere."""


def line_of(player: str) -> float | None:
    """The player's betting line, in half points; None for a player on whom no bookmaker offers one."""
    # A number of its own, so that having a line says nothing about its height.
    return None if _number(player, "has line") % 5 == 0 else 8 + _number(player, "line") % 50 / 2


def is_skipped(player: str) -> bool:
    """Whether the worker has nothing to predict this player from: a few in a hundred."""
    return _number(player, "features") % 29 == 0


def predict(request: PredictionRequest) -> list[Row]:
    """One row for each system, with the columns of the predictions table that the rule fills.

    `created_at` is the request's own time, not the clock's: a second delivery makes equal rows.
    """
    return [_row(request, system) for system in SYSTEMS]


def _row(request: PredictionRequest, system: str) -> Row:
    """One system's row. Points, line and confidence follow from the player's name alone."""
    line = request.actual_prop_line
    points = (50 + _number(request.player_lookup, system) % 300) / 10
    return {
        "prediction_id": str(uuid.uuid5(_NAMESPACE, f"{request.game_id}/{request.player_lookup}/{system}")),
        "system_id": system,
        "player_lookup": request.player_lookup,
        "game_date": request.game_date.isoformat(),
        "game_id": request.game_id,
        "prediction_version": 1,
        "predicted_points": points,
        "confidence_score": 50 + _number(request.player_lookup, system + " confidence") % 500 / 10,
        "recommendation": _recommendation(points, line),
        "has_prop_line": line is not None,
        "current_points_line": line,
        "line_margin": None if line is None else round(points - line, 2),
        "is_active": True,
        "created_at": request.timestamp,
    }


def _recommendation(points: float, line: float | None) -> str:
    """Over or under, a pass where it is close, and no word without a line."""
    if line is None:
        return "NO_LINE"
    if abs(points - line) < 1:
        return "PASS"
    return "OVER" if points > line else "UNDER"


def _number(*parts: str) -> int:
    """A number from 0 to 2³² - 1 that follows from the words alone."""
    # Not `hash`: Python salts it for each process.
    return int.from_bytes(hashlib.sha256("/".join(parts).encode()).digest()[:4], "big")
