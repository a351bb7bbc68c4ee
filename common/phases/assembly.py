"""The parts of the phase transitions, put together: for the function that events wake, and for operators."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from ..documents.port import Documents
from ..execution_log import ExecutionLog
from ..findings.reporter import Reporter
from ..publisher import Publisher
from ..runtime.once import once
from ..sport import DatasetRole, SportNames
from ..warehouse.warehouse import Warehouse
from .alerts import Alerts
from .boundaries import Boundaries
from .by_hand import Operations
from .days import Days
from .dispatch_log import DispatchLog
from .dispatch_outbox import DispatchOutbox
from .gates import Gates
from .graph import GRAPHS
from .notifications import Notifications
from .phase_graph import Graph
from .sweep import PhaseSweep


class Clients(Protocol):
    """What the parts are made of; each is made when it is first needed. `WarehouseWiring` is one."""

    @property
    def documents(self) -> Callable[[], Documents]:
        """Makes what keeps the dates."""

    @property
    def publisher(self) -> Callable[[], Publisher]:
        """Makes the publisher of triggers."""

    @property
    def warehouse(self) -> Callable[[], Warehouse]:
        """Makes what gates and the execution log ask."""

    @property
    def reporter(self) -> Callable[[], Reporter]:
        """Makes what tells people."""

    def now(self) -> datetime:
        """The clock: aware times in UTC."""


class PhaseTransitions:
    """The boundaries of one sport, their sweep and the acts by hand.

    `speed` divides the graph's waits, for playing a day in minutes. Nothing is connected before it is used;
    raises GraphError for a graph that is not sound.
    """

    def __init__(self, clients: Clients, names: SportNames, *, speed: float = 1.0) -> None:
        self.graph: Graph = GRAPHS[names.sport.value].accelerated(speed)
        self._clients = clients
        self._orchestration = names.dataset(DatasetRole.ORCHESTRATION)
        self._gates = Gates(clients.warehouse, names.dataset)
        # Made at the first dispatch: an instance that only records loads no warehouse.
        self._log = once(self._execution_log)
        self.boundaries: Callable[[], Boundaries] = once(self._boundaries)

    def operations(self) -> Operations:
        """The acts by hand, on the same boundaries."""
        return Operations(self.boundaries(), self.graph, self._clients.now)

    def sweep(self, *, budget: timedelta) -> PhaseSweep:
        """`budget` is how long one run may take; what it does not come to is left to the next tick."""
        now = self._clients.now
        return PhaseSweep(self.boundaries(), self.graph, self._gates, budget=budget, now=now)

    def _boundaries(self) -> Boundaries:
        clients = self._clients
        days = Days(clients.documents(), self.graph.sport)
        notifications = Notifications(
            days=days, alerts=Alerts(clients.reporter), dispatch_log=DispatchLog(self._log), now=clients.now
        )
        return Boundaries(
            days=days,
            gates=self._gates,
            outbox=DispatchOutbox(days=days, publisher=clients.publisher, now=clients.now),
            notifications=notifications,
            now=clients.now,
        )

    def _execution_log(self) -> ExecutionLog:
        return ExecutionLog(self._clients.warehouse(), self._orchestration)
