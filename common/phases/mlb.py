"""The phases of an MLB day: analytics leads straight to the predictions, as this sport has no phase 4."""

from datetime import time
from typing import Final

from ..sport import DatasetRole
from .mode import UPCOMING, Mode
from .shape import Boundary, Deadline, ModeRules, RowCounts, Table, Tier

_ANALYTICS: Final = ModeRules(
    expected=("pitcher_game_summary", "upcoming_pitcher_game_context"),
    critical=("upcoming_pitcher_game_context",),
    tiers=(Tier(reason="max_timeout", after_minutes=240, at_least=1),),
    gates=(
        RowCounts(
            name="analytics_rows",
            tables=(Table(role=DatasetRole.ANALYTICS, name="upcoming_pitcher_game_context"),),
            required=("upcoming_pitcher_game_context",),
            at_least=1,
        ),
    ),
    deadline=Deadline(days_after=1, at=time(9)),
)

ANALYTICS: Final = Boundary(
    name="phase3_to_phase5",
    phase=3,
    next_phase=5,
    completes_on="PHASE3_ANALYTICS_COMPLETE",
    dispatches_to="PREDICTIONS_TRIGGER",
    triggered_by="phase3_to_phase5_orchestrator",
    parent_processor="Phase3Orchestrator",
    entities={"players": _ANALYTICS.expected, "teams": ()},
    modes={
        Mode.OVERNIGHT: _ANALYTICS,
        **dict.fromkeys(UPCOMING, _ANALYTICS.due_by(Deadline(days_after=0, at=time(13)))),
    },
)
