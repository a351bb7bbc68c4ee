"""The operator's commands, called as from a shell, on the emulators of a test."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import structlog
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from ops import handling, reading, reports, writing  # noqa: F401  registers the commands
from ops.options import app


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a command printed, and how it ended."""

    status: int
    output: str
    problem: str

    @property
    def data(self) -> Any:
        return json.loads(self.output)


def ops(environment: Mapping[str, str], *arguments: str) -> Said:
    """Run one command; its exit status is checked by who asks."""
    result = CliRunner().invoke(app, list(arguments), env={**environment, "COLUMNS": "220"})
    structlog.reset_defaults()  # the runner's standard error, to which warnings went, is closed now
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(status=result.exit_code, output=result.stdout, problem=result.stderr)


@cache
def command_line() -> TyperGroup:
    """`./ops/run` itself; made once, for that takes its time."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return group


def commands(group: TyperGroup | None = None, before: str = "") -> dict[str, Any]:
    """Every command by what is typed for it, those of groups included."""
    found: dict[str, Any] = {}
    for name, command in (group or command_line()).commands.items():
        found[f"{before}{name}"] = command
        if isinstance(command, TyperGroup):
            found |= commands(command, f"{before}{name} ")
    return found
