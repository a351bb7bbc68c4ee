"""Texts for people: as long as they are read, and saying what was left out."""

from collections.abc import Sequence
from typing import Any, Final

MAX_NAMED: Final = 20
"""Of problems in one sentence; how many there are is told beside it."""

_THIRD_PERSON: Final = {"are": "is", "were": "was", "have": "has", "do": "does"}


def counted(number: int, what: str, verb: str = "") -> str:
    """`1 player`, `2,000 players`, `3 batches`; with a verb in its plural that agrees: `1 player has`.

    The one place where a number meets a noun, so that nobody is told of "1 players".
    """
    plural = f"{what}es" if what.endswith("ch") else f"{what[:-1]}ies" if what.endswith("ary") else f"{what}s"
    noun = f"{number} {what}" if number == 1 else f"{number:,} {plural}"
    if not verb:
        return noun
    return f"{noun} {verb if number != 1 else _THIRD_PERSON.get(verb, f'{verb}s')}"


def cut(text: str, max_chars: int) -> str:
    """`text`, or its beginning and how long it was, together `max_chars` at most (which are 40 or more).

    Cutting again changes nothing, so what was cut by one layer is not cut differently by the next.
    """
    if len(text) <= max_chars:
        return text
    told = f"… (cut: {len(text):,} characters)"
    return text[: max_chars - len(told)] + told


def cut_bytes(text: str, max_bytes: int) -> str:
    """The beginning of `text` that fits into so many bytes of UTF-8: for Pub/Sub's attributes, whose limit is
    in bytes. No half characters, and nothing is said of the cut.
    """
    # Only the last character can be cut in half, and is dropped.
    return text.encode()[:max_bytes].decode(errors="ignore")


def first_of(problems: Sequence[str], *, separator: str = "; ") -> str:
    """The first twenty as one sentence, and how many more there are.

    For the message of an error; its details have the same twenty.
    """
    more = len(problems) - MAX_NAMED
    return separator.join(problems[:MAX_NAMED]) + (f"{separator}and {more} more" if more > 0 else "")


def details_of(problems: Sequence[Any]) -> dict[str, Any]:
    """The details of an error: the first twenty problems as they are, and how many there are of all."""
    return {"problems": list(problems[:MAX_NAMED]), "problem_count": len(problems)}
