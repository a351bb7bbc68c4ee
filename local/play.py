"""One run: the slate is played on a stack that is up, to its end or to its deadline."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum

from common.phases.graph import GRAPHS
from common.phases.records import Day

from .day import coordinator
from .day.chaos import Disorder, Killing, Victim
from .day.crew import Crew, Job
from .day.faults import Faults
from .day.pipeline import Pipeline, wait_for
from .day.slate import Slate
from .judging import gathering
from .judging.boundaries import BoundaryEvidence, gather_boundaries, read_days
from .judging.evidence import Evidence
from .judging.gauges import Gauges, Reading
from .problem import Problem
from .stack.stack import Stack

# Bars move twice a second; each reading asks BigQuery as well.
_READ_EVERY_SECONDS = 0.5
_SETTLE_WITHIN = timedelta(seconds=15)
"""For redeliveries that are still under way once everything is announced."""
_PHASES_WITHIN_SECONDS = 150.0
"""For the phases before the predictions, and for the export behind them."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is played, by how many workers, under which conditions."""

    slate: Slate
    workers: int
    disorder: Disorder
    victim: Victim | None
    """Who is killed in the middle of its work; None for nobody."""
    faults: Faults
    deadline: timedelta
    """From the first request on; then the run is over, whatever is missing."""
    keeps_workers: bool
    """Whether they go on answering when the day is over, because something is still going to be asked."""


class Ending(Enum):
    """Why a run was over."""

    FINISHED = "finished"
    TOO_LATE = "out of time"
    REFUSED = "a message was dead-lettered"
    """No run plays a message that deserves it, and none ends well after one."""


@dataclass(frozen=True, kw_only=True)
class Played:
    """What became of it: the evidence, and what only the run itself knows."""

    evidence: Evidence
    boundaries: tuple[BoundaryEvidence, ...]
    ending: Ending
    was_killed: bool
    """Whether the death that was asked for came in time; False where none was."""
    replaced_workers: int
    """How many workers had to be hired anew, one of them for a death that was asked for."""
    revived: dict[str, int] = field(default_factory=dict)
    """How often each function was started again."""


def hire(plan: Plan, stack: Stack) -> Crew:
    """The plan's workers, started."""
    job = Job(
        subscription=stack.names.workers,
        disorder=plan.disorder,
        environment=stack.process_environment,
        log=stack.folder / "workers.log",
    )
    return Crew(job, plan.workers)


@dataclass(frozen=True, kw_only=True)
class Audience:
    """Who is shown how far a run is."""

    show: Callable[[Reading], None]
    show_days: Callable[[Mapping[str, Day]], None]
    """By boundary."""
    tell: Callable[[Victim], None]
    """Called at a death, from another thread."""


def play(plan: Plan, stack: Stack, crew: Crew, audience: Audience) -> Played:
    """Play the plan: the phases before, the predictions, the export; returns what became of it.

    Raises a Problem where something will not stay alive, or where the predictions are not asked for in time.
    A run that comes to no good end is no Problem: its `ending` and its evidence say so.
    """
    pipeline = Pipeline(
        stack=stack,
        graph=GRAPHS[plan.slate.sport.value],
        game_date=plan.slate.game_date,
        faults=plan.faults,
    )
    # Waits from the start: its moment may come in any phase.
    transitions = _killing_of_transitions(plan.victim, pipeline, audience.tell)
    with pipeline:
        _wait(pipeline.predictions_wanted, pipeline, audience)
        played = _play_predictions(plan, stack, crew, audience)
        if played.ending is Ending.FINISHED:
            _wait(pipeline.export_wanted, pipeline, audience)
    # Before the evidence is read: no death may come in between.
    transitions.call_off()
    boundaries = tuple(gather_boundaries(stack, pipeline))
    return replace(played, boundaries=boundaries, was_killed=played.was_killed or transitions.done.is_set())


def _wait(event: threading.Event, pipeline: Pipeline, audience: Audience) -> None:
    """Until a phase is started; raises a Problem that says what each boundary waits for where it is not in
    time.
    """

    def meanwhile() -> None:
        # A function that was killed on purpose is started again, as Cloud Run would.
        pipeline.stack.revive()
        audience.show_days(read_days(pipeline.stack, pipeline.graph, pipeline))

    if not wait_for(event, pipeline, within_seconds=_PHASES_WITHIN_SECONDS, meanwhile=meanwhile):
        days = read_days(pipeline.stack, pipeline.graph, pipeline)
        # Each boundary says why by itself: a run that hangs needs no debugger.
        told = (f"{name}: {day.decision.reason}" for name, day in days.items() if day.decision)
        raise Problem(f"a phase was not started in time; {'; '.join(told)}")
    meanwhile()


