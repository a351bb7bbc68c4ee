"""How a command that writes is registered: it makes a plan; what all of them share is added here."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import typer

from .answer import Format
from .frame import Asked, carry_out
from .options import Local, Output, PlanToken, Why, Yes, app
from .plan import Plan
from .selection import Fields

MakePlan = Callable[..., Plan]
"""`(asked, arguments of the command) -> Plan`; writes nothing."""


def writes(
    name: str, *examples: str, to: typer.Typer = app, fields: Fields[Any] | None = None, searched: str = ""
) -> Callable[[MakePlan], MakePlan]:
    """Register the plan of a command: `(asked, its own arguments) -> Plan`; its docstring is the help.

    `examples` are what is typed after `./ops/run`. `fields` are those of its `--where`, and `searched` is
    where that looks: for the help. The options that all such commands have (`--yes`, `--why`, `--plan`,
    `--local`, `--output`) are added here, so that none can lack one.
    """

    def register(make_plan: MakePlan) -> MakePlan:
        # Typer reads a command's options from its signature: the joined one is made here, without the first
        # parameter, `asked`, which no person types.
        own = list(inspect.signature(make_plan, eval_str=True).parameters.values())[1:]

        def command(*, why: str, yes: bool, plan: str, local: bool, output: Format, **arguments: Any) -> None:
            def plan_of(asked: Asked) -> Plan:
                return make_plan(asked, **arguments)

            # The plan is handed over unmade: it is made once to be shown and once more when it was confirmed.
            carry_out(plan_of, local=local, output=output, yes=yes, why=why, token=plan)

        parameters = [*own, *_SHARED]
        # Typer makes the help of a command from these three.
        command.__doc__ = make_plan.__doc__
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {each.name: each.annotation for each in parameters}
        to.command(name, epilog=epilog(examples, fields, searched))(command)
        return make_plan

    return register


def epilog(examples: Sequence[str], fields: Fields[Any] | None = None, searched: str = "") -> str:
    """What stands below the help of a command."""
    lines = [f"Example: ./ops/run {each}" for each in examples]
    if fields is not None:
        lines.append(f"Fields of --where: {', '.join(fields)}. {searched}".rstrip())
    return "\n\n".join(lines)


def _shared(
    why: Why = "", yes: Yes = False, plan: PlanToken = "", local: Local = False, output: Output = Format.TEXT
) -> None:
    """The parameters that every command which writes has."""


_SHARED = list(inspect.signature(_shared, eval_str=True).parameters.values())
