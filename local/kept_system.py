"""What `serve` keeps alive beside the functions: workers who answer, the tables of the phases, the schedules.

Without them an audit would rightly find that no sweep runs, that nobody knows the schedule, and that whoever
is asked for does not come.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from common.audit.run_checks import AUDIT_EVERY
from common.maintenance.sweep_ticks import EVERY as SWEEP_EVERY
from common.messages import AuditRequest, Message, Sweep
from common.phases.graph import GRAPHS
from common.sport import ZONE
from common.topics import CONSISTENCY_AUDIT, PHASE_SWEEP, Topic
from common.warehouse.warehouse import Warehouse

from .day import phase_tables
from .day.chaos import Disorder
from .day.crew import Crew, Job
from .stack.stack import Stack, Tell

_GAMES: Final = ("game1",)
"""One is enough for a schedule that is there."""
_NEXT_GAME: Final = timedelta(days=7)
"""Days from now: the schedule is known, and nobody misses the phases of the days before."""


@contextmanager
def kept(stack: Stack, workers: int, tell: Tell) -> Iterator[Crew]:
    """All of it while the block runs; the workers can be replaced when they die.

    Ends in the order in which things need each other: workers first, then the ticks. Raises a Problem where
    no worker begins to pull.
    """
    over = threading.Event()
    threads = [
        # Daemons: a process that is killed does not wait for its ticks.
        threading.Thread(target=_tick, args=(stack, topic, every, over), daemon=True)
        for topic, every in ((PHASE_SWEEP, SWEEP_EVERY), (CONSISTENCY_AUDIT, AUDIT_EVERY))
    ]
    # Before the first tick: a sweep that finds no tables would tell so.
    _make_tables(stack)
    for thread in threads:
        thread.start()
    try:
        with Crew(_job(stack), workers) as crew:
            with tell("workers"):
                crew.wait_until_pulling()
            yield crew
    finally:
        # Wakes both threads: neither waits out its ten minutes, or its hour.
        over.set()
        for thread in threads:
            thread.join()


def _job(stack: Stack) -> Job:
    """What every worker is told: no disorder."""
    return Job(
        subscription=stack.names.workers,
        disorder=Disorder(),
        environment=stack.process_environment,
        log=stack.folder / "workers.log",
    )


def _make_tables(stack: Stack) -> None:
    """Those that the gates ask for, empty, and a schedule whose next game is far ahead."""
    graph, warehouse = GRAPHS[stack.sport.value], Warehouse(stack.bigquery)
    phase_tables.create(warehouse, stack.sport_names, phase_tables.tables_of(graph))
    if graph.schedule is not None:
        next_game = (datetime.now(ZONE) + _NEXT_GAME).date()
        phase_tables.fill(
            warehouse, stack.sport_names, table=graph.schedule, game_date=next_game, games=_GAMES
        )


def _tick(stack: Stack, topic: Topic, every: timedelta, over: threading.Event) -> None:
    """As Cloud Scheduler does: at once, and then as often as in a deployment. One that fails is missed."""
    while True:
        stack.publisher.publish(topic, _message_of(topic))
        if over.wait(every.total_seconds()):
            return


def _message_of(topic: Topic) -> Message:
    """What the scheduler sends on this topic; an audit that only looks."""
    return Sweep(timestamp=datetime.now(UTC)) if topic is PHASE_SWEEP else AuditRequest()
