"""Text and JSON say the same; JSON is one object on one line."""

import io
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from rich.console import Console

from ops.answer import Answer, Format, print_answer, to_json
from ops.exit_status import ExitStatus


def printed(answer: Answer, form: Format) -> str:
    console = Console(file=io.StringIO(), width=40)
    print_answer(answer, console, form)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_json_is_one_line_however_narrow_the_terminal_is() -> None:
    answer = Answer(data={"missing": ["a" * 60, "[bold]b"]}, shown=["two names"])

    said = printed(answer, Format.JSON)

    assert said.count("\n") == 1
    assert json.loads(said) == {"missing": ["a" * 60, "[bold]b"]}
    assert printed(answer, Format.TEXT) == "two names\n"


def test_records_times_durations_and_enumerations_have_one_form() -> None:
    data = {
        "at": datetime(2026, 1, 17, tzinfo=UTC),
        "day": date(2026, 1, 17),
        "for": timedelta(minutes=1),
        "status": ExitStatus.FOUND,
        "names": {"b", "a"},
        "answer": Answer(data={}, shown=[]),
    }

    assert json.loads(to_json(data)) == {
        "at": "2026-01-17T00:00:00+00:00",
        "day": "2026-01-17",
        "for": 60.0,
        "status": 1,
        "names": ["a", "b"],
        "answer": {"data": {}, "shown": [], "status": 0},
    }


def test_value_without_a_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        to_json({"what": object()})
