"""What a person reads of a sabotage, on a wide terminal and on a narrow one."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from local.sabotage.outcome import Sabotage
from local.sabotage.shown import shown
from tests.unit.local.sabotage.test_outcome import BY_HAND, REPAIRED


def printed(found: Sabotage, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(shown(found, width=width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_each_class_is_told_whole_and_the_last_line_says_that_all_is_well(width: int) -> None:
    text = printed(Sabotage(defects=(REPAIRED, BY_HAND)), width)

    assert all(len(line) <= width for line in text.splitlines())
    words = " ".join(text.split())
    assert "✔ lost_increment" in words and "./ops/run repair" in words
    assert text.splitlines()[-1] == "  All 2 classes were named, mended and told to be over."


@pytest.mark.parametrize("width", [80, 120])
def test_what_is_not_as_promised_is_marked_and_named_in_the_last_line(width: int) -> None:
    unseen = replace(BY_HAND, found="", is_resolved=False)

    words = " ".join(printed(Sabotage(defects=(REPAIRED, unseen)), width).split())

    assert "✘ duplicate_row" in words
    assert words.endswith("Not as promised: duplicate_row was not found")
