"""One run: the slate is played on a stack that is up, to its end or to its deadline."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum

from ..judging import gathering
from ..judging.evidence import Evidence
from ..judging.gauges import Gauges, Reading
from ..stack.stack import Stack
from . import coordinator
from .chaos import Disorder, Killing, Victim
from .crew import Crew, Job
from .slate import Slate

_READ_EVERY_SECONDS = 0.5
_SETTLE_WITHIN = timedelta(seconds=15)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is played, by how many workers, under which conditions."""

    slate: Slate
    workers: int
    disorder: Disorder
    victim: Victim | None
    deadline: timedelta
    """From the first request on; then the run is over, whatever is missing."""


class Ending(Enum):
    """Why a run was over."""

    FINISHED = "finished"
    TOO_LATE = "out of time"
    REFUSED = "a message was dead-lettered"
    """No run plays a message that deserves it, and none ends well after one."""


@dataclass(frozen=True, kw_only=True)
class Played:
    """What became of it."""

    evidence: Evidence
    ending: Ending
    was_killed: bool
    replaced_workers: int
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


def play(
    plan: Plan, stack: Stack, crew: Crew, *, show: Callable[[Reading], None], tell: Callable[[Victim], None]
) -> Played:
    """Play the plan. Raises a Problem where something will not stay alive.

    `show` gets every reading, `tell` is called at a death, from another thread.
    """
    asked_at = datetime.now(UTC)
    batch_id = coordinator.batch_id_of(plan.slate, asked_at)
    gauges = Gauges(stack, batch_id)
    killing = _killing(plan.victim, gauges, crew, stack, tell)
    _ask(plan, stack, asked_at)
    ending = _watch(plan, stack, gauges, crew, show)
    killing.call_off()
    crew.dismiss()
    settle_within = _SETTLE_WITHIN if ending is Ending.FINISHED else timedelta(0)
    requests = plan.slate.requests(batch_id, asked_at)
    evidence = gathering.gather(stack, batch_id, requests, settle_within=settle_within)
    return Played(
        evidence=evidence,
        ending=ending,
        was_killed=killing.done.is_set(),
        replaced_workers=crew.replaced,
        revived=_revived(stack),
    )


def _revived(stack: Stack) -> dict[str, int]:
    restarts = {server.deployment.name: server.lives.restarts for server in stack.servers}
    return {name: times for name, times in restarts.items() if times}


def _ask(plan: Plan, stack: Stack, asked_at: datetime) -> None:
    coordinator.ask(
        plan.slate,
        asked_at=asked_at,
        batches=stack.batches,
        publisher=stack.publisher,
        dataset_prefix=stack.settings.dataset_prefix,
        shuffle_seed=plan.disorder.seed if plan.disorder.shuffle else None,
    ).unwrap()


def _killing(
    victim: Victim | None, gauges: Gauges, crew: Crew, stack: Stack, tell: Callable[[Victim], None]
) -> Killing:
    """Begun, and never to happen where nobody is to die."""
    moments: dict[Victim | None, tuple[Callable[[], bool], Callable[[], None]]] = {
        Victim.RECORDER: (gauges.is_half_recorded, stack.server("completion_recorder").kill),
        Victim.TRIGGER: (gauges.is_consolidating, stack.server("consolidation_trigger").kill),
        Victim.WORKER: (gauges.is_half_staged, crew.kill_one),
    }
    is_time, kill = moments.get(victim, (lambda: False, lambda: None))

    def kill_and_tell() -> None:
        kill()
        if victim is not None:
            tell(victim)

    killing = Killing(is_time, kill_and_tell)
    killing.start()
    return killing


def _watch(plan: Plan, stack: Stack, gauges: Gauges, crew: Crew, show: Callable[[Reading], None]) -> Ending:
    """Keep everything alive until the run is over."""
    ends_at = time.monotonic() + plan.deadline.total_seconds()
    while time.monotonic() < ends_at:
        stack.revive()
        crew.replace_dead()
        read = gauges.read()
        if read.is_success:
            show(read.unwrap())
            if read.unwrap().is_refused:
                return Ending.REFUSED
            if read.unwrap().is_finished:
                return Ending.FINISHED
        time.sleep(_READ_EVERY_SECONDS)
    return Ending.TOO_LATE
