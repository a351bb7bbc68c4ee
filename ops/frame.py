"""What every command shares: where to look, how to answer, and an exit status that can be relied on."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NoReturn

import typer
from rich.console import Console

from common.result import ErrorInfo, ErrorType, ResultError

from . import where
from .answer import Answer, Format, print_answer, to_json
from .exit_status import ExitStatus
from .operations import Plan, execute
from .stores import Stores

ROOT: Final = Path(__file__).resolve().parents[1]
WRONG_USAGE: Final = frozenset({"NotServed", "InvalidSettings", "NoSuchThing", "WrongUsage"})
"""Failures that the person at the keyboard can mend by typing something else."""

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def answer(work: Callable[[Stores], Answer], *, local: bool, output: Format) -> NoReturn:
    """Run a command that reads, print its answer, exit with its status. A failure is never an answer."""
    try:
        stores = Stores(_where(local))
        found = work(stores)
    except ResultError as exc:
        _refuse(exc.error, output)
    print_answer(found, console, output)
    raise typer.Exit(found.status)


def carry_out(
    plan_of: Callable[[Stores], Plan], *, local: bool, output: Format, yes: bool, why: str
) -> NoReturn:
    """Show a plan; with `yes`, or confirmed at the terminal, do exactly that plan and keep a record of it."""
    try:
        stores = Stores(_where(local))
        plan = plan_of(stores)
        if not plan.steps:
            _end(plan, output, {"status": "nothing to do"}, "Nothing to do.", ExitStatus.WELL)
        if not why.strip():
            raise ResultError(
                ErrorInfo.permanent("WrongUsage", "--why: missing; say why, for whoever reads this later")
            )
        if not (yes or _confirmed(plan, output)):
            _end(
                plan, output, {"status": "planned"}, "Nothing was done; add --yes to do it.", ExitStatus.WELL
            )
        done = execute(plan, stores.ledger(), who=who(), why=why, now=stores.now()).unwrap()
    except ResultError as exc:
        _refuse(exc.error, output)
    status = ExitStatus.WELL if done.error is None else ExitStatus.FOUND
    words = "\n".join(f"  {outcome}" for outcome in done.outcomes)
    data = {
        "status": "done" if done.error is None else "failed",
        "outcomes": done.outcomes,
        "record": done.record_id,
    }
    _end(plan, output, data, f"{words}\nKept as operations/{done.record_id}.", status)


def _where(local: bool) -> where.Where:
    found = where.local(ROOT) if local else where.from_environment(os.environ)
    return found.unwrap()


def _confirmed(plan: Plan, output: Format) -> bool:
    """Asked at a terminal only: a script has to say --yes."""
    if output is Format.JSON or not sys.stdin.isatty():
        return False
    _show(plan)
    return typer.confirm("Do this?")


def _show(plan: Plan) -> None:
    for line in (*plan.shown, *(f"  {number}. {each}" for number, each in enumerate(plan.sentences, 1))):
        console.print(line, markup=False)


def _end(plan: Plan, output: Format, data: Mapping[str, object], words: str, status: ExitStatus) -> NoReturn:
    if output is Format.JSON:
        whole = {"command": plan.command, "shown": plan.shown, "plan": plan.sentences, **data}
        console.print(to_json(whole), markup=False, soft_wrap=True)
    else:
        _show(plan)
        console.print(words, markup=False)
    raise typer.Exit(status)


def _refuse(error: ErrorInfo, output: Format) -> NoReturn:
    """No answer: say why on standard error; JSON has its place on standard output all the same."""
    is_usage = error.type is ErrorType.PERMANENT and error.exception_class in WRONG_USAGE
    if output is Format.JSON:
        console.print(to_json({"error": error.to_dict()}), markup=False, soft_wrap=True)
    errors.print(f"./ops/run: {error.message}", markup=False)
    raise typer.Exit(ExitStatus.WRONG_USAGE if is_usage else ExitStatus.COULD_NOT_LOOK)


def who() -> str:
    """The account of the person: gcloud's, where it is set, else that of the machine."""
    return os.environ.get("CLOUDSDK_CORE_ACCOUNT") or os.environ.get("USER") or f"uid {os.getuid()}"
