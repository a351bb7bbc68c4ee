"""Finds every process that descends from one, however it was left behind: they inherit its environment."""

import uuid
from pathlib import Path


class ProcessMark:
    """Put `variable` into the environment of a process; `alive` then lists it and all that came of it."""

    def __init__(self) -> None:
        self._value = uuid.uuid4().hex

    @property
    def variable(self) -> dict[str, str]:
        return {"PROCESS_MARK": self._value}

    def alive(self) -> list[int]:
        """Process ids. The dead have no environment, and do not count though nobody has collected them."""
        mark = f"PROCESS_MARK={self._value}".encode()
        return [
            int(process.name) for process in Path("/proc").glob("[0-9]*") if mark in _environment(process)
        ]


def _environment(process: Path) -> bytes:
    """Empty where there is none to read: the process is gone, or not ours."""
    try:
        return (process / "environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""
