"""The operator's commands, called as from a shell, on the emulators of a test."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from typer.testing import CliRunner

from ops import reading, writing  # noqa: F401  registers the commands
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
