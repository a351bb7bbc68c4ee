"""Save a checkpoint again and again, and die before its first line, its second line, and so on.

    python -m tests.support.checkpoint_crashes DIRECTORY

Leaves `DIRECTORY/{n}` as the crash before the n-th line left it; the last one holds a save that lived. The
processes are forked here, from a small one, and end without flushing, as a killed one does.
"""

import itertools
import os
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import common.runtime.checkpoint
from common.runtime.checkpoint import Checkpoints

DIED = 70


def main(directory: Path) -> None:
    for line in itertools.count():
        checkpoints = Checkpoints(directory / str(line), name="task", generations_kept=2)
        first = checkpoints.save("oldest", after=None).unwrap()
        second = checkpoints.save("before", after=first).unwrap()
        child = os.fork()
        if child == 0:
            _die_before(line)
            os._exit(0 if checkpoints.save("later", after=second).is_success else 1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status != DIED:
            sys.exit(status)


def _die_before(line: int) -> None:
    lines = itertools.count()

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != common.runtime.checkpoint.__file__:
            return None
        if event == "line" and next(lines) == line:
            os._exit(DIED)
        return trace

    sys.settrace(trace)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
