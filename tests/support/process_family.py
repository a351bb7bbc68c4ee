"""A process and all that came of it, whatever environment it was given, found by who started whom."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Process:
    """One process. Its id may be used again later; together with the start it is not."""

    pid: int
    parent: int
    started: int
    """In clock ticks since the machine was started."""
    is_dead: bool
    """Ended, and not collected yet."""


class ProcessFamily:
    """Grows with every look. What was seen once is followed, also when its parents are gone."""

    def __init__(self, pid: int) -> None:
        self._seen = {(process.pid, process.started) for process in _processes() if process.pid == pid}

    def alive(self) -> list[int]:
        """Ids of the members that are still running."""
        running = [process for process in _processes() if not process.is_dead]
        grown = True
        while grown:
            found = {
                (process.pid, process.started)
                for process in running
                if process.parent in {pid for pid, _ in self._seen}
            }
            grown = not found <= self._seen
            self._seen |= found
        return [process.pid for process in running if (process.pid, process.started) in self._seen]


def _processes() -> list[Process]:
    return [found for stat in Path("/proc").glob("[0-9]*/stat") if (found := _read(stat))]


def _read(stat: Path) -> Process | None:
    """None if it is gone."""
    try:
        # The name, in parentheses, may hold anything.
        fields = stat.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return Process(
        pid=int(stat.parent.name), parent=int(fields[1]), started=int(fields[19]), is_dead=fields[0] in "ZX"
    )
