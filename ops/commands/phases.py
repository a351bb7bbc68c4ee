"""Commands about the boundaries between phases: where they stand, and what a person may do to them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from rich.table import Table
from rich.text import Text

from common.findings import operator_command
from common.phases.by_hand import Operations, Replay
from common.phases.days import Days
from common.phases.decision import PhaseState
from common.phases.phase_graph import Graph
from common.phases.records import Day
from common.phases.shape import Boundary
from common.result import Result

from ..answer import Answer
from ..bulk import plan_for_each
from ..exit_status import ExitStatus
from ..explaining.phase_verdict import verdict
from ..operations import CutShort
from ..plan import Plan, Step
from ..refusals import refused, wrong_usage
from ..selection import Fields, Selection, number, text
from ..selection import day as day_field
from ..wording import duration

Standing = tuple[Boundary, Day]
Act = Callable[..., Result[Day]]

DAYS_AROUND: Final = 7
"""Before today and after it: dates on which boundaries are looked at where none is named."""

DONE_IN: Final = {
    "hold": frozenset({PhaseState.HELD}),
    "release": frozenset(PhaseState) - {PhaseState.HELD},
    "dispatch": frozenset({PhaseState.DISPATCHED}),
}
"""The states in which an act by hand has nothing to do."""
FORBIDS: Final = {
    # Behind a dispatch a hold would promise what nobody can keep: the trigger is out, or on its way.
    "hold": frozenset({PhaseState.DISPATCHED, PhaseState.DISPATCHING, PhaseState.ABANDONED}),
    "release": frozenset[PhaseState](),
    # Who holds a boundary has a reason: it has to be released first, by somebody who has read it.
    "dispatch": frozenset({PhaseState.HELD, PhaseState.ABANDONED}),
}
"""And those that forbid it, as the act itself would find."""

GENERATIONS: Final = "generations"
BEHIND: Final = "begun behind it"
"""What a replay rests on, and is taken up by."""

SEARCHED: Final = f"Where no game_date is named, from {DAYS_AROUND} days ago to {DAYS_AROUND} days ahead."
FIELDS: Final[Fields[Standing]] = {
    "boundary": text(lambda one: one[0].name),
    "phase": number(lambda one: one[0].phase),
    "game_date": day_field(lambda one: one[1].key.game_date),
    "state": text(lambda one: one[1].state, choices=PhaseState),
    "generation": number(lambda one: one[1].generation),
}
"""What `--where` may ask of a boundary on a date."""


def on(days: Days, graph: Graph, game_date: date) -> Sequence[Standing]:
    """Every boundary of the graph on a date, with its reports. One request; raises ResultError."""
    found = days.read_date(graph.boundaries, game_date).unwrap()
    return list(zip(graph.boundaries, found, strict=True))


def listed(standing: Sequence[Standing], now: datetime, here: Callable[[str], str]) -> Answer:
    """One line for each boundary.

    Exit status 1 where any is not well. `next` in the data is a command to paste, or None.
    """
    table = Table("boundary", "state", "since first", "why", box=None, header_style="bold")
    verdicts = [(boundary.name, day, verdict(day, now)) for boundary, day in standing]
    for name, day, said in verdicts:
        colour = "green" if said.is_well else "red"
        table.add_row(name, Text(said.state.value, style=colour), _waited(day, now), Text(said.sentence))
    data = {
        name: {
            "state": said.state,
            "verdict": said.sentence,
            "next": here(said.command) if said.command else None,
            "is_well": said.is_well,
        }
        for name, _, said in verdicts
    }
    ill = [day.key.game_date for _, day, said in verdicts if not said.is_well]
    # One command, however many are ill: all are of one date, and `explain` takes a date whole.
    looks = [Text(here(operator_command("explain", each.isoformat())), style="bold") for each in ill[:1]]
    status = ExitStatus.FOUND if ill else ExitStatus.WELL
    return Answer(data=data, shown=[table, *looks], status=status)


def plan_act(verb: str, act: Act, boundary: Boundary, day: Day, *, who: str, why: str) -> Plan:
    """`hold`, `release` or `dispatch` one boundary.

    Nothing to do where it stands so already; raises ResultError where its state forbids it.

    The state is judged twice: here, for what is shown, and by the act itself, for what happens. For one that
    has moved in between, the step fails or finds nothing left to do.
    """
    game_date = day.key.game_date
    stands = f"{boundary.name} of {game_date} is {day.state.value}"
    plan = Plan(
        command=f"{verb} {boundary.phase} {game_date}", steps=[], seen=_seen(day), shown=[f"{stands}."]
    )
    # Asked before anything is shown as a plan: the act would refuse it, too.
    if day.state in FORBIDS[verb]:
        raise refused(f"{stands}: {verb} is not possible")
    if day.state in DONE_IN[verb]:
        return plan

    def do(_: str) -> Result[str]:
        done = act(boundary, game_date, who=who, why=why)
        return done.map(lambda after: f"{boundary.name} {game_date} is {after.state.value}")

    sentence = f"{verb} {boundary.name} of {game_date}, generation {day.generation}"
    return replace(plan, steps=[Step(sentence=sentence, do=do)])


def plan_for_boundaries(
    verb: str,
    days: Days,
    graph: Graph,
    *,
    where: Selection[Standing],
    today: date,
    plan_of: Callable[[Standing], Plan],
) -> Plan:
    """`plan_of` each boundary and date that `where` chooses, from a week ago to a week ahead, or of the one
    game date that it names.

    Raises ResultError where a store cannot be read: no plan is made of the dates that could.
    """
    named = where.exactly("game_date")
    dates = (
        [today + timedelta(days=offset) for offset in range(-DAYS_AROUND, DAYS_AROUND + 1)]
        if named is None
        else [date.fromisoformat(named)]
    )
    # One request for all of them, without their reports: a condition asks for none.
    wanted = [(boundary, game_date) for game_date in dates for boundary in graph.boundaries]
    standing = list(zip((boundary for boundary, _ in wanted), days.read_many(wanted).unwrap(), strict=True))
    chosen = where.of(standing)
    return plan_for_each(
        verb,
        "boundary date",
        chosen,
        where,
        name=_name,
        plan_of=plan_of,
    )


def plan_replay(
    operations: Operations,
    game_date: date,
    from_phase: int,
    *,
    cut_short: Callable[[str], CutShort | None],
    who: str,
    why: str,
) -> Plan:
    """Start a phase again, and what has begun behind it anew: exactly what was planned, or nothing.

    Where the same command was cut short, its own plan is taken up, whatever of it is done already: a plan
    that is made anew would start the phase once more.

        begun: generation 3 starts ── cut short ── given again, planned anew: generation 4, a second start
                                               ╰── given again, by its record: what is left of generation 3

    Raises ResultError where the phase cannot be replayed on that date.
    """
    command = f"replay {game_date} --from {from_phase}"
    begun = cut_short(command)
    replay: Replay = (
        operations.plan_replay(game_date, from_phase).unwrap()
        if begun is None
        else operations.planned_replay(
            game_date, from_phase, _generations(begun.seen[GENERATIONS]), begun.seen[BEHIND].split()
        ).unwrap()
    )
    # Of the plan and not of the store: where it is taken up, the store may have begun it already.
    generation = dict(replay.generations)[replay.starts.name] + 1
    again = [boundary.name for boundary in replay.reopens]

    def do(_: str) -> Result[str]:
        done = operations.replay(replay, who=who, why=why)
        return done.map(lambda after: f"{replay.starts.name} {game_date} is {after.state.value}")

    behind = f"; behind it {', '.join(again)} wait for their processors anew" if again else ""
    sentence = f"dispatch {replay.starts.name} of {game_date} again, generation {generation}{behind}"
    generations = " ".join(f"{name}:{number}" for name, number in replay.generations)
    return Plan(
        command=command,
        steps=[Step(sentence=sentence, do=do)],
        seen={GENERATIONS: generations, BEHIND: " ".join(again)},
    )


def _generations(told: str) -> dict[str, int]:
    """Boundary → generation, from the words in which a plan keeps them."""
    return {name: int(number) for name, _, number in (each.partition(":") for each in told.split())}


def _name(standing: Standing) -> str:
    """Of one boundary on one date, for people."""
    boundary, day = standing
    return f"{boundary.name} {day.key.game_date}"


def _seen(day: Day) -> dict[str, str]:
    """What a plan about it rests on."""
    return {"state": day.state.value, "generation": str(day.generation)}


def boundary_of(graph: Graph, phase: int) -> Boundary:
    """The boundary behind a phase; raises ResultError naming those that there are."""
    # The last phase has none: nothing lies behind it.
    found = next((each for each in graph.boundaries if each.phase == phase), None)
    if found is None:
        known = ", ".join(str(each.phase) for each in graph.boundaries)
        raise wrong_usage(f"phase: {phase} has no boundary; {known} have")
    return found


def _waited(day: Day, now: datetime) -> str:
    """From its first report to its dispatch, or until now; "" before there is a report."""
    first = min((report.first_recorded_at for report in day.reports.values()), default=None)
    return "" if first is None else duration((day.dispatched_at or now) - first)
