"""What every command shares: where to look, how to answer, and an exit status that can be relied on."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NoReturn

import typer
from rich.console import Console

from common.result import ErrorInfo, ResultError

from . import where
from .answer import Answer, Format, print_answer, to_json
from .exit_status import ExitStatus
from .operations import COLLECTION, Done, execute
from .plan import Plan, refuse_if_stale
from .refusals import is_refusal, is_wrong_usage, wrong_usage
from .stores import Stores
from .wording import moment

ROOT: Final = Path(__file__).resolve().parents[1]

console = Console(highlight=False)
"""Standard output: the answer, and nothing else."""
errors = Console(stderr=True, highlight=False)
"""Standard error: what went wrong, warnings, and how far a long command is."""


def answer(work: Callable[[Stores], Answer], *, local: bool, output: Format) -> NoReturn:
    """Run a command that reads, print its answer, exit with its status. A failure is never an answer.

    Always raises typer.Exit: 0 well, 1 something found, 2 wrong usage, 3 a store could not be read.
    """
    try:
        stores = Stores(_where(local))
        found = work(stores)
    except ResultError as exc:
        _refuse(exc.error, output)
    # Behind the try: an error in drawing is a defect of ours, and must not look like a store that is down.
    print_answer(found, console, output)
    raise typer.Exit(found.status)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Who asks for something to be written, of what system, when and why."""

    stores: Stores
    who: str
    """Whom the record names; see `who`."""
    why: str
    """Without it a plan is shown, and nothing is done."""
    now: datetime
    """The clock at the beginning of the command."""


def carry_out(
    plan_of: Callable[[Asked], Plan], *, local: bool, output: Format, yes: bool, why: str, token: str
) -> NoReturn:
    """Show a plan; with `yes`, or confirmed at the terminal, do exactly that plan and keep a record of it.

    `token` is that of a plan that was shown before: what is not as it was then is refused (StalePlan). After
    a confirmation the plan is made anew, and refused likewise: people take their time. Always raises
    typer.Exit, with the status of `answer`; 1 also for a step that failed or was left out.

        plan ── with a token: as it was? ── with --yes ───────────────────────────────╮
                                         ╰─ shown, confirmed ── made anew: as shown? ─┴─ why? ── record, steps
    """
    try:
        stores = Stores(_where(local))
        asked = Asked(stores=stores, who=who(), why=why.strip(), now=stores.now())
        plan = plan_of(asked)
        if token:
            # Before any question: whoever hands over a token has seen that plan, and no other.
            refuse_if_stale(plan, token)
        if not yes:
            _confirm(plan, output, why)
            # Made anew after the question: what was confirmed minutes ago may not be due any more.
            shown, plan = plan, plan_of(asked)
            refuse_if_stale(plan, shown.token)
        # Not earlier: to look at a plan takes no reason.
        _refuse_without_why(asked)
        done = execute(plan, stores.ledger(), who=asked.who, why=asked.why, now=asked.now).unwrap()
    except ResultError as exc:
        _refuse(exc.error, output)
    if done is None:
        _end(plan, output, data={"status": "nothing to do"}, words=_nothing(plan), status=_status(plan))
    _end(plan, output, data=_data(done), words=_told(done), status=_status(plan, done))


def _confirm(plan: Plan, output: Format, why: str) -> None:
    """Comes back if a person at the terminal wants it done; else it ends here. A script has to say --yes."""
    if not plan.steps:
        _end(plan, output, data={"status": "nothing to do"}, words=_nothing(plan), status=_status(plan))
    if why.strip() and output is Format.TEXT and sys.stdin.isatty():
        _show(plan)
        if typer.confirm("Do this?"):
            return
    words = f"Nothing was done. To do exactly this: add --why REASON --yes --plan {plan.token}"
    _end(plan, output, data={"status": "planned", "token": plan.token}, words=words, status=_status(plan))


def _nothing(plan: Plan) -> str:
    """Why a plan has no steps, in a sentence."""
    return "Nothing that was asked for can be done." if plan.left_out else "Nothing to do."


