"""`./tests/run mutants [WORD...]`: does a test turn red for each change that breaks a promise?

A WORD selects the mutants whose promise or file contains it. Works on a copy of the tree. Exits with 1 if a
mutant lives, or if the tests are red without any.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.mutants.catalogue import ROOT, Mutant, all_mutants, chosen

_LEFT_OUT: Final = shutil.ignore_patterns(".git", ".venv", ".run", "__pycache__", ".*_cache", ".hypothesis")
_HANGS_AFTER_SECONDS: Final = 120
_GREEN, _RED = 0, 1
"""Exit statuses of pytest; every other one means that no test has judged."""


class Verdict(Enum):
    """What became of a mutant."""

    KILLED = "killed"
    LIVES = "LIVES"
    UNJUDGED = "UNJUDGED"
    """The tests could not run: the change is no working program, or the test is gone."""


def main(words: Sequence[str]) -> int:
    """Exit status."""
    mutants = chosen(all_mutants(), words)
    if not mutants:
        print(f"no mutant has to do with {' or '.join(words)}", file=sys.stderr)
        return 1
    with TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(shutil.copytree(ROOT, Path(folder) / "tree", ignore=_LEFT_OUT, symlinks=True))
        without = _pytest(tree, sorted({mutant.test for mutant in mutants}))
        if without.returncode != _GREEN:
            print(
                f"{without.stdout[-4000:]}\nnot green without any mutant: nothing can be told",
                file=sys.stderr,
            )
            return 1
        verdicts = [_judge(tree, mutant) for mutant in mutants]
    print(f"{verdicts.count(Verdict.KILLED)} of {len(verdicts)} killed")
    return 0 if all(verdict is Verdict.KILLED for verdict in verdicts) else 1


def _judge(tree: Path, mutant: Mutant) -> Verdict:
    original = mutant.apply(tree)
    try:
        ended = _pytest(tree, [mutant.test])
    finally:
        mutant.undo(tree, original)
    verdict = {_GREEN: Verdict.LIVES, _RED: Verdict.KILLED}.get(ended.returncode, Verdict.UNJUDGED)
    print(f"{verdict.value:8} {mutant.file}: {mutant.promise}", flush=True)
    if verdict is Verdict.UNJUDGED:
        print(ended.stdout[-2000:])
    return verdict


def _pytest(tree: Path, tests: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    options = ["-q", "-x", f"--timeout={_HANGS_AFTER_SECONDS}", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    # Bytecode goes by second and size, which a small change and its undoing may share.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
