"""Which of the operator's commands have to be confirmed."""

import pytest
import typer
from typer.core import TyperGroup

from local.sabotage.person import WRITING, WRITING_BELOW, is_writing
from ops import handling, reading, reports, writing  # noqa: F401  registers the commands
from ops.options import app


def test_the_commands_that_write_are_those_that_take_yes() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    alone = {name for name, each in group.commands.items() if takes_yes(each)}
    below = {
        (name, inner)
        for name, each in group.commands.items()
        if isinstance(each, TyperGroup)
        for inner, command in each.commands.items()
        if takes_yes(command)
    }

    assert (alone, below) == (set(WRITING), set(WRITING_BELOW))


def takes_yes(command: object) -> bool:
    return any("--yes" in each.opts for each in getattr(command, "params", ()))


@pytest.mark.parametrize(
    ("command", "writes"),
    [
        ("./ops/run repair lost_increment-1", True),
        ("./ops/run dead-letters discard 7", True),
        ("./ops/run dead-letters", False),
        ("./ops/run status", False),
    ],
)
def test_a_finding_s_command_is_known_by_its_words(command: str, writes: bool) -> None:
    assert is_writing(command) is writes
