"""What goes wrong on purpose in the phases around the predictions: lateness, failures, closed gates."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from common.consolidation.receipt import PROCESSOR as CONSOLIDATION
from common.phases.mode import mode_of
from common.phases.phase_graph import Graph
from common.phases.shape import ModeRules
from common.predictions.table import TABLE as PREDICTIONS

from ..problem import Problem

SPEED: Final = 60.0
"""By how much the waits of the graph are shortened: an hour is a minute."""
SPEED_WITH_FAULTS: Final = 360.0
"""Where somebody is late or fails: an hour is ten seconds."""
LATE_SECONDS: Final = 30.0
"""More than the first two tiers at that speed."""
RETRY_SECONDS: Final = 5.0
"""After a critical processor failed, until it succeeds: without it the day would not go on."""
CLOSED_SECONDS: Final = 8.0
"""How long a gate's table stays empty: a few sweeps."""


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What goes wrong before and after the predictions."""

    late: str | None = None
    """A processor that reports after the others have stopped waiting."""
    fails: str | None = None
    """A processor that fails; a critical one is repeated, and then succeeds."""
    gate_closed: str | None = None
    """A table that is empty for a while."""

    @property
    def speed(self) -> float:
        """By how much the waits of the graph are shortened."""
        is_somebody_away = self.late is not None or self.fails is not None
        return SPEED_WITH_FAULTS if is_somebody_away else SPEED

    def check(self, graph: Graph, game_date: date, now: datetime) -> None:
        """A Problem names what there is, where the names mean nothing to the graph in the date's mode."""
        # Of the mode that the day will have: another mode waits for other processors.
        rules = [boundary.modes[mode_of(game_date, now)] for boundary in graph.boundaries]
        processors = sorted({name for each in rules for name in each.expected} - {CONSOLIDATION})
        tables = sorted({name for each in rules for name in _required(each)} - {PREDICTIONS})
        for option, given, known in (
            ("--late", self.late, processors),
            ("--fail", self.fails, processors),
            ("--gate-closed", self.gate_closed, tables),
        ):
            if given is not None and given not in known:
                raise Problem(f"{option} {given}: that day has {', '.join(known)}")


def _required(rules: ModeRules) -> list[str]:
    return [name for gate in rules.gates for name in getattr(gate, "required", ())]
