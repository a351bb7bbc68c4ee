"""An answer is what the process wrote before it ended well; whatever else happened is told, with the log."""

import os
from pathlib import Path
from typing import Any

import pytest

from local.judging.own_process import NoAnswer, answer_of

ANSWERS = "import json, sys; json.dump(sys.argv[1:-1], open(sys.argv[-1], 'w'))"


def test_answer_is_what_the_process_wrote(tmp_path: Path) -> None:
    assert _run(tmp_path, ANSWERS, "2026-01-15", "b-1") == ["2026-01-15", "b-1"]


@pytest.mark.parametrize(
    ("source", "how"),
    [
        ("raise SystemExit(3)", "ended with status 3"),
        ("pass", "ended with status 0 and without an answer"),
        ("import threading; threading.Event().wait()", "did not end within 0.05 s"),
    ],
    ids=["fails", "writes nothing", "does not end"],
)
def test_process_without_an_answer_is_named_and_an_older_answer_is_not_taken_for_its_own(
    tmp_path: Path, source: str, how: str
) -> None:
    (tmp_path / "look.json").write_text('["of an earlier run"]', encoding="utf-8")

    with pytest.raises(NoAnswer, match=rf"^the look {how}") as told:
        _run(tmp_path, source, timeout_seconds=0.05 if "within" in how else 20)

    assert str(tmp_path / "look.log") in str(told.value)


def _run(folder: Path, source: str, *arguments: str, timeout_seconds: float = 20) -> Any:
    (folder / "asked.py").write_text(source, encoding="utf-8")
    return answer_of(
        "asked",
        arguments,
        name="look",
        folder=folder,
        environment=dict(os.environ),
        root=folder,
        timeout_seconds=timeout_seconds,
    )
