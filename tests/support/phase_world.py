"""The boundaries of one sport: real parts, but for the warehouse, the publisher and the reporter."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from common.documents.memory_store import MemoryDocuments
from common.documents.port import Documents
from common.execution_log import Execution
from common.findings import Finding
from common.messages import ExportTrigger, MessageStatus, Phase, PhaseCompletion, PhaseTrigger
from common.phases.alerts import Alerts
from common.phases.boundaries import Boundaries, ReportAnswer
from common.phases.by_hand import Operations
from common.phases.days import Days
from common.phases.dispatch_log import DispatchLog
from common.phases.dispatch_outbox import DispatchOutbox, Publisher
from common.phases.gates import Gates
from common.phases.graph import GRAPHS
from common.phases.notifications import Notifications
from common.phases.phase_graph import Graph
from common.phases.records import Day
from common.phases.shape import Boundary
from common.phases.sweep import PhaseSweep, Swept
from common.result import ErrorInfo, Result
from common.warehouse.records import Rows
from tests.support.batch_helpers import GAME_DATE, Published
from tests.support.wall_clock import WallClock

ROWS = 100
PHASES = dict(enumerate(Phase, start=1))
PRECOMPUTE = (
    "team_defense_zone_analysis",
    "player_shot_zone_analysis",
    "player_composite_factors",
    "player_daily_cache",
    "ml_feature_store",
)
ANALYTICS = (
    "player_game_summary",
    "team_defense_game_summary",
    "team_offense_game_summary",
    "upcoming_player_game_context",
    "upcoming_team_game_context",
)
"""The five of the phases 4 and 3, told anew: a graph that loses one is found out."""
OVERNIGHT = datetime.fromisoformat("2026-01-18T05:00:00-05:00")
"""The morning after GAME_DATE, in New York."""


class FakeWarehouse:
    """Every table has rows, but those that a test says otherwise of; or it is away."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.is_down = False
        self.queries: list[str] = []

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[Rows]:
        self.queries.append(sql)
        if self.is_down:
            return Result.failure(ErrorInfo.permanent("NotFound", "dataset is away"))
        labels = re.findall(r"'([^']+)' AS label", sql)
        rows = [{"label": label, "number": self.rows.get(label.rpartition("/")[2], ROWS)} for label in labels]
        return Result.success(Rows(rows=rows, job_id="j", bytes_processed=0, affected_rows=None))


@dataclass
class Told:
    """Who keeps what people are told, and fails when told to."""

    findings: list[Finding] = field(default_factory=list)
    is_down: bool = False

    def report(self, finding: Finding) -> Result[None]:
        if self.is_down:
            return Result.failure(ErrorInfo.transient("Unreachable", "told to fail"))
        self.findings.append(finding)
        return Result.success(None)

    @property
    def kinds(self) -> list[str]:
        return [finding.subject.split(":")[1] for finding in self.findings]


@dataclass
class Logged:
    """An execution log that keeps its rows once."""

    rows: dict[str, Execution] = field(default_factory=dict)
    is_down: bool = False

    def write(self, execution: Execution) -> Result[bool]:
        if self.is_down:
            return Result.failure(ErrorInfo.transient("Unreachable", "told to fail"))
        is_new = execution.execution_id not in self.rows
        self.rows[execution.execution_id] = execution
        return Result.success(is_new)


class PhaseWorld:
    """What a test does to it reads as what happens: `report`, `look`, `sweep`."""

    def __init__(
        self,
        *,
        graph: Graph = GRAPHS["nba"],
        documents: Documents | None = None,
        now: datetime = OVERNIGHT,
    ) -> None:
        self.graph = graph
        self.clock = WallClock(now)
        self.documents = documents or MemoryDocuments(lambda: datetime.now(UTC))
        self.days = Days(self.documents, graph.sport)
        self.published = Published()
        self.publisher: Publisher = self.published
        self.warehouse = FakeWarehouse()
        self.told = Told()
        self.logged = Logged()
        gates = Gates(lambda: self.warehouse, lambda role: f"{graph.sport}_{role.value}")
        outbox = DispatchOutbox(days=self.days, publisher=lambda: self.publisher, now=self.clock)
        notifications = Notifications(
            days=self.days,
            alerts=Alerts(lambda: self.told),
            dispatch_log=DispatchLog(lambda: self.logged),
            now=self.clock,
        )
        self.boundaries = Boundaries(
            days=self.days,
            gates=gates,
            outbox=outbox,
            notifications=notifications,
            now=self.clock,
        )
        self.operations = Operations(self.boundaries, graph, self.clock)
        self._sweep = PhaseSweep(self.boundaries, graph, gates, budget=timedelta(minutes=2), now=self.clock)

    def boundary(self, phase: int = 4) -> Boundary:
        """The one behind this phase."""
        return next(boundary for boundary in self.graph.boundaries if boundary.phase == phase)

    def report(
        self, processor: str, *, phase: int = 4, event_id: str = "", **fields: Any
    ) -> Result[ReportAnswer]:
        sent = completion(processor, phase=phase, **fields)
        return self.boundaries.report(self.boundary(phase), sent, event_id or f"event-{sent.execution_id}")

    def day(self, phase: int = 4, game_date: date = GAME_DATE) -> Day:
        return self.days.read(self.boundary(phase), game_date).unwrap()

    def look(self, phase: int = 4, game_date: date = GAME_DATE) -> Result[Day]:
        return self.boundaries.look(self.boundary(phase), game_date)

    def sweep(self) -> Result[Swept]:
        return self._sweep.run()

    @property
    def started(self) -> list[PhaseTrigger | ExportTrigger]:
        return [each for each in self.published.messages if isinstance(each, PhaseTrigger | ExportTrigger)]

    @property
    def reasons(self) -> list[str | None]:
        return [each.trigger_reason for each in self.started]

    def below(self, collection: str, phase: int = 4) -> dict[str, Mapping[str, Any]]:
        """The documents of a collection below the date, by id."""
        path = f"{self.days.key(self.boundary(phase), GAME_DATE).path}/{collection}"
        return {each.id: each.data for each in self.documents.find(path).unwrap()}


def completion(processor: str, *, phase: int = 4, **fields: Any) -> PhaseCompletion:
    """One processor's completion, a success unless `fields` say otherwise."""
    known: dict[str, Any] = {
        "processor_name": processor,
        "phase": PHASES[phase],
        "execution_id": f"run-{processor}",
        "game_date": GAME_DATE,
        "status": MessageStatus.SUCCESS,
        "record_count": 10,
        "correlation_id": f"correlation-{processor}",
    }
    return PhaseCompletion(**{**known, **fields})


def predictions_complete(*, pct: float = 100.0, predictions: int = 450, **fields: Any) -> dict[str, Any]:
    """What the end of phase 5 says."""
    metadata = {"batch_id": "batch1", "completion_pct": pct, "completed_predictions": predictions}
    return {"phase": 5, "metadata": metadata, **fields}
