"""Resumable progress on a local disk: one checksummed file per generation, of which the last few are kept.

    progress.0000000041.json
    progress.0000000042.json    sha256 of the body, a line break, the body {"generation": 42, "progress": …}

Writers, threads or processes, take turns under a file lock that the kernel releases when its holder dies. Of
two that continue from the same generation only one wins, so neither loses its work without knowing it.
"""

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..result import ErrorInfo, Result

CORRUPT_CHECKPOINT = "CorruptCheckpoint"
"""Failure classes, both PERMANENT: a person or the caller has to decide."""
CHECKPOINT_CONFLICT = "CheckpointConflict"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Progress as it was saved. `progress` is what JSON can hold; `generation` counts from 1."""

    generation: int
    progress: Any


class Checkpoints:
    """The checkpoints of one task: the files `{name}.{generation}.json` of `directory`, a local one.

    For tools that run for long on a machine of their own; not for functions, whose disk is memory that goes
    with the instance. A directory on a network does not do: the lock is the kernel's.
    """

    def __init__(self, directory: Path, *, name: str, generations_kept: int = 3) -> None:
        """Raises ValueError for a name that is no plain file name, and for fewer than 2 generations."""
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            raise ValueError(f"name: {name!r} is not made of letters, digits, _ and -")
        if generations_kept < 2:
            raise ValueError(f"generations_kept: {generations_kept} leaves nothing to fall back on")
        self._directory = directory
        self._name = name
        self._generations_kept = generations_kept
        self._file_name = re.compile(rf"{name}\.(\d{{10}})\.json")

    def load(self) -> Result[Checkpoint | None]:
        """The newest checkpoint; None if nothing was ever saved.

        A damaged newest file is a PERMANENT failure of class CorruptCheckpoint. Its details name the file and
        `last_good_generation`, to which `recover` goes back.
        """
        try:
            # Without the lock: a file is whole from the moment it has its name, see `_write`.
            newest = max(self._generations(), default=None)
            return Result.success(None if newest is None else self._read(newest))
        except _Corrupt as exc:
            return Result.failure(self._corrupt(exc))
        except FileNotFoundError:  # Pruned since it was listed, so there is a newer one.
            return self.load()
        except OSError as exc:
            return Result.failure(ErrorInfo.from_exception(exc, directory=str(self._directory)))

    def save(self, progress: Any, *, after: Checkpoint | None) -> Result[Checkpoint]:
        """Save `progress` durably as the generation that follows `after` (None: as the first one).

        If another writer has followed `after` already, this is a PERMANENT failure of class
        CheckpointConflict: load, combine, save again. The same save a second time is a success. Progress that
        JSON would not give back as it is (a tuple, NaN, a key that is no text) is a PERMANENT failure.
        """
        previous = after.generation if after else 0
        checkpoint = Checkpoint(generation=previous + 1, progress=progress)
        path = self._path(checkpoint.generation)
        try:
            content = _encode(checkpoint)
            with self._lock():
                newest = max(self._generations(), default=0)
                if newest == previous:
                    # Compare-and-set: nobody has saved since `after`, and nobody can while the lock is held.
                    self._write(path, content)
                    self._prune(newest=checkpoint.generation)
                # The very same bytes: our own save, of which the answer was lost.
                elif not (newest == checkpoint.generation and path.read_bytes() == content):
                    return Result.failure(_conflict(self._path(newest), previous))
        except (OSError, TypeError, ValueError) as exc:
            return Result.failure(ErrorInfo.from_exception(exc, path=str(path)))
        return Result.success(checkpoint)

    def recover(self) -> Result[Checkpoint | None]:
        """Go back to the newest good generation; None if there is none.

        Damaged files in front of it stay, as `….corrupt`, for whoever wants to know. A second call finds
        nothing damaged and answers the same.
        """
        try:
            with self._lock():
                for generation in sorted(self._generations(), reverse=True):
                    try:
                        return Result.success(self._read(generation))
                    except _Corrupt as exc:
                        # Renamed, not removed: somebody may want to know what happened.
                        exc.path.replace(exc.path.with_suffix(".corrupt"))
                return Result.success(None)
        except OSError as exc:
            return Result.failure(ErrorInfo.from_exception(exc, directory=str(self._directory)))

    def _path(self, generation: int) -> Path:
        return self._directory / f"{self._name}.{generation:010d}.json"

    def _generations(self) -> Iterator[int]:
        """Generations that have a file, in no order."""
        with suppress(FileNotFoundError):  # No directory: nothing was ever saved.
            for path in self._directory.iterdir():
                if match := self._file_name.fullmatch(path.name):
                    yield int(match[1])

    def _read(self, generation: int) -> Checkpoint:
        """The checkpoint of a file whose checksum fits; raises _Corrupt, or FileNotFoundError if it was
        pruned.
        """
        path = self._path(generation)
        checksum, _, body = path.read_bytes().partition(b"\n")
        if _checksum(body) != checksum:
            raise _Corrupt(path)
        return Checkpoint(**json.loads(body))

    def _write(self, path: Path, content: bytes) -> None:
        """Whole and durable, or not at all. The lock makes the one temporary name safe."""
        temporary = self._directory / f".{self._name}.tmp"
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            # Content before name: a power cut must not leave the new name on an empty file.
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_directory(self._directory)

    def _prune(self, *, newest: int) -> None:
        """Remove all but the newest few; what a crash leaves here, the next save removes."""
        for generation in list(self._generations()):
            if generation <= newest - self._generations_kept:
                self._path(generation).unlink()

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """One writer at a time, processes included; the kernel releases it however the holder dies."""
        _make_directory(self._directory)
        with (self._directory / f".{self._name}.lock").open("ab") as file:
            # On a file of its own: the checkpoints themselves are replaced, and a lock on one would go with
            # it.
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _corrupt(self, exc: "_Corrupt") -> ErrorInfo:
        good = next(self._good_generations(), None)
        advice = f"the last good generation is {good}" if good else "no good generation is left"
        details = {"path": str(exc.path), "last_good_generation": good}
        return ErrorInfo.permanent(CORRUPT_CHECKPOINT, f"{exc}; {advice}", **details)

    def _good_generations(self) -> Iterator[int]:
        """Generations whose files can be read, the newest first."""
        for generation in sorted(self._generations(), reverse=True):
            with suppress(_Corrupt, FileNotFoundError):
                yield self._read(generation).generation


class _Corrupt(Exception):
    """A file whose checksum does not fit: cut short, or changed."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: the checksum does not fit the content")
        self.path = path


def _encode(checkpoint: Checkpoint) -> bytes:
    """The file's bytes. Raises ValueError or TypeError for what JSON would not give back as it is."""
    fields = {"generation": checkpoint.generation, "progress": checkpoint.progress}
    text = json.dumps(fields, allow_nan=False)
    # A tuple comes back as a list: a task that compares would not know its own progress.
    if json.loads(text) != fields:
        raise ValueError("progress: JSON would not give it back as it is")
    body = text.encode()
    return _checksum(body) + b"\n" + body


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()


def _make_directory(directory: Path) -> None:
    """Make the directory and its parents, each synced into its own parent: else a crash may lose the whole
    path.
    """
    if not directory.is_dir():
        _make_directory(directory.parent)
        directory.mkdir(exist_ok=True)
        _sync_directory(directory.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _conflict(newest: Path, previous: int) -> ErrorInfo:
    message = f"{newest}: saved meanwhile; this save continues from generation {previous}"
    return ErrorInfo.permanent(CHECKPOINT_CONFLICT, message, path=str(newest))
