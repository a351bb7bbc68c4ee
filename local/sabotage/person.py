"""The operator's commands as a person gives them: typed as a finding names them, one process each."""

import shlex
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Final

WHY: Final = "sabotage"
"""What the commands' records say of why."""
TIMEOUT_SECONDS: Final = 60.0
"""Of one command."""
WRITING: Final = frozenset(
    {
        "abandon",
        "close",
        "dispatch",
        "force-release",
        "hold",
        "migrate",
        "redrive",
        "release",
        "repair",
        "replay",
        "silence",
    }
)
"""The commands that show a plan first, and want to know why."""
WRITING_BELOW: Final = frozenset({("dead-letters", "discard"), ("dead-letters", "replay")})
"""As WRITING, of the commands that have commands below them."""
GIVEN_AGAIN: Final = 4
"""How often a command that writes is given once more: a lock may be held, or somebody was faster."""
AGAIN_AFTER_SECONDS: Final = 1.0
FOUND: Final = 1
"""Exit status of a command that has looked, and found something."""


def is_writing(command: str) -> bool:
    """Whether it is one that changes something."""
    words = shlex.split(command)[1:]
    return bool(words) and (words[0] in WRITING or tuple(words[:2]) in WRITING_BELOW)


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody at a terminal in the repository, whose environment names the system."""

    root: Path
    environment: Mapping[str, str]
    log: Path
    """Every command with what it printed, its status and how long it took."""
    _given: dict[str, "Future[str | None]"] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def does_once(self, command: str, *, worst_status: int = FOUND) -> str | None:
        """As `does`; a command that several findings name is given for the first of them alone."""
        with self._lock:
            # Whoever comes second waits for the first one's end: what a command mends, it mends for all of
            # its findings.
            given = self._given.get(command)
            mine = self._given.setdefault(command, Future())
        if given is not None:
            return given.result()
        problem = self.does(command, worst_status=worst_status)
        for _ in range(GIVEN_AGAIN if is_writing(command) else 0):
            if problem is None:
                break
            time.sleep(AGAIN_AFTER_SECONDS)
            problem = self.does(command)
        mine.set_result(problem)
        return problem

    def does(self, command: str, *, worst_status: int = FOUND) -> str | None:
        """Give a command, and confirm it where it asks; None, or why it did not do what it is for.

        One that looks may end with up to `worst_status`.
        """
        # Without a terminal it could not ask.
        confirmed = f"{command} --why {WHY} --yes" if is_writing(command) else command
        began = time.monotonic()
        try:
            done = subprocess.run(
                shlex.split(confirmed),
                cwd=self.root,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"{command} did not end within {TIMEOUT_SECONDS:.0f} s"
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ {confirmed}\n{done.stdout}{done.stderr}")
            log.write(f"[status {done.returncode} after {time.monotonic() - began:.1f} s]\n\n")
        if done.returncode in ((0,) if is_writing(command) else (0, FOUND, worst_status)):
            return None
        lines = (done.stderr.strip() or done.stdout.strip() or "nothing said").splitlines()
        return f"{command} ended with status {done.returncode}: {lines[-1]}"
