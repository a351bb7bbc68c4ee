"""Phase transitions: when the processors of a phase are done and their data is there, the next phase starts.

`GRAPHS` has the pipelines as data; `PhaseTransitions` is everything put together for one sport: `Boundaries`
for events, `Operations` for what people do by hand, `PhaseSweep` for the clock. All of it works on the
port of `common.documents`. Records and shapes are here at once, the rest when it is asked for, so that rules
and handlers load no client.
"""

from typing import TYPE_CHECKING

from ..lazy_face import lazy_face
from .decision import Decision, PhaseState
from .mode import Mode
from .phase_graph import Graph, GraphError
from .records import Day, DayKey, Dispatch, Report
from .shape import Boundary

if TYPE_CHECKING:
    from .assembly import PhaseTransitions
    from .boundaries import Boundaries
    from .by_hand import Operations, Replay
    from .days import Days
    from .graph import GRAPHS
    from .sweep import PhaseSweep

__all__ = [
    "GRAPHS",
    "Boundaries",
    "Boundary",
    "Day",
    "DayKey",
    "Days",
    "Decision",
    "Dispatch",
    "Graph",
    "GraphError",
    "Mode",
    "Operations",
    "PhaseState",
    "PhaseSweep",
    "PhaseTransitions",
    "Replay",
    "Report",
]

_LAZY = {
    "GRAPHS": "graph",
    "Boundaries": "boundaries",
    "Days": "days",
    "Operations": "by_hand",
    "PhaseSweep": "sweep",
    "PhaseTransitions": "assembly",
    "Replay": "by_hand",
}

__getattr__ = lazy_face(__name__, _LAZY)
