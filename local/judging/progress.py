"""What a run shows while it runs: one bar for each stage of its players."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ..day.predicting import is_skipped
from ..day.slate import Slate
from .gauges import Reading


@dataclass(frozen=True, kw_only=True)
class Bars:
    """The four bars."""

    progress: Progress
    requested: TaskID
    staged: TaskID
    recorded: TaskID
    consolidated: TaskID

    def show(self, reading: Reading) -> None:
        self.progress.update(self.requested, completed=reading.requested)
        self.progress.update(self.staged, completed=reading.staged)
        self.progress.update(self.recorded, completed=reading.recorded)
        self.progress.update(self.consolidated, completed=reading.consolidated)


@contextmanager
def bars(console: Console, slate: Slate) -> Iterator[Bars]:
    """Shown while the block runs, and left standing after it. Only players with predictions are staged."""
    everybody = len(slate.players)
    with_rows = sum(not is_skipped(player) for player in slate.players)
    columns = (
        TextColumn("  {task.description:<12}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield Bars(
            progress=progress,
            requested=progress.add_task("requested", total=everybody),
            staged=progress.add_task("staged", total=with_rows),
            recorded=progress.add_task("recorded", total=everybody),
            consolidated=progress.add_task("consolidated", total=with_rows),
        )
