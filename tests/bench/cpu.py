"""CPU time of servers: what a server costs, whatever else the machine is doing."""

import os
import re
from pathlib import Path
from typing import Final

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")


def cpu_seconds(port: int) -> float:
    """Spent so far by the processes that were started with `--port PORT` or `--port=PORT`, in user and in
    kernel mode."""
    wanted = re.compile(rf"--port[\0=]{port}\0".encode())
    ticks = sum(_ticks(folder) for folder in Path("/proc").glob("[0-9]*") if wanted.search(_command(folder)))
    return ticks / _TICKS_PER_SECOND


def _command(folder: Path) -> bytes:
    """Empty if the process is gone."""
    try:
        return (folder / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _ticks(folder: Path) -> int:
    try:
        # The name, in parentheses, may hold anything.
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(fields[11]) + int(fields[12])
