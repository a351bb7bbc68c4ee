"""A function as it is uploaded: its own files, `common` and the requirements, copied into one folder.

Copied, because deployment does not follow links; compared with the source afterwards, because a copy that
drifts runs for months before somebody looks. Then compiled: an instance keeps no bytecode of its own for the
next one, and compiling is a tenth of its cold start (measured with `tests/bench/bench_function.py`).
"""

import compileall
import filecmp
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from py_compile import PycInvalidationMode

from .problem import DeployError

MARK = ".staged"
"""Lies beside the staged functions: a folder that has it is ours to empty."""
_SCRATCH = ".run"
"""The one folder of the source tree where stages may lie: nothing in it is source."""
_NEVER_UPLOADED = ("__pycache__", "*.pyc", "*.md", ".*")
_TAKEN = ("common", "requirements.txt")
"""Names in the stage that are not the function's own."""


class StageError(DeployError):
    """A stage that must not be deployed, or a place where none may be made; the message names the file."""


def stage(root: Path, name: str, target: Path) -> Path:
    """Build `target/<name>` anew from the source tree at `root`; returns that folder. Again: the same files.

    Raises StageError for a missing function, for a link in the source, for a file of the function where
    `common` or the requirements belong, for a copy that is not equal to its source, and what is no Python;
    and for a `target` that is not ours to write to: one in the source tree, or with other things in it.
    """
    sources = _sources(root, name)
    _claim(root, target)
    staged = target / name
    # Anew: a file that was removed from the source must not live on in the stage.
    shutil.rmtree(staged, ignore_errors=True)
    for path, source in sources.items():
        (staged / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, staged / path)
    _compare(sources, staged)
    # After the comparison: bytecode has no source to be compared with.
    _compile(staged)
    return staged


def _claim(root: Path, target: Path) -> None:
    """Make the target, or see that an earlier stage has: what lies in it will be removed."""
    place, source = target.resolve(), root.resolve()
    if place.is_relative_to(source) and not place.is_relative_to(source / _SCRATCH):
        raise StageError(f"{target}: lies in the tree that is staged, and staging would delete its sources")
    if place.exists() and not place.is_dir():
        raise StageError(f"{target}: is not a folder")
    if place.is_dir() and any(place.iterdir()) and not (place / MARK).is_file():
        raise StageError(f"{target}: is not empty, and no stage; staging would delete what is in it")
    try:
        place.mkdir(parents=True, exist_ok=True)
        (place / MARK).touch()
    except OSError as exc:
        raise StageError(f"{target}: cannot be written to ({exc.strerror})") from exc


def _sources(root: Path, name: str) -> Mapping[Path, Path]:
    """Path in the stage → path in the source tree."""
    function, common = root / "functions" / name, root / "common"
    if not (function / "main.py").is_file():
        raise StageError(f"functions/{name}/main.py: does not exist")
    # Refused here: in the cloud the wrong one would win without a word.
    for taken in _TAKEN:
        if (function / taken).exists():
            raise StageError(f"functions/{name}/{taken}: would hide the one that all functions share")
    own = {path.relative_to(function): path for path in _files(function)}
    shared = {Path("common") / path.relative_to(common): path for path in _files(common)}
    return {**own, **shared, Path("requirements.txt"): root / "requirements.txt"}


def _files(folder: Path) -> Iterator[Path]:
    """Every file below the folder that is uploaded; raises StageError for a link."""
    for path in (folder, *sorted(folder.rglob("*"))):
        if _is_left_out(path.relative_to(folder)):
            continue
        if path.is_symlink():
            raise StageError(f"{path}: is a link, which deployment does not follow")
        if path.is_file():
            yield path


def _is_left_out(path: Path) -> bool:
    """By any part of the path: what lies in a folder that is left out is left out, too."""
    return any(Path(part).match(pattern) for part in path.parts for pattern in _NEVER_UPLOADED)


def _compare(sources: Mapping[Path, Path], staged: Path) -> None:
    """Raises StageError for a file that is missing, unexpected or different, by its bytes."""
    found = {path.relative_to(staged) for path in staged.rglob("*") if not path.is_dir()}
    for path in sorted(sources.keys() ^ found):
        raise StageError(f"{path}: {'missing from' if path in sources else 'unexpected in'} the stage")
    for path, source in sources.items():
        if not filecmp.cmp(source, staged / path, shallow=False):
            raise StageError(f"{source}: its copy differs")


def _compile(staged: Path) -> None:
    """Checked by the hash of the source, not by its time, which an upload does not keep; another Python than
    this one compiles anew, as it would without."""
    for path in sorted(staged.rglob("*.py")):
        is_compiled = compileall.compile_file(
            path, quiet=2, stripdir=staged, invalidation_mode=PycInvalidationMode.CHECKED_HASH
        )
        if not is_compiled:
            raise StageError(f"{path}: cannot be compiled")
