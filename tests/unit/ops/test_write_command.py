"""What every command that writes shares is added to its own arguments."""

import inspect

import typer
from typer.core import TyperGroup

from ops.frame import Asked
from ops.options import Batch
from ops.plan import Plan
from ops.selection import text
from ops.write_command import epilog, writes


def test_command_has_its_own_arguments_and_those_of_every_write() -> None:
    app = typer.Typer()
    app.callback()(lambda: None)

    @writes("mend", 'mend b1 --why "x" --yes', to=app)
    def mend(asked: Asked, batch: Batch) -> Plan:
        """Mend a batch."""
        return Plan(command=f"mend {batch} for {asked.who}", steps=[])

    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    command = group.commands["mend"]
    assert [each.name for each in command.params] == ["batch", "why", "yes", "plan", "local", "output"]
    assert (command.help, command.epilog) == ("Mend a batch.", 'Example: ./ops/run mend b1 --why "x" --yes')
    assert list(inspect.signature(mend).parameters) == ["asked", "batch"]


def test_help_lists_examples_and_the_fields_that_may_be_asked_for() -> None:
    said = epilog(["close b1", "close --where name=b*"], {"name": text(str)}, "Over a week.")

    assert said.split("\n\n") == [
        "Example: ./ops/run close b1",
        "Example: ./ops/run close --where name=b*",
        "Fields of --where: name. Over a week.",
    ]
