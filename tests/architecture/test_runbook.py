"""The runbook knows every state and every class of finding, and each of its commands is one."""

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from common.findings.records import FindingClass
from ops.explaining.verdict import State
from tests.support.ops_cli import command_line, commands
from tests.support.source_tree import ROOT

# Typer brings a click of its own, whose errors it does not name.
UsageError = typer.BadParameter.__mro__[1]

RUNBOOK = (ROOT / "ops" / "README.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in RUNBOOK.splitlines()
    if line.startswith("| ")
]
EXAMPLES = {"BATCH": "b1", "DATE": "2026-01-17", "PHASE": "4", "EVENT": "e1", "FINDING": "f1", "LOCK": "l1"}
COMMANDS = sorted(set(re.findall(r"`\./ops/run ([^`]+)`", RUNBOOK)) - {"COMMAND"})


def parse(line: str) -> None:
    """As typed, without running it; raises UsageError for what the command line does not know."""
    group = command_line()
    words = shlex.split(re.sub(r"\b[A-Z]{4,}\b", lambda found: EXAMPLES[found.group()], line))
    context = typer.Context(group, info_name="./ops/run")
    while isinstance(group, TyperGroup) and words and words[0] in group.commands:
        found = group.commands[words[0]]
        context, words = typer.Context(found, parent=context, info_name=words[0]), words[1:]
        if not isinstance(found, TyperGroup):
            found.parse_args(context, list(words))
            return
        group = found
    if words and words[0].startswith("-"):
        group.parse_args(context, list(words))
        return
    if words or group is command_line():
        raise typer.BadParameter(f"no such command: {line}")


def test_every_state_of_a_batch_and_of_a_boundary_is_explained() -> None:
    assert {state.value for state in State} - {row[0] for row in ROWS} == set()


def test_every_class_of_finding_is_explained() -> None:
    assert {each.value for each in FindingClass} - {row[0] for row in ROWS} == set()


def test_nothing_is_explained_that_cannot_be_found() -> None:
    known = {state.value for state in State} | {each.value for each in FindingClass}

    assert {row[0] for row in ROWS} - known == {"state", "class"}
    assert all(len(row) == 4 and all(row) for row in ROWS)


@pytest.mark.parametrize("line", COMMANDS)
def test_command_of_the_runbook_is_one(line: str) -> None:
    parse(line)


@pytest.mark.parametrize("line", ["clos b1", "close b1 --now", "dead-letters reply e1"])
def test_misspelt_command_is_refused(line: str) -> None:
    with pytest.raises(UsageError):
        parse(line)


def test_every_command_has_examples_that_are_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edited.json").touch()  # what `simulate` is given has to exist

    for name, command in commands(command_line()).items():
        examples = re.findall(r"Example: \./ops/run (.+)", command.epilog or "")
        assert examples and all(each.startswith(name) for each in examples), name
        for each in examples:
            parse(each)
