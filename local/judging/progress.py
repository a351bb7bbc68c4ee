"""What a run shows while it runs: one bar for each boundary, and for each stage of its players."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from common.phases.phase_graph import Graph
from common.phases.records import Day

from ..day.predicting import is_skipped
from ..day.slate import Slate
from .gauges import Reading


@dataclass(frozen=True, kw_only=True)
class Bars:
    """One for each boundary, and the four of the players. Showing is for people: nothing is judged by it."""

    progress: Progress
    requested: TaskID
    staged: TaskID
    """Players with rows in a staging table or further."""
    recorded: TaskID
    consolidated: TaskID
    """Players with rows in the main table."""
    boundaries: Mapping[str, TaskID]
    """By the boundary's name."""

    def show_days(self, days: Mapping[str, Day]) -> None:
        """The processors that are there, of those that the date's mode expects."""
        for name, day in days.items():
            if day.decision is not None:
                present, needed = len(day.decision.present), len(day.decision.needed)
                self.progress.update(self.boundaries[name], completed=present, total=needed)

    def show(self, reading: Reading) -> None:
        """How many players have got how far; a later reading may say less of a stage, and is shown so."""
        self.progress.update(self.requested, completed=reading.requested)
        self.progress.update(self.staged, completed=reading.staged)
        self.progress.update(self.recorded, completed=reading.recorded)
        self.progress.update(self.consolidated, completed=reading.consolidated)


@contextmanager
def bars(console: Console, slate: Slate, graph: Graph) -> Iterator[Bars]:
    """Shown while the block runs, and left standing after it. Only players with predictions are staged."""
    # Skipped players are recorded, and never staged: their bars have other ends.
    everybody = len(slate.players)
    with_rows = sum(not is_skipped(player) for player in slate.players)
    columns = (
        TextColumn("  {task.description:<16}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        boundaries = {
            boundary.name: progress.add_task(boundary.name.replace("_", " "), total=None)
            for boundary in graph.boundaries
        }
        yield Bars(
            progress=progress,
            boundaries=boundaries,
            requested=progress.add_task("requested", total=everybody),
            staged=progress.add_task("staged", total=with_rows),
            recorded=progress.add_task("recorded", total=everybody),
            consolidated=progress.add_task("consolidated", total=with_rows),
        )