def _killing_of_transitions(
    victim: Victim | None, pipeline: Pipeline, tell: Callable[[Victim], None]
) -> Killing:
    """In the middle of its work: processors have reported, and their phase has not been started."""

    def is_time() -> bool:
        days = read_days(pipeline.stack, pipeline.graph, pipeline).values()
        return victim is Victim.TRANSITIONS and any(
            day.reports and not day.state.is_final for day in days if day.key.phase > 2
        )

    def kill() -> None:
        pipeline.stack.server("phase_transitions").kill()
        tell(Victim.TRANSITIONS)

    killing = Killing(is_time if victim is Victim.TRANSITIONS else lambda: False, kill)
    killing.start()
    return killing


def _play_predictions(plan: Plan, stack: Stack, crew: Crew, audience: Audience) -> Played:
    """From the requests to the announcement, or to the deadline; then everything is read once."""
    asked_at = datetime.now(UTC)
    batch_id = coordinator.batch_id_of(plan.slate, asked_at)
    gauges = Gauges(stack, batch_id)
    # Before anybody is asked: the moment may come within a second.
    killing = _killing(plan.victim, gauges=gauges, crew=crew, stack=stack, tell=audience.tell)
    _ask(plan, stack, asked_at)
    ending = _watch(plan, stack, gauges=gauges, crew=crew, show=audience.show)
    # Nobody may die while the evidence is read: what a death undoes would look lost.
    killing.call_off()
    if not plan.keeps_workers:
        # What they hold is finished first: a completion that came after the reading would look lost.
        crew.dismiss()
    settle_within = _SETTLE_WITHIN if ending is Ending.FINISHED else timedelta(0)
    requests = plan.slate.requests(batch_id, asked_at)
    evidence = gathering.gather(stack, batch_id, requests, settle_within=settle_within)
    return Played(
        evidence=evidence,
        boundaries=(),
        ending=ending,
        was_killed=killing.done.is_set(),
        replaced_workers=crew.replaced,
        revived=_revived(stack),
    )


def _revived(stack: Stack) -> dict[str, int]:
    """Functions that were started again → how often."""
    restarts = {server.deployment.name: server.lives.restarts for server in stack.servers}
    return {name: times for name, times in restarts.items() if times}


def _ask(plan: Plan, stack: Stack, asked_at: datetime) -> None:
    """Open the batch and publish a request per player; raises ResultError."""
    coordinator.ask(
        plan.slate,
        asked_at=asked_at,
        batches=stack.batches,
        publisher=stack.publisher,
        dataset_prefix=stack.settings.dataset_prefix,
        shuffle_seed=plan.disorder.seed if plan.disorder.shuffle else None,
    ).unwrap()


def _killing(
    victim: Victim | None, *, gauges: Gauges, crew: Crew, stack: Stack, tell: Callable[[Victim], None]
) -> Killing:
    """Begun, and never to happen where nobody is to die."""
    moments: dict[Victim | None, tuple[Callable[[], bool], Callable[[], None]]] = {
        Victim.RECORDER: (gauges.is_half_recorded, stack.server("completion_recorder").kill),
        Victim.TRIGGER: (gauges.is_consolidating, stack.server("consolidation_trigger").kill),
        Victim.WORKER: (gauges.is_half_staged, crew.kill_one),
    }
    # A thread that waits for nothing, so that the run is the same with a death and without.
    is_time, kill = moments.get(victim, (lambda: False, lambda: None))

    def kill_and_tell() -> None:
        kill()
        if victim is not None:
            tell(victim)

    killing = Killing(is_time, kill_and_tell)
    killing.start()
    return killing


def _watch(
    plan: Plan, stack: Stack, *, gauges: Gauges, crew: Crew, show: Callable[[Reading], None]
) -> Ending:
    """Keep everything alive until the run is over."""
    # By the monotonic clock: a machine whose time is set must not end a run.
    ends_at = time.monotonic() + plan.deadline.total_seconds()
    while time.monotonic() < ends_at:
        stack.revive()
        crew.replace_dead()
        read = gauges.read()
        # A table that is dropped while it is counted is no problem: read again.
        if read.is_success:
            show(read.unwrap())
            if read.unwrap().is_refused:
                return Ending.REFUSED
            if read.unwrap().is_finished:
                return Ending.FINISHED
        time.sleep(_READ_EVERY_SECONDS)
    return Ending.TOO_LATE
