"""Boundaries between phases that stand still, or went on without somebody.

today - 2   phase 2 is started late, without one processor; the others are over
today - 1   phase 2 is silent, 3 past its deadline, 4 decided and not sent, 5 given up
"""

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from common.audit.report import Asked
from common.findings import Finding, FindingClass, operator_command
from common.messages import MessageStatus
from common.phases import changes
from common.phases.changes import Change
from common.phases.decision import PhaseState
from common.phases.mode import mode_of
from common.phases.records import Day, Report
from common.phases.rules import MANUAL, readiness
from common.phases.shape import Boundary, RowCounts, Table
from common.phases.trigger import dispatch_of

from ..day import phase_tables
from ..day.pipeline import GAMES
from .clocks import HOUR, SABOTEUR
from .defect import ByAudit, ByPerson, Defect, Expected, Otherwise
from .world import World

WHY: Final = "broken on purpose"
LONG_AGO: Final = -400
"""Days before today: no game is known for months around."""
_SILENT, _STUCK, _UNSENT, _ABANDONED = 2, 3, 4, 5
_REPORTED_AGO: Final = 5 * HOUR
"""The last tier fires after four."""


def boundary(world: World, phase: int) -> Boundary:
    """The one behind this phase."""
    return next(each for each in world.audit.phases.graph.boundaries if each.phase == phase)


def play_the_days_before(world: World) -> None:
    """Two game days whose phases are over, but for those that are broken later."""
    phase_tables.create(
        world.wiring.warehouse(),
        world.wiring.settings.names,
        phase_tables.tables_of(world.audit.phases.graph),
    )
    schedule = world.audit.phases.graph.schedule
    assert schedule is not None
    for days in (-2, -1):
        _fill(world, schedule, world.day(days))
    operations = world.audit.phases.operations()
    for phase in (_STUCK, _UNSENT):
        # By hand: their processors have never reported, and must not look stuck.
        operations.dispatch(boundary(world, phase), world.day(-2), who=SABOTEUR, why=WHY).unwrap()


def _fill(world: World, table: Table, game_date: date) -> None:
    """A row for each game of the date, in a table that a gate asks for."""
    warehouse, names = world.wiring.warehouse(), world.wiring.settings.names
    phase_tables.fill(warehouse, names, table=table, game_date=game_date, games=GAMES)


def _report(world: World, processor: str) -> Report:
    """A success of this processor, so long ago that every tier has fired."""
    at = world.now() - _REPORTED_AGO
    return Report(
        processor=processor,
        processor_name=processor,
        status=MessageStatus.SUCCESS,
        execution_id=SABOTEUR,
        event_id=SABOTEUR,
        recorded_at=at,
        first_recorded_at=at,
        sent_at=at,
        record_count=len(GAMES),
        correlation_id=SABOTEUR,
    )


def _be_silent(world: World) -> Expected:
    """Nothing has to be done: phase 2 of a game day was never heard of."""
    return {world.day(-1).isoformat(): None}


def _stand_still(world: World) -> Expected:
    """One processor of several has reported, and nothing has followed until the deadline."""
    stuck = boundary(world, _STUCK)
    # None that is critical: with those, a tier without a wait would start the phase.
    processor = sorted(set(stuck.known) - set(_critical(stuck)))[0]
    world.audit.phases.boundaries().days.record(stuck, world.day(-1), _report(world, processor)).unwrap()
    return {world.day(-1).isoformat(): None}


def _critical(of: Boundary) -> tuple[str, ...]:
    """The critical processors of any mode."""
    return tuple(name for rules in of.modes.values() for name in rules.critical)


def _die_before_the_dispatch(world: World) -> Expected:
    """Claimed an hour ago, by an instance that then died."""
    unsent, ago = boundary(world, _UNSENT), world.now() - HOUR

    def claim(day: Day) -> Change:
        # As an instance writes it, by the same rules: only its clock was an hour behind.
        decision = readiness(unsent, day, ago).decision(ago, PhaseState.DISPATCHING, reason=WHY)
        dispatch = dispatch_of(unsent, day, decision, reason=MANUAL, claimant=uuid.uuid4().hex, now=ago)
        return changes.claim(day, decision, dispatch)

    world.audit.phases.boundaries().days.amend(unsent, world.day(-1), claim).unwrap()
    return {world.day(-1).isoformat(): None}


