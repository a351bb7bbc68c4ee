"""Small changes that break a promise, each with the test that must turn red: the data is in mutants.toml."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
LIST: Final = Path(__file__).with_name("mutants.toml")


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One change of one file."""

    promise: str
    """What the change breaks, in a few words: its name."""
    file: str
    """Relative to the root of the tree."""
    before: str
    """Occurs exactly once in the file."""
    after: str
    test: str
    """What must turn red, as pytest takes it: a file, and perhaps a test in it."""

    def occurrences(self, root: Path) -> int:
        """How often `before` stands in the file; 0 also if there is no such file."""
        path = root / self.file
        return path.read_text(encoding="utf-8").count(self.before) if path.is_file() else 0

    def apply(self, root: Path) -> str:
        """Change the file below `root`; returns what it held. ValueError if `before` is not there once."""
        found = self.occurrences(root)
        if found != 1:
            raise ValueError(f"{self.promise}: `before` occurs {found} times in {self.file}")
        path = root / self.file
        original = path.read_text(encoding="utf-8")
        path.write_text(original.replace(self.before, self.after), encoding="utf-8")
        return original

    def undo(self, root: Path, original: str) -> None:
        (root / self.file).write_text(original, encoding="utf-8")


def read(text: str) -> list[Mutant]:
    """The mutants of a list, in its order; TypeError if one lacks a field or has one too many."""
    return [Mutant(**entry) for entry in tomllib.loads(text)["mutant"]]


def all_mutants() -> list[Mutant]:
    return read(LIST.read_text(encoding="utf-8"))


def chosen(mutants: Sequence[Mutant], words: Sequence[str]) -> list[Mutant]:
    """Those whose promise or file contains one of `words`; all of them if there are none."""
    return [one for one in mutants if not words or any(word in f"{one.promise} {one.file}" for word in words)]
