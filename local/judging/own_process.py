"""Runs a module in a process of its own and reads the answer that it leaves in a file.

A process of its own has the environment of the stack's processes, which is read when clients are built, and
takes its threads and connections with it when it ends.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


class NoAnswer(Exception):
    """The process ended without an answer; the message names it, how it ended and where its log is."""


def answer_of(
    module: str,
    arguments: Sequence[str],
    *,
    name: str,
    folder: Path,
    environment: Mapping[str, str],
    root: Path,
    timeout_seconds: float,
) -> dict[str, Any]:
    """Run `python -m module *arguments FILE` in `root` to its end: what it wrote to FILE, read as JSON.

    FILE is `{name}.json` in `folder`; what the process prints is in `{name}.log` beside it. An answer of an
    earlier run is removed first, so that it is never taken for this one's. Raises NoAnswer.
    """
    # Beside the log of the run: who is told to look there finds both.
    answer, log = folder / f"{name}.json", folder / f"{name}.log"
    answer.unlink(missing_ok=True)
    with log.open("wb") as output:
        try:
            run = subprocess.run(
                [sys.executable, "-m", module, *arguments, str(answer)],
                env=environment,
                cwd=root,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=timeout_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise NoAnswer(f"the {name} did not end within {timeout_seconds} s, see {log}") from error
    # Both: a process that was killed may have written half of it, one that ended well nothing.
    if run.returncode != 0 or not answer.exists():
        raise NoAnswer(f"the {name} ended with status {run.returncode} and without an answer, see {log}")
    told: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return told
