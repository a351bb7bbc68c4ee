"""The temporary folder of one run: gone when the run ends, also when it was killed.

A folder that has an owner holds the file `.owner`, which its process keeps locked: the kernel unlocks it
however that process ends. So an unlocked `.owner` marks what a killed run has left behind, and the next one
removes it. A folder without one is kept: its logs may explain what went wrong.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from google.api_core.exceptions import GoogleAPIError

from common.result import ResultError

from .problem import Problem

PREFIX: Final = "local-run-"
OWNER: Final = ".owner"


@contextmanager
def run_folder() -> Iterator[Path]:
    """A folder for one run, once the folders of killed runs are removed.

    It stays where something went wrong that its logs may explain; the Problem then names it.
    """
    # At the beginning of the next run: nobody else looks.
    remove_orphans(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    with _owned(folder):
        try:
            yield folder
        except (Problem, ResultError, GoogleAPIError) as problem:
            (folder / OWNER).unlink()
            if not any(folder.iterdir()):
                folder.rmdir()
                raise
            # The Problem names a log of it already.
            if str(folder) in str(problem):
                raise
            raise Problem(f"{problem} (logs: {folder})") from problem
        except KeyboardInterrupt:
            shutil.rmtree(folder)
            raise
        shutil.rmtree(folder)


def remove_orphans(temporary: Path) -> None:
    """Remove what killed runs have left in `temporary`. Safe beside runs that are alive, and called twice."""
    for owner in sorted(temporary.glob(f"{PREFIX}*/{OWNER}")):
        if _is_unlocked(owner):
            _remove(owner.parent)


def _remove(folder: Path) -> None:
    """The mark goes last: what a dying process still writes there is left to the next run."""
    try:
        for entry in folder.iterdir():
            if entry.name == OWNER:
                continue
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        (folder / OWNER).unlink()
        folder.rmdir()
    except OSError:
        return


def _is_unlocked(owner: Path) -> bool:
    """False also for a file that has gone, or is another user's."""
    try:
        with owner.open("a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    except OSError:
        return False


@contextmanager
def _owned(folder: Path) -> Iterator[TextIO]:
    """Locked before it is called `.owner`, so that nobody ever finds one unlocked whose owner lives.

    this run   makes .owner.new ── locks it ── renames it to .owner ── works ── ✗ killed: unlocked
    the next                                                                     finds it unlocked: removes
    """
    with (folder / f"{OWNER}.new").open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        Path(file.name).rename(folder / OWNER)
        yield file
