"""`simulate`: recorded completions through an edited phase graph, beside what was."""

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from rich.bar import Bar
from rich.table import Table
from rich.text import Text

from common.parallel import for_each
from common.phases.days import Days
from common.phases.decision import PhaseState
from common.phases.phase_graph import Graph
from common.phases.shape import Boundary
from common.result import returns_result
from common.texts import counted

from ..answer import Answer
from ..refusals import wrong_usage
from ..simulating.replayed import Replayed, replayed
from ..wording import clock, duration, names

AT_ONCE: Final = 16
"""Dates that are read side by side: a read waits for the network for longer than it computes."""
BEFORE_A_GATE: Final = frozenset({PhaseState.READY, PhaseState.BLOCKED})
"""States in which enough processors were done and no gate had let the date through yet."""


def graph_of(file: Path, sport: str) -> Graph:
    """The graph in a JSON or YAML file; raises ResultError with everything that is wrong with it.

    WrongUsage also for the graph of another sport: its names would match nothing that was recorded.
    """
    try:
        graph = Graph.read(_parsed(file))
    except (OSError, ValueError) as exc:
        why = str(exc) if isinstance(exc, OSError) else f"{file}: {exc}"
        raise wrong_usage(f"--graph: {why}") from exc
    if graph.sport != sport:
        raise wrong_usage(f"--graph: {file}: sport: {graph.sport!r}, and what was recorded is of {sport!r}")
    return graph


def simulate(days: Days, graph: Graph, first: date, last: date) -> Answer:
    """Every boundary of every date from `first` to `last`, both included, that has a report or a dispatch.

    Reads only: a request for each of them, and one for its decisions. Raises ResultError where a store could
    not be read.
    """
    if last < first:
        raise wrong_usage(f"--to: {last} is before {first}")
    dates = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    boundaries = {each.name: each for each in graph.boundaries}
    wanted = [(name, each) for each in dates for name in boundaries]
    read = for_each(wanted, lambda one: _played(days, boundaries[one[0]], one[1]), at_once=AT_ONCE).unwrap()
    found = [each for each in read.values() if each is not None]
    return Answer(data={"dates": found, "summary": _summary(found)}, shown=_shown(found, graph.boundaries))


@returns_result
def _played(days: Days, boundary: Boundary, game_date: date) -> Replayed | None:
    """None for a date of which nothing was ever recorded."""
    day = days.read(boundary, game_date).unwrap()
    # A day without games has neither; it would only fill the table with lines that say nothing.
    if not (day.reports or day.dispatch):
        return None
    # The document of a date that was dispatched does not tell whether it stood before a gate.
    decided = {each.state for each in days.decisions(day).unwrap()}
    return replayed(boundary, day, was_blocked=not decided.isdisjoint(BEFORE_A_GATE))


def _summary(found: Sequence[Replayed]) -> dict[str, Any]:
    """The sums: of what started both ways how much was gained; of the others how many there are."""
    gained = [each.gained for each in found if each.gained is not None]
    minutes = [length.total_seconds() / 60 for length in gained]
    return {
        "simulated": len(found),
        # Only of dates that started both ways: a date that never starts gains or loses no minutes, it is
        # counted apart.
        "minutes_gained": round(sum(minutes), 1),
        "earlier": sum(each > 0 for each in minutes),
        "later": sum(each < 0 for each in minutes),
        "incomplete": sum(bool(each.without) for each in found),
        "never": sum(each.would_at is None for each in found),
    }


def _shown(found: Sequence[Replayed], boundaries: Sequence[Boundary]) -> list[Any]:
    """Fits 80 columns: what differs, and who would have been missing, stands below the table."""
    if not found:
        return ["No completion was recorded in these days."]
    table = Table(box=None, header_style="bold")
    for title in ("date", "phases", "was (UTC)", "would be", "gained", "later | earlier"):
        table.add_column(title, no_wrap=True, justify="right" if title == "gained" else "left")
    steps = {each.name: f"{each.phase} to {each.next_phase}" for each in boundaries}
    # One scale for all rows; where nothing differs any will do.
    longest = max((abs(each.gained).total_seconds() for each in found if each.gained), default=0.0) or 1.0
    for each in found:
        table.add_row(
            str(each.game_date),
            steps[each.boundary],
            _moment(each.was_at),
            _moment(each.would_at),
            _gained(each.gained),
            _chart(each.gained, longest),
        )
    told = [line for each in found if (line := _difference(each, steps[each.boundary]))]
    summary = _summary(found)
    line = (
        f"{counted(summary['simulated'], 'boundary date')}: {summary['earlier']} earlier, "
        f"{summary['later']} later, {summary['minutes_gained']:g} minutes gained in all; "
        f"{summary['incomplete']} would have gone out incomplete, {summary['never']} not at all."
    )
    return [table, *map(Text, told), line]


def _difference(each: Replayed, step: str) -> str:
    """Why it would have started otherwise, and without whom; empty where nothing differs."""
    parts = []
    if each.would_reason != each.was_reason:
        parts.append(f"{each.would_reason or 'never ready'} instead of {each.was_reason or 'no start'}")
    if each.without:
        parts.append(f"without {names(each.without)}")
    return f"{each.game_date} {step}: {'; '.join(parts)}" if parts else ""


def _moment(at: datetime | None) -> str:
    """The time of day, or "never"."""
    return "never" if at is None else clock(at)


def _gained(length: timedelta | None) -> str:
    """`+3 min` earlier, `-1 h 5 min` later; "" where one of both never started."""
    if not length:
        return "" if length is None else "0"
    return f"{'+' if length > timedelta() else '-'}{duration(abs(length))}"


def _chart(length: timedelta | None, longest: float) -> Bar | str:
    """A bar for the gain, as long as the largest of the table in its own half: to the right is earlier, to
    the left later.
    """
    if not length:
        return ""
    share = length.total_seconds() / longest
    return Bar(size=2.0, begin=min(1.0, 1.0 + share), end=max(1.0, 1.0 + share), width=16)


def _parsed(file: Path) -> Any:
    """What the file holds; raises OSError or ValueError."""
    # YAML reads JSON as well, but words its complaints otherwise.
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".json":
        return json.loads(text)
    # Imported here: whoever has JSON, or simulates nothing, does not wait for it.
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as exc:
        # Its own text draws the place over several lines.
        raise ValueError(" ".join(str(exc).split())) from exc
