"""What a command answers: data for machines, a picture of the same for people, and an exit status."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

from rich.console import Console, RenderableType

from .exit_status import ExitStatus


class Format(Enum):
    """How an answer is printed."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The whole answer of one command. Text and JSON say the same."""

    data: Mapping[str, Any]
    """What `-o json` prints; keys are a contract with scripts."""
    shown: Sequence[RenderableType]
    """Printed one below the other. What comes from outside is escaped by whoever renders it."""
    status: ExitStatus = ExitStatus.WELL
    """The exit status of the command."""


def print_answer(answer: Answer, console: Console, form: Format) -> None:
    """JSON is one object on one line, so that a script may read it line by line.

    Text is drawn for the width of the console. JSON is printed as it is: without markup, so that a `[` in a
    reason stays what it is, and without wrapping, so that one answer stays one line whatever the width.
    """
    if form is Format.JSON:
        console.print(to_json(answer.data), markup=False, highlight=False, soft_wrap=True)
        return
    for each in answer.shown:
        console.print(each)


def to_json(data: Mapping[str, Any]) -> str:
    """Times as ISO text, durations in seconds, enumerations by value, records as objects, sets as sorted
    lists. Raises TypeError for anything else: an answer must not lose a value silently.
    """
    return json.dumps(data, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """A value that JSON does not know, as `to_json` says."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Enum):
        return value.value
    # Sorted, as sets have no order: two answers about the same state have to be the same text, or a script
    # that compares them sees a change that was none.
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