def _give_up(world: World) -> Expected:
    """An act of a person, on a day that is over: it is told as long as nobody replays it."""
    operations = world.audit.phases.operations()
    operations.abandon(boundary(world, _ABANDONED), world.day(-2), who=SABOTEUR, why=WHY).unwrap()
    return {world.day(-2).isoformat(): None}


def _start_without_one(world: World) -> Expected:
    """All but one have reported hours ago; whoever looks at the day next starts phase 3 without it."""
    late, day = boundary(world, _SILENT), world.day(-2)
    rules = late.modes[mode_of(day, world.now())]
    for gate in rules.gates:
        if isinstance(gate, RowCounts):
            for table in gate.tables:
                # The schedule has its games of the day already.
                if table.name != _schedule_name(world):
                    _fill(world, table, day)
    # One that is not critical: without a critical one no wait starts the phase.
    *_, missing = (name for name in rules.expected if name not in rules.critical)
    for processor in rules.expected:
        if processor != missing:
            report = _report(world, processor)
            world.audit.phases.boundaries().days.record(late, day, report).unwrap()
    world.audit.phases.boundaries().look(late, day).unwrap()
    return {day.isoformat(): (missing,)}


def _schedule_name(world: World) -> str:
    """The table of the schedule; "" for a sport that has none."""
    schedule = world.audit.phases.graph.schedule
    return schedule.name if schedule else ""


def _dispatch(phase: int) -> Callable[[World, Finding], list[str]]:
    """The finding's own command, which looks, then the dispatch by hand."""

    def commands(world: World, finding: Finding) -> list[str]:
        return [finding.command, operator_command("dispatch", str(phase), finding.scope.name)]

    return commands


def _replay(world: World, finding: Finding) -> list[str]:
    """The finding's own command, then the replay that alone brings an abandoned boundary back."""
    # A replay is told from which phase to start, not behind which one.
    following = boundary(world, _ABANDONED).next_phase
    return [finding.command, operator_command("replay", finding.scope.name, "--from", str(following))]


def _look_long_ago(world: World) -> Expected:
    """At a date around which no game is known."""
    world.auditor().run(Asked(game_date=world.day(LONG_AGO))).unwrap()
    return {"schedule": None}


def _know_the_schedule(world: World) -> None:
    """Games near the date: the schedule of its time is then known."""
    schedule = world.audit.phases.graph.schedule
    assert schedule is not None
    # Near enough to be "around", and not the date itself: games on it would make its silence a defect.
    _fill(world, schedule, world.day(LONG_AGO) + timedelta(days=10))


UNKNOWN_SCHEDULE: Final = Defect(
    finding_class=FindingClass.UNKNOWN_SCHEDULE,
    how="a date without any games around it",
    make=_look_long_ago,
    mended=Otherwise(what="the schedule is loaded", undo=_know_the_schedule),
)

DEFECTS: Final = (
    Defect(
        finding_class=FindingClass.SILENT_PHASE,
        how="no event of phase 2 on a game day",
        make=_be_silent,
        mended=ByPerson(commands=_dispatch(_SILENT)),
    ),
    Defect(
        finding_class=FindingClass.STUCK_PHASE,
        how="one processor reports, then nothing",
        make=_stand_still,
        mended=ByPerson(commands=_dispatch(_STUCK)),
    ),
    Defect(
        finding_class=FindingClass.UNSENT_DISPATCH,
        how="decided an hour ago, never sent",
        make=_die_before_the_dispatch,
        mended=ByAudit(),
    ),
    Defect(
        finding_class=FindingClass.ABANDONED_PHASE,
        how="a person gives a boundary up",
        make=_give_up,
        mended=ByPerson(commands=_replay),
    ),
    Defect(
        finding_class=FindingClass.INCOMPLETE_START,
        how="a processor never reports",
        make=_start_without_one,
        mended=Otherwise(what="told once; nothing waits", undo=lambda world: None),
    ),
)
