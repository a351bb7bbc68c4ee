"""Texts for people: as long as they are read, and saying what was left out."""

from collections.abc import Sequence
from typing import Final

MAX_NAMED: Final = 20
"""Of problems in one sentence; how many there are is told beside it."""


def cut(text: str, max_chars: int) -> str:
    """`text`, or its beginning and how long it was, together `max_chars` at most (which are 40 or more).

    Cutting again changes nothing.
    """
    if len(text) <= max_chars:
        return text
    told = f"… (cut: {len(text):,} characters)"
    return text[: max_chars - len(told)] + told


def first_of(problems: Sequence[str]) -> str:
    """The first twenty as one sentence, and how many more there are."""
    more = len(problems) - MAX_NAMED
    return "; ".join(problems[:MAX_NAMED]) + (f"; and {more} more" if more > 0 else "")
