"""gcloud, called as a program: every command is said before it runs, and a failure is told with gcloud's
own words."""

import json
import shlex
import subprocess
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, Protocol

from .commands import Command
from .problem import DeployError

LONGEST_RUN: Final = timedelta(minutes=30)
"""A build and the start of a revision included."""
_LAST_LINES: Final = 8
"""Of what gcloud printed, in an error."""


class Gcloud(Protocol):
    """What the steps of a deployment ask gcloud by."""

    def read(self, command: Command) -> Any:
        """What the command prints, from JSON. Raises DeployError where it fails, with gcloud's last words."""

    def run(self, command: Command) -> None:
        """As `read`, for what changes something; what it prints is left unread."""


class GcloudProgram:
    """The gcloud that is installed; `say` is told each command before it runs, ready to paste."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def read(self, command: Command) -> Any:
        """As `Gcloud.read`."""
        printed = self._call(command)
        try:
            return json.loads(printed)
        except ValueError as exc:
            # A prompt, or a release with another form: either way nothing is known.
            raise DeployError(f"{shlex.join(command)}: printed no JSON") from exc

    def run(self, command: Command) -> None:
        """As `Gcloud.run`."""
        self._call(command)

    def _call(self, command: Command) -> str:
        """What the command prints on stdout. Raises DeployError: not installed, too slow, or a status other
        than 0.
        """
        self._say(shlex.join(command))
        try:
            ended = subprocess.run(
                command,
                # Whatever gcloud would ask, nobody is there to answer.
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=LONGEST_RUN.total_seconds(),
                check=False,
            )
        except FileNotFoundError as exc:
            raise DeployError(
                "gcloud is not installed", remedy="see https://cloud.google.com/sdk/docs/install"
            ) from exc
        except subprocess.TimeoutExpired as exc:
            raise DeployError(f"{shlex.join(command)}: has not ended within {LONGEST_RUN}") from exc
        if ended.returncode != 0:
            # The last lines alone: gcloud prints its progress on the same stream.
            told = _last_words(ended.stderr)
            raise DeployError(f"{shlex.join(command)}: status {ended.returncode}\n{told}")
        return ended.stdout


def _last_words(stderr: str) -> str:
    """The end of what gcloud said: the reason stands there, below its progress."""
    lines = [line for line in stderr.strip().splitlines() if line.strip()]
    return "\n".join(f"    {line}" for line in lines[-_LAST_LINES:])
