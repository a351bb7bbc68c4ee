"""Runs one command in a session of its own, and ends all of it when standard input closes.

Standard input is a pipe from the process that wants the command. The kernel closes it however that process
ends, SIGKILL included, so nothing of the command can outlive it. A byte in the pipe asks the command to end.

The command has to lead its process group: gcloud moves into one of its own otherwise, and when it is ended it
leaves its Java process behind (both measured).
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time

# After SIGKILL: only a process that the kernel holds lives longer.
_GONE_WITHIN_SECONDS = 5.0
_POLL_SECONDS = 0.01
# From <linux/prctl.h>.
_PR_SET_CHILD_SUBREAPER = 36


def main(command: list[str]) -> None:
    """Returns never: exits with the status of the command, 128 + N if signal N ended it."""
    _adopt_orphans()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    # In a thread: this one waits for the command, and either may come first.
    threading.Thread(target=_obey, args=(child.pid,), daemon=True).start()
    status = child.wait()
    # The command has ended, what it started may not have.
    _signal(child.pid, signal.SIGKILL)
    _wait_until_gone(child.pid)
    os._exit(status if status >= 0 else 128 - status)


def _obey(group: int) -> None:
    """Ends the group as the pipe says: a byte asks it to end, the end of the pipe kills it."""
    while os.read(sys.stdin.fileno(), 1):
        _signal(group, signal.SIGTERM)
    # End of file: whoever wanted the command is gone, or has closed the pipe.
    _signal(group, signal.SIGKILL)


def _signal(group: int, number: int) -> bool:
    """False if nobody is left in the group."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def _adopt_orphans() -> None:
    """On Linux, what the command leaves behind becomes ours to collect, and need not wait for init."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wait_until_gone(group: int) -> None:
    """Returns when the group is empty. The dead are members until they are collected: hence a deadline."""
    deadline = time.monotonic() + _GONE_WITHIN_SECONDS
    while _signal(group, 0) and time.monotonic() < deadline:
        _collect_the_dead()
        time.sleep(_POLL_SECONDS)


def _collect_the_dead() -> None:
    """Take the exit status of whatever has ended: until then it counts as a member of its group."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


if __name__ == "__main__":
    main(sys.argv[1:])
