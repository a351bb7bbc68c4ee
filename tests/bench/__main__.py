"""`./tests/run bench [NAME...] [--json FILE]`: how to write one stands in frame.py.

A NAME selects the benchmarks whose names contain it. Exits with 1 if a target is missed or a benchmark fails.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from rich.console import Console

from local.problem import Problem
from local.stack.emulators import KINDS, Emulators
from tests.bench.frame import Bench, Benchmark, NotHere, all_benchmarks
from tests.bench.measuring import Measurement
from tests.bench.report import show, summary, write_json
from tests.support.isolation import remove_cloud_variables

_WIDTH_WITHOUT_TERMINAL = 160
_INTERRUPTED = 130


def main() -> int:
    """Exit status."""
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL)
    try:
        selected = _select(all_benchmarks(), options.names)
        rows, failed = _run(selected, console)
        if options.json:
            write_json(options.json, rows)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    console.print(summary(rows) + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed or any(row.holds is False for row in rows) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./tests/run bench", description="Run the benchmarks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="those whose names contain it; default: all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the measurements to this file, too")
    return parser.parse_intermixed_args()


def _select(known: Sequence[Benchmark], names: Sequence[str]) -> list[Benchmark]:
    for name in names:
        if not any(name in benchmark.name for benchmark in known):
            all_names = ", ".join(benchmark.name for benchmark in known)
            raise Problem(f"No benchmark is called {name}. There are: {all_names}")
    return [one for one in known if not names or any(name in one.name for name in names)]


def _run(selected: Sequence[Benchmark], console: Console) -> tuple[list[Measurement], list[str]]:
    """All measurements, and the names of the benchmarks that raised something."""
    kinds = [kind for kind in KINDS if any(kind in one.emulators for one in selected)]
    rows: list[Measurement] = []
    failed: list[str] = []
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as environment:
        remove_cloud_variables(os.environ, environment)
        with Emulators.start(Path(folder), project="bench", kinds=kinds) as emulators:
            for variable, host in emulators.environment.items():
                environment.setenv(variable, host)
            bench = Bench(emulators=emulators, run_dir=Path(folder))
            for one in selected:
                measured, is_complete = _measure(one, bench, console)
                show(console, one, measured)
                rows += measured
                failed += [] if is_complete else [one.name]
    return rows, failed


def _measure(one: Benchmark, bench: Bench, console: Console) -> tuple[list[Measurement], bool]:
    """What it measured, as far as it came, and whether it came to its end. The others are run in any case."""
    rows: list[Measurement] = []
    with console.status(f"{one.name}: {one.title}"):
        try:
            for row in one.body(bench):
                rows.append(row)
        except NotHere as reason:
            rows.append(_nothing(one, "not measured", reason))
        except Exception as error:
            console.print_exception()
            rows.append(_nothing(one, "failed", error))
            return rows, False
    return rows, True


def _nothing(one: Benchmark, why: str, reason: Exception) -> Measurement:
    return Measurement(
        name=one.name, value=None, unit="", details={why: f"{type(reason).__name__}: {reason}"}
    )


if __name__ == "__main__":
    sys.exit(main())
