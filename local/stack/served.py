"""The note that a stack leaves while it is up, for whoever wants to use it: `./ops/run --local`."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.where import LOCAL_FILE

from .stack import Stack


@contextmanager
def noted(stack: Stack, root: Path) -> Iterator[Path]:
    """The note is there while the block runs. One that an earlier stack left is written over: the newest is
    meant."""
    file = root / LOCAL_FILE
    file.parent.mkdir(exist_ok=True)
    # The pid tells a living stack from one that was killed and left its note.
    note = {"pid": os.getpid(), "environment": dict(stack.environment), "logs": str(stack.folder)}
    _write(file, note)
    try:
        yield file
    finally:
        # Another stack may have written its own note since.
        if _pid(file) == os.getpid():
            file.unlink()


def _write(file: Path, content: dict[str, object]) -> None:
    """All at once: a reader sees the whole note or none."""
    # A name of this process: two stacks may write at once.
    new = file.with_suffix(f".{os.getpid()}")
    new.write_text(json.dumps(content), encoding="utf-8")
    new.replace(file)


def _pid(file: Path) -> int | None:
    """Whose note it is; None where there is none that can be read."""
    try:
        pid: int = json.loads(file.read_text(encoding="utf-8"))["pid"]
    except (OSError, ValueError, KeyError):
        return None
    return pid
