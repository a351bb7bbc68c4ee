"""The processors of the phases around the predictions, played: each fills its tables and reports.

A phase that nothing starts begins by itself; each other one begins when its trigger is heard, and phase 5 is
the coordinator's and the workers'. Beside them ticks the scheduler of the sweep, faster than in the cloud.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from google.api_core.exceptions import DeadlineExceeded

from common.messages import ExportTrigger, MessageStatus, Phase, PhaseCompletion, PhaseTrigger, Sweep
from common.phases.mode import mode_of
from common.phases.phase_graph import Graph
from common.phases.shape import Boundary, ModeRules, Table
from common.predictions.table import TABLE as PREDICTIONS
from common.topics import topic
from common.warehouse.warehouse import Warehouse

from ..problem import Problem
from ..stack.stack import Stack
from . import phase_tables
from .faults import CLOSED_SECONDS, LATE_SECONDS, RETRY_SECONDS, Faults

if TYPE_CHECKING:
    from google.pubsub_v1 import PubsubMessage

GAMES: Final = ("game1", "game2", "game3")
_SWEEP_EVERY_SECONDS: Final = 2.0
"""In the cloud every 10 minutes; here waits are minutes."""
# How late the end of the day is noticed at most.
_PULL_SECONDS: Final = 2.0
_PHASES: Final = dict(enumerate(Phase, start=1))
_PREDICTIONS_PHASE: Final = 5


@dataclass(frozen=True, kw_only=True)
class Started:
    """One message that started a phase."""

    topic: str
    """Its constant."""
    message_id: str
    dispatch_id: str
    reason: str | None


@dataclass
class Pipeline:
    """One date of one sport; its threads end with the block. Exceptions of its threads are in `failures`."""

    stack: Stack
    graph: Graph
    game_date: date
    faults: Faults
    started: list[Started] = field(default_factory=list)
    """Every message that started a phase, in the order in which they were heard."""
    failures: list[BaseException] = field(default_factory=list)
    predictions_wanted: threading.Event = field(default_factory=threading.Event)
    export_wanted: threading.Event = field(default_factory=threading.Event)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Pipeline":
        """Make the tables, begin to listen and to tick, and start the phases that nothing else starts."""
        self._warehouse = Warehouse(self.stack.bigquery)
        phase_tables.create(self._warehouse, self.stack.sport_names, phase_tables.tables_of(self.graph))
        self._fill(_tables([self.graph.schedule] if self.graph.schedule else []))
        self._go(self._tick)
        for constant in {boundary.dispatches_to for boundary in self.graph.boundaries}:
            self._go(partial(self._listen, constant))
        # Phase 2 in a graph that begins there: its scrapers are nobody of ours.
        begun_by_others = {boundary.next_phase for boundary in self.graph.boundaries}
        for boundary in self.graph.boundaries:
            if boundary.phase not in begun_by_others:
                self._run(boundary)
        return self

    def __exit__(self, *_: object) -> None:
        """End every thread; one that waits for its time is woken and does nothing more."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def rules(self, boundary: Boundary) -> ModeRules:
        """What the boundary needs of this date, by the clock."""
        return boundary.modes[mode_of(self.game_date, datetime.now(UTC))]

    def _go(self, what: Callable[[], None]) -> None:
        """Run in a thread of its own until the day is over; what it raises is kept for `wait_for`."""

        def run() -> None:
            try:
                what()
            except Exception as exc:  # whoever plays the day looks at these, and ends it
                self.failures.append(exc)

        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _tick(self) -> None:
        """The scheduler of the sweep: a message every two seconds, until the day is over."""
        sweep = topic("PHASE_SWEEP")
        while not self._over.wait(_SWEEP_EVERY_SECONDS):
            self.stack.publisher.publish(sweep, Sweep(timestamp=datetime.now(UTC))).unwrap()

    def _listen(self, constant: str) -> None:
        """Every message once, though it may come twice: the ids of the messages tell."""
        heard: set[str] = set()
        while not self._over.is_set():
            for message in self._pulled(constant):
                # The tap delivers at least once, too.
                if message.message_id not in heard:
                    heard.add(message.message_id)
                    self._hear(constant, message)

    def _pulled(self, constant: str) -> "Sequence[PubsubMessage]":
        """Messages that have come, acknowledged; () where none has within two seconds."""
        tap = self.stack.names.tap(topic(constant))
        client = self.stack.subscriber_client
        try:
            pulled = client.pull(subscription=tap, max_messages=10, retry=None, timeout=_PULL_SECONDS)
        except DeadlineExceeded:
            return ()
        ids = [one.ack_id for one in pulled.received_messages]
        # Acknowledged before they are handled: a message that is lost with this process is lost with the
        # whole run.
        if ids:
            client.acknowledge(subscription=tap, ack_ids=ids, retry=None, timeout=_PULL_SECONDS)
        return [one.message for one in pulled.received_messages]

    def _hear(self, constant: str, message: "PubsubMessage") -> None:
        """As a receiver does: a repeat of a dispatch is told by its id, and dropped."""
        model = ExportTrigger if topic(constant).message == ExportTrigger.__name__ else PhaseTrigger
        trigger = model.parse(message.data).unwrap()
        # Noted all the same: that a dispatch was repeated is what the report has to know.
        # By the id alone, as the processors of a deployment are told to.
        is_repeat = any(each.dispatch_id == trigger.dispatch_id for each in self.started)
        self.started.append(
            Started(
                topic=constant,
                message_id=message.message_id,
                dispatch_id=trigger.dispatch_id,
                reason=trigger.trigger_reason,
            )
        )
        if not is_repeat:
            self._follow(constant)

    def _follow(self, constant: str) -> None:
        """Begin what was dispatched to this topic."""
        boundary = next(each for each in self.graph.boundaries if each.dispatches_to == constant)
        if boundary.next_phase == _PREDICTIONS_PHASE:
            self.predictions_wanted.set()
        elif topic(constant).message == ExportTrigger.__name__:
            self.export_wanted.set()
        else:
            self._run(next(each for each in self.graph.boundaries if each.phase == boundary.next_phase))

    def _run(self, boundary: Boundary) -> None:
        """Fill the tables of the phase, then let every processor of it report."""
        rules = self.rules(boundary)
        # Before any processor reports: a gate is asked as soon as the last of them has.
        tables = _tables(table for gate in rules.gates for table in getattr(gate, "tables", ()))
        closed = [table for table in tables if table.name == self.faults.gate_closed]
        self._fill([table for table in tables if table not in closed])
        if closed:
            self._go(partial(self._fill_later, closed))
        for name in rules.expected:
            self._go(partial(self._report, boundary, rules, name))

    def _fill_later(self, tables: Sequence[Table]) -> None:
        """Open a gate that was closed on purpose, unless the day is over first."""
        if not self._over.wait(CLOSED_SECONDS):
            self._fill(tables)

    def _fill(self, tables: Iterable[Table]) -> None:
        """A row for each game, in each of the tables."""
        for table in tables:
            phase_tables.fill(
                self._warehouse, self.stack.sport_names, table=table, game_date=self.game_date, games=GAMES
            )

    def _report(self, boundary: Boundary, rules: ModeRules, name: str) -> None:
        """One processor's report; late or failed where it is to be."""
        if name == self.faults.late:
            self._over.wait(LATE_SECONDS)
        if name != self.faults.fails:
            self._complete(boundary, name, MessageStatus.SUCCESS)
            return
        self._complete(boundary, name, MessageStatus.FAILED)
        # As a publisher's own retry: another run, so another execution id.
        if name in rules.critical and not self._over.wait(RETRY_SECONDS):
            self._complete(boundary, name, MessageStatus.SUCCESS)

    def _complete(self, boundary: Boundary, name: str, status: MessageStatus) -> None:
        """Publish a completion as a processor does; nothing once the day is over."""
        # Nobody listens any more, and the stack may be gone already.
        if self._over.is_set():
            return
        # A run of its own: a repetition of the same one would be a duplicate.
        run = uuid.uuid4().hex
        completion = PhaseCompletion(
            processor_name=name,
            phase=_PHASES[boundary.phase],
            execution_id=run,
            correlation_id=f"{name}-{run[:8]}",
            game_date=self.game_date,
            status=status,
            record_count=len(GAMES) if status is MessageStatus.SUCCESS else 0,
            timestamp=datetime.now(UTC),
        )
        self.stack.publisher.publish(topic(boundary.completes_on), completion).unwrap()


def wait_for(
    event: threading.Event, pipeline: Pipeline, *, within_seconds: float, meanwhile: Callable[[], None]
) -> bool:
    """Whether it came in time. Raises what a thread of the pipeline has raised."""
    ends_at = time.monotonic() + within_seconds
    while not event.wait(0.5):
        meanwhile()
        if pipeline.failures:
            raise Problem(f"the pipeline: {pipeline.failures[0]}")
        if time.monotonic() > ends_at:
            return False
    return True


def _tables(tables: Iterable[Table]) -> list[Table]:
    """Those that are filled here: the predictions are the consolidation's."""
    return [table for table in tables if table.name != PREDICTIONS]
