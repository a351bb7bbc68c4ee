"""A function as it is uploaded: its own files, `common` and the requirements, copied into one folder.

Copied, because deployment does not follow links; compared with the source afterwards, because a copy that
drifts runs for months before somebody looks.
"""

import filecmp
import shutil
from collections.abc import Mapping
from pathlib import Path

_NEVER_UPLOADED = ("__pycache__", "*.pyc", ".*")


class StageError(Exception):
    """A stage that must not be deployed; the message names the file."""


def stage(root: Path, name: str, target: Path) -> Path:
    """Build `target/<name>` anew from the source tree at `root`; returns that folder.

    Raises StageError for a missing function, a link in the source, or a copy that is not equal to it.
    """
    source = root / "functions" / name
    if not (source / "main.py").is_file():
        raise StageError(f"functions/{name}/main.py: does not exist")
    staged = target / name
    shutil.rmtree(staged, ignore_errors=True)
    _copy_tree(source, staged)
    _copy_tree(root / "common", staged / "common")
    shutil.copyfile(root / "requirements.txt", staged / "requirements.txt")
    _compare(root, name, staged)
    return staged


def _copy_tree(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns(*_NEVER_UPLOADED))


def _compare(root: Path, name: str, staged: Path) -> None:
    expected = _sources(root, name)
    found = {path.relative_to(staged): path for path in staged.rglob("*") if not path.is_dir()}
    for path in sorted(expected.keys() ^ found.keys()):
        raise StageError(f"{name}/{path}: {'missing in the stage' if path in expected else 'unexpected'}")
    for path, origin in expected.items():
        if origin.is_symlink() or not filecmp.cmp(origin, found[path], shallow=False):
            raise StageError(f"{origin}: a link, or changed while it was being copied")


def _sources(root: Path, name: str) -> Mapping[Path, Path]:
    """Path in the stage → path in the source tree."""
    function, common = root / "functions" / name, root / "common"
    own = {path.relative_to(function): path for path in _files(function)}
    shared = {Path("common") / path.relative_to(common): path for path in _files(common)}
    return {**shared, **own, Path("requirements.txt"): root / "requirements.txt"}


def _files(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if (path.is_symlink() or path.is_file()) and not _is_left_out(path.relative_to(folder))
    ]


def _is_left_out(path: Path) -> bool:
    return any(Path(part).match(pattern) for part in path.parts for pattern in _NEVER_UPLOADED)
