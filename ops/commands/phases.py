"""Commands about the boundaries between phases: where they stand, and what a person may do to them."""

from collections.abc import Callable, Sequence
from datetime import date, datetime

from rich.table import Table
from rich.text import Text

from common.phases.by_hand import Operations, Replay
from common.phases.days import Days
from common.phases.records import Day, PhaseState
from common.phases.shape import Boundary, Graph
from common.result import ErrorInfo, Result, ResultError

from ..answer import Answer
from ..exit_status import ExitStatus
from ..explaining.phase_verdict import verdict
from ..operations import Plan, Step
from ..wording import duration

Standing = Sequence[tuple[Boundary, Day]]
Act = Callable[..., Result[Day]]


def on(days: Days, graph: Graph, game_date: date) -> Standing:
    """Every boundary of the graph on a date, with what its processors reported."""
    return [(boundary, days.read(boundary, game_date).unwrap()) for boundary in graph.boundaries]


def listed(standing: Standing, now: datetime) -> Answer:
    """One line for each boundary."""
    table = Table("boundary", "state", "since first", "why", box=None, header_style="bold")
    verdicts = [(boundary.name, day, verdict(day, now)) for boundary, day in standing]
    for name, day, said in verdicts:
        colour = "green" if said.is_well else "red"
        table.add_row(name, Text(said.state.value, style=colour), _waited(day, now), Text(said.sentence))
    data = {
        name: {"state": said.state, "verdict": said.sentence, "next": said.command, "is_well": said.is_well}
        for name, _, said in verdicts
    }
    is_well = all(said.is_well for _, _, said in verdicts)
    return Answer(data=data, shown=[table], status=ExitStatus.WELL if is_well else ExitStatus.FOUND)


def plan_act(
    verb: str, act: Act, boundary: Boundary, day: Day, *, done_in: PhaseState, who: str, why: str
) -> Plan:
    """`hold`, `release` or `dispatch` one boundary; nothing to do where it stands so already."""
    game_date = day.key.game_date
    command = f"{verb} {boundary.phase} {game_date}"
    if day.state is done_in:
        return Plan(command=command, steps=[])

    def do() -> Result[str]:
        done = act(boundary, game_date, who=who, why=why)
        return done.map(lambda after: f"{boundary.name} {game_date} is {after.state.value}")

    sentence = f"{verb} {boundary.name} of {game_date} (now {day.state.value})"
    return Plan(command=command, steps=[Step(sentence=sentence, do=do)])


def plan_replay(operations: Operations, game_date: date, from_phase: int, *, who: str, why: str) -> Plan:
    """Start a phase again, and what has begun behind it anew: exactly what was planned, or nothing."""
    replay: Replay = operations.plan_replay(game_date, from_phase).unwrap()
    generation = dict(replay.generations)[replay.starts.name] + 1

    def do() -> Result[str]:
        done = operations.replay(replay, who=who, why=why)
        return done.map(lambda after: f"{replay.starts.name} {game_date} is {after.state.value}")

    again = ", ".join(boundary.name for boundary in replay.reopens)
    behind = f"; behind it {again} wait for their processors anew" if again else ""
    sentence = f"dispatch {replay.starts.name} of {game_date} again, generation {generation}{behind}"
    return Plan(command=f"replay {game_date} --from {from_phase}", steps=[Step(sentence=sentence, do=do)])


def boundary_of(graph: Graph, phase: int) -> Boundary:
    """The boundary behind a phase; raises ResultError naming those that there are."""
    found = next((each for each in graph.boundaries if each.phase == phase), None)
    if found is None:
        known = ", ".join(str(each.phase) for each in graph.boundaries)
        raise ResultError(ErrorInfo.permanent("WrongUsage", f"phase: {phase} has no boundary; {known} have"))
    return found


def _waited(day: Day, now: datetime) -> str:
    first = min((report.first_recorded_at for report in day.reports.values()), default=None)
    return "" if first is None else duration((day.dispatched_at or now) - first)
