"""A server that never outlives the process that started it.

```
this process ──(pipe)──> guard.py ──> the command, leader of a process group
                                        └── what it starts: gcloud's Java, gunicorn's workers
```
"""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Self

from ..problem import Problem

GUARD = Path(__file__).with_name("guard.py")
_POLL_SECONDS = 0.05
_AT_ONCE = timedelta(0)


class ServiceFailed(Problem):
    """A server ended, or did not answer in time. The last line of its log says more."""

    def __init__(self, name: str, what: str, log: Path) -> None:
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        super().__init__(f"{name} {what}. {log}: {lines[-1] if lines else 'nothing written'}")


class Service:
    """One running command. Safe to stop twice."""

    def __init__(self, name: str, guard: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.log = log
        self._guard = guard

    @classmethod
    def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Self:
        """Starts the command; its output is appended to `log`. It need not be ready when this returns.

        `environment` is the whole of it, `folder` where it runs (default: those of this process). Ctrl-C in
        the terminal does not reach the command: it is for us to stop it.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        # Appended: a server that is started again adds to the log that tells why it died.
        with log.open("ab") as output:
            guard = subprocess.Popen(
                # `-I -S`: the guard needs the standard library alone, and starts in a few milliseconds.
                [sys.executable, "-I", "-S", str(GUARD), *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=None if environment is None else dict(environment),
                cwd=folder,
                # The guard is out of reach of Ctrl-C, too: else it would die before it has ended the command.
                start_new_session=True,
            )
        return cls(name, guard, log)

    @property
    def is_running(self) -> bool:
        """False once the command has ended, by itself or not."""
        return self._guard.poll() is None

    def wait_until(
        self, ready: Callable[[], bool], *, within: timedelta, every_seconds: float = _POLL_SECONDS
    ) -> None:
        """Polls `ready`. Raises `ServiceFailed` if the command ends first, or if it takes too long."""
        deadline = time.monotonic() + within.total_seconds()
        while not ready():
            if not self.is_running:
                raise ServiceFailed(self.name, "ended while it was starting", self.log)
            if time.monotonic() > deadline:
                raise ServiceFailed(
                    self.name, f"was not ready after {within.total_seconds():.0f} s", self.log
                )
            time.sleep(every_seconds)

    def stop(self, *, grace: timedelta = _AT_ONCE) -> None:
        """End the command and all that it started; returns when they are gone. Again: nothing.

        With a grace it is asked with SIGTERM first; what is left after that is killed.
        """
        pipe = self._guard.stdin
        if pipe is None or pipe.closed:
            return
        if grace > _AT_ONCE and self.is_running:
            self._ask_to_end(grace)
        pipe.close()
        self._guard.wait()

    def _ask_to_end(self, grace: timedelta) -> None:
        """SIGTERM by way of the guard, and a while to obey; whoever calls kills what is left."""
        assert self._guard.stdin is not None
        try:
            self._guard.stdin.write(b"t")
            self._guard.stdin.flush()
            self._guard.wait(grace.total_seconds())
        except (BrokenPipeError, subprocess.TimeoutExpired):
            return
