"""`coverage`: which game days have data in which table."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from rich.console import Console, RenderableType
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from common.audit.coverage import CoverageCheck, CoverageReport, DatedTable, TableCoverage
from common.phases import shape
from common.phases.phase_graph import Graph
from common.result import ErrorInfo, ResultError
from common.sport import DatasetRole
from common.texts import counted

from ..answer import Answer
from ..exit_status import ExitStatus
from ..wording import names

CHECKPOINTS: Final = Path(".run") / "coverage"
"""Below the repository: what earlier runs have asked, for each system a file of its own."""


def tables_of(graph: Graph, dataset: Callable[[DatasetRole], str]) -> list[DatedTable]:
    """The schedule's own aside, each table that a gate of the graph waits for, once, in the graph's order.

    Every mode of a boundary counts: a table that one mode alone waits for is relied upon all the same. The
    schedule is left out because it is what says which days are game days: asked about itself, it would always
    be complete.
    """
    found: dict[DatedTable, None] = {}
    for boundary in graph.boundaries:
        for rules in boundary.modes.values():
            for gate in rules.gates:
                for table in _tables(gate):
                    if table != graph.schedule:
                        path = f"{dataset(table.role)}.{table.name}"
                        # A dict as an ordered set: tables in the graph's order, each once.
                        found[DatedTable(path=path, date_column=table.date_column)] = None
    return list(found)


def coverage(
    check: CoverageCheck, tables: Sequence[DatedTable], *, first: date, last: date, screen: Console
) -> Answer:
    """Per table what is missing and what is unknown. A bar on `screen` shows how far it is, at a terminal.

    Raises ResultError where nobody can say which days are game days, and for a damaged checkpoint.

    Nothing is written but the checkpoint, after each answer: of a run that was cut short the same command
    takes over what is younger than ANSWER_KEEPS, and of a whole one nothing. A day with one row counts as
    covered: how many rows it should have, this does not know.
    """
    # Before the schedule is asked: a range that is empty by mistake would be covered without a gap.
    if last < first:
        raise ResultError(ErrorInfo.permanent("WrongUsage", f"--to: {last} is before {first}"))
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("asking the tables", total=None)
        report = check.run(
            tables, first, last, told=lambda done, all_of: bar.update(task, completed=done, total=all_of)
        ).unwrap()
    return shown(report, first, last)


def shown(report: CoverageReport, first: date, last: date) -> Answer:
    """An unknown day outranks a missing one: who reads the status knows that not all was looked at."""
    table = Table("table", "game days with data", "missing", "unknown", box=None, header_style="bold")
    for each in report.tables:
        table.add_row(
            each.table,
            f"{len(each.with_data)} / {len(report.game_days)}",
            Text(_dates(each.missing), style="red"),
            Text(_unknown(each), style="yellow"),
        )
    said: list[RenderableType] = [f"{first} to {last}: {counted(len(report.game_days), 'game day')}.", table]
    if report.taken_over:
        said.append(f"{counted(report.taken_over, 'answer')} of an earlier run taken over.")
    if not report.is_known:
        said.append("Not all could be asked; the same command asks for the rest.")
    data = {"first": first, "last": last, "game_days": report.game_days, "tables": _told(report)}
    return Answer(data={**data, "taken_over": report.taken_over}, shown=said, status=_status(report))


def _status(report: CoverageReport) -> ExitStatus:
    """An unknown day says "could not look", even beside a missing one."""
    if not report.is_known:
        return ExitStatus.COULD_NOT_LOOK
    return ExitStatus.WELL if report.is_complete else ExitStatus.FOUND


def _told(report: CoverageReport) -> dict[str, object]:
    """The report for machines, by table: dates, and `error` with the reason why some are unknown."""
    return {
        each.table: {
            "with_data": each.with_data,
            "missing": each.missing,
            "unknown": each.unknown,
            "error": None if each.error is None else each.error.to_dict(),
        }
        for each in report.tables
    }


def _unknown(table: TableCoverage) -> str:
    """How many days are unknown, and why; "not asked" where the store had failed for another table before."""
    if not table.unknown:
        return ""
    why = (
        "not asked" if table.error is None else f"{table.error.exception_class}: {table.error.message[:120]}"
    )
    return f"{counted(len(table.unknown), 'day')}: {why}"


def _dates(days: Sequence[date]) -> str:
    """Dates for people, a long list shortened; "" for none."""
    return names([day.isoformat() for day in days]) if days else ""


def _tables(gate: shape.GateRule) -> Sequence[shape.Table]:
    """The tables that a gate waits for; () for one that waits for none."""
    if isinstance(gate, shape.RowCounts):
        return gate.tables
    return [gate.table] if isinstance(gate, shape.Coverage) else []
