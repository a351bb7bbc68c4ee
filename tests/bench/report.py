"""The tables that a person reads, and the file that a program reads."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.frame import Benchmark
from tests.bench.measuring import Measurement

_NONE = "-"
_HOLDS = {True: "[green]yes[/]", False: "[bold red]no[/]", None: _NONE}


def show(console: Console, benchmark: Benchmark, rows: Sequence[Measurement]) -> None:
    """The table of one benchmark."""
    table = Table(title=f"{benchmark.name}: {benchmark.title}", title_justify="left", title_style="bold")
    table.add_column("measured", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("target", no_wrap=True)
    table.add_column("holds", no_wrap=True)
    table.add_column("details")
    for row in rows:
        details = ", ".join(f"{name} {_number(value)}" for name, value in row.details.items())
        target = str(row.target or _NONE)
        table.add_row(row.name, _number(row.value), row.unit, target, _HOLDS[row.holds], details)
    console.print(table)


def summary(rows: Sequence[Measurement]) -> str:
    """One line: how many targets hold, and the names of those that do not."""
    judged = [row for row in rows if row.target is not None]
    missed = [row.name for row in judged if not row.holds]
    told = f"; missed: {', '.join(missed)}" if missed else ""
    return f"{len(rows)} measured, {len(judged) - len(missed)} of {len(judged)} targets hold{told}"


def write_json(file: Path, rows: Sequence[Measurement]) -> None:
    """A list of {"name", "value", "unit", "target", "holds", "details"}."""
    entries = [
        {
            "name": row.name,
            "value": row.value,
            "unit": row.unit,
            "target": str(row.target) if row.target else None,
            "holds": row.holds,
            "details": dict(row.details),
        }
        for row in rows
    ]
    file.write_text(json.dumps(entries, indent=2, default=str) + "\n")


def _number(value: object) -> str:
    """Three digits that count; large numbers whole, with their thousands apart."""
    if value is None:
        return _NONE
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
