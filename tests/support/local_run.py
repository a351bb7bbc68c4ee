"""`./local/run` as a process, followed line by line; its set-up is left to whoever runs the tests."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from local.stack.service import GUARD as GUARD_SCRIPT
from tests.support.polling import eventually
from tests.support.process_family import ProcessFamily

ROOT = Path(__file__).resolve().parents[2]
GUARD = str(GUARD_SCRIPT).encode()
WITHIN = timedelta(seconds=90)

_DEAF = ("sh", "-c", "trap '' INT; exec \"$@\"", "sh")
"""Ctrl-C is ignored until Python is up, as by the script `local/run`."""


class LocalRun:
    """One run. All that it says is in `said`, also while it still speaks."""

    def __init__(self, arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str]) -> None:
        self._output = folder / "said.txt"
        self.temporary = folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [*_DEAF, sys.executable, "-m", "local", *arguments],
                cwd=ROOT,
                env={**environment, "TMPDIR": str(self.temporary), "COLUMNS": "200"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._family = ProcessFamily(self._process.pid)

    @property
    def said(self) -> str:
        return self._output.read_text(encoding="utf-8")

    def wait_for(self, text: str) -> None:
        """Until it has said so; fails the test if it ends without."""
        eventually(lambda: text in self.said or self._has_ended(), within=WITHIN)
        assert text in self.said, self.said

    def status(self, *, within: timedelta = WITHIN) -> int:
        """That of its end, which is waited for."""
        eventually(self._has_ended, within=within)
        return self._process.wait()

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill_function(self, entry_point: str) -> None:
        """SIGKILL to the server of a function, as the machine's own killer would send it."""
        for pid in self.processes():
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"functions_framework" in command and entry_point.encode() in command and GUARD not in command:
                os.kill(pid, signal.SIGKILL)

    def url_of(self, function: str) -> str:
        """Where `serve` says that Pub/Sub posts to: its first address, for it may hear several topics."""
        url, *_ = re.findall(rf"^\S+-{function.replace('_', '-')}\S*: (http\S+)", self.said, re.MULTILINE)
        return str(url)

    def processes(self) -> list[int]:
        """Its own and all that came of it."""
        return self._family.alive()

    def _has_ended(self) -> bool:
        """Looks at its processes too, so that none goes unnoticed."""
        self.processes()
        return self._process.poll() is not None

    def end(self) -> None:
        """Whatever the test did, nothing stays."""
        self._process.kill()
        self._process.wait()


@contextmanager
def local_run(*arguments: str, folder: Path, **environment: str) -> Iterator[LocalRun]:
    """Started, with what `environment` adds to that of the tests; ended with the block."""
    run = LocalRun(arguments, folder, {**os.environ, **environment})
    try:
        yield run
    finally:
        run.end()
