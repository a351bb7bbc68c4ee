"""The pipelines as data: which processors end a phase, what must be in the tables, what starts next.

The phases of each sport have a file of their own; the export is the same for all. `shape.py` says what each
part means, `phase_graph.py` refuses what is not sound. Names of processors and tables are those that the
publishers use.
"""

from collections.abc import Mapping
from datetime import time
from types import MappingProxyType
from typing import Final

from ..consolidation.receipt import PROCESSOR as CONSOLIDATION
from ..predictions.table import TABLE as PREDICTIONS
from ..sport import DatasetRole
from . import mlb, nba
from .mode import UPCOMING, Mode
from .phase_graph import Graph
from .shape import Boundary, Deadline, ModeRules, Reported, RowCounts, Table

_EXPORT: Final = ModeRules(
    expected=(CONSOLIDATION,),
    critical=(CONSOLIDATION,),
    gates=(
        Reported(name="completion_pct", processor=CONSOLIDATION, field="completion_pct", minimum=80),
        Reported(name="predictions", processor=CONSOLIDATION, field="completed_predictions", minimum=10),
        RowCounts(
            name="prediction_rows",
            tables=(Table(role=DatasetRole.PREDICTIONS, name=PREDICTIONS, min_rows=10),),
            required=(PREDICTIONS,),
            at_least=1,
        ),
    ),
    deadline=Deadline(days_after=1, at=time(9, 30)),
)
"""One processor, which tells how many players and predictions it has: too few are not exported."""

EXPORT: Final = Boundary(
    name="phase5_to_phase6",
    phase=5,
    next_phase=6,
    completes_on="PHASE5_PREDICTIONS_COMPLETE",
    dispatches_to="PHASE6_EXPORT_TRIGGER",
    triggered_by="phase5_to_phase6_orchestrator",
    parent_processor="Phase5Orchestrator",
    export_types=("tonight", "tonight-players", "predictions", "best-bets", "streaks"),
    modes={
        Mode.OVERNIGHT: _EXPORT,
        **dict.fromkeys(UPCOMING, _EXPORT.due_by(Deadline(days_after=0, at=time(13, 30)))),
    },
)
"""When a batch is consolidated; the same of all sports."""

GRAPHS: Final[Mapping[str, Graph]] = MappingProxyType(
    {
        graph.sport: graph
        for graph in (
            Graph(
                sport="nba",
                schedule=nba.SCHEDULE,
                boundaries=(*nba.BOUNDARIES, EXPORT),
            ),
            Graph(sport="mlb", boundaries=(mlb.ANALYTICS, EXPORT)),
        )
    }
)
"""By sport."""