def _refuse_without_why(asked: Asked) -> None:
    """Raises ResultError (WrongUsage): a record names a reason."""
    if not asked.why:
        raise wrong_usage("--why: missing; say why, for whoever reads this later")


def _status(plan: Plan, done: Done | None = None) -> ExitStatus:
    """1 where something was left out, failed or is left to do; else 0."""
    is_well = not plan.left_out and (done is None or (done.error is None and not done.left))
    return ExitStatus.WELL if is_well else ExitStatus.FOUND


def _data(done: Done) -> dict[str, Any]:
    """What became of a plan, for machines."""
    return {
        "status": "done" if done.error is None else "interrupted" if done.may_go_on else "failed",
        "outcomes": done.outcomes,
        "record": done.record_id,
        "taken_up_from": done.cut_short_at,
        "left": done.left,
    }


def _told(done: Done) -> str:
    """What became of a plan, for people."""
    lines = [f"  {outcome}" for outcome in done.outcomes]
    if done.cut_short_at is not None:
        lines.append(
            f"This command was begun at {moment(done.cut_short_at)} UTC and cut short; taken up here."
        )
    if done.may_go_on:
        lines.append("Not all could be done yet; the same command again goes on from here.")
    lines += [f"Possible now, and no part of that plan: {each}." for each in done.left]
    return "\n".join([*lines, f"Kept as {COLLECTION}/{done.record_id}."])


def _where(local: bool) -> where.Where:
    """The system that is meant; raises ResultError where it is not described well enough."""
    found = where.local(ROOT) if local else where.from_environment(os.environ)
    return found.unwrap()


def _show(plan: Plan) -> None:
    """The plan as it is confirmed: what it rests on, what is left out, each step."""
    # What is left out comes before the steps: it is the part that a person does not expect.
    left_out = (f"left out: {name}: {why}" for name, why in plan.left_out.items())
    steps = (f"  {number}. {each}" for number, each in enumerate(plan.sentences, 1))
    for line in (*plan.shown, *left_out, *steps):
        console.print(line, markup=False)


def _end(
    plan: Plan, output: Format, *, data: Mapping[str, object], words: str, status: ExitStatus
) -> NoReturn:
    """Print the plan with what became of it, and raise typer.Exit."""
    if output is Format.JSON:
        whole = {
            "command": plan.command,
            "shown": plan.shown,
            "left_out": plan.left_out,
            "seen": plan.seen,
            "plan": plan.sentences,
            **data,
        }
        console.print(to_json(whole), markup=False, soft_wrap=True)
    else:
        _show(plan)
        console.print(words, markup=False)
    raise typer.Exit(status)


def _refuse(error: ErrorInfo, output: Format) -> NoReturn:
    """No answer: say why on standard error; JSON has its place on standard output all the same."""
    if output is Format.JSON:
        console.print(to_json({"error": error.to_dict()}), markup=False, soft_wrap=True)
    errors.print(f"./ops/run: {_said(error)}", markup=False)
    raise typer.Exit(_status_of(error))


def _said(error: ErrorInfo) -> str:
    """Of a document that nobody can read, which it is: what is wrong inside says little without."""
    # Put there by whoever could not read it; every other failure names its subject in its own words.
    document = (error.details or {}).get("document")
    if document is None:
        return error.message
    return f"{document} makes no sense: {error.exception_class}: {error.message}"


def _status_of(error: ErrorInfo) -> ExitStatus:
    """2 for wrong usage, 1 for a refusal, 3 for a store that could not be asked."""
    # What is known to be the caller's is told apart first; whatever is not known counts as a look that
    # failed, never as something found.
    if is_wrong_usage(error):
        return ExitStatus.WRONG_USAGE
    return ExitStatus.FOUND if is_refusal(error) else ExitStatus.COULD_NOT_LOOK


def who() -> str:
    """The account of the person: gcloud's, where it is set, else that of the machine.

    It is taken from the environment: a name for the readers of the record, and no proof. The proof is in the
    cloud's own audit log.
    """
    return os.environ.get("CLOUDSDK_CORE_ACCOUNT") or os.environ.get("USER") or f"uid {os.getuid()}"
