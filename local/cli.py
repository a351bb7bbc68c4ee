"""The command line of `./local/run`: options in, exit status out, every problem in one line.

Status: 0 all promises are kept; 1 one is broken, or something stands in the way; 2 wrong options; 130 Ctrl-C.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from types import FrameType
from typing import Annotated, Final

import typer
from google.api_core.exceptions import GoogleAPIError
from rich.console import Console

from common.phases.graph import GRAPHS
from common.result import ResultError
from common.sport import ZONE, Sport
from ops.where import local

from . import report
from .day.chaos import Disorder, Victim
from .day.faults import Faults
from .day.players import first_players
from .day.slate import Slate
from .judging.boundaries import judge_boundaries
from .judging.day_audit import audit_the_day, judge_audit
from .judging.progress import bars
from .judging.promises import judge
from .kept_system import kept
from .play import Audience, Ending, Plan, Played, hire, play
from .problem import Problem
from .run_folder import run_folder
from .sabotage.by_hand import BY_HAND, break_one
from .sabotage.catalogue import CLASSES
from .sabotage.outcome import Sabotage, judge_sabotage
from .sabotage.run import sabotage as break_all
from .stack import status_page
from .stack.served import noted
from .stack.serving import ROOT
from .stack.stack import Stack
from .terminal import Terminal

INTERRUPTED: Final = 130
"""As a shell has it: 128 + SIGINT."""
_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Whichever of these comes, the emulators and functions are ended first."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
terminal = Terminal(Console(highlight=False))
"""The one that speaks to whoever started the command."""

SportOption = Annotated[
    Sport, typer.Option(envvar="SPORT", help="Another sport borrows the NBA's names: nba_api has no others.")
]
PortOption = Annotated[int | None, typer.Option(min=1, max=65535, help="Default: a free one.")]


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    players: Annotated[int, typer.Option(help="How many active players to predict.")] = 120,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 4,
    duplicates: Annotated[
        float, typer.Option(min=0, max=1, help="Share of completions published twice.")
    ] = 0.2,
    shuffle: Annotated[
        bool, typer.Option("--shuffle", help="Requests and completions out of order.")
    ] = False,
    kill: Annotated[Victim | None, typer.Option(help="SIGKILL it in the middle of its work.")] = None,
    late: Annotated[str | None, typer.Option(help="A processor that reports after the others.")] = None,
    fail: Annotated[str | None, typer.Option(help="A processor that fails.")] = None,
    gate_closed: Annotated[str | None, typer.Option(help="A table that is empty for a while.")] = None,
    day: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Default: today in New York.")
    ] = None,
    sport: SportOption = Sport.NBA,
    seed: Annotated[int, typer.Option(help="Of what happens at random.")] = 7,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds after which a run is over.")] = 240,
    sabotage: Annotated[
        bool, typer.Option("--sabotage", help="Then break the system in every way that has a name.")
    ] = False,
) -> None:
    """Play a day on the whole system, phase by phase, then check every promise against the stores.

    DATASET_PREFIX, ENVIRONMENT, the flags of the migration and what else functions/manifest.json lets a
    deployment set is taken from the environment; the project is always `local`, and no secret is taken.
    """
    if context.invoked_subcommand is not None:
        _refuse_options_before(context.invoked_subcommand, context)
        return
    with _one_line_problems():
        game_date = day.date() if day else _today()
        _run(
            Plan(
                slate=Slate(sport=sport, game_date=game_date, players=tuple(first_players(players))),
                workers=workers,
                disorder=Disorder(duplicates=duplicates, shuffle=shuffle, seed=seed),
                victim=kill,
                faults=Faults(late=late, fails=fail, gate_closed=gate_closed),
                deadline=timedelta(seconds=timeout),
                keeps_workers=sabotage,
            ),
            is_sabotaged=sabotage,
        )


@app.command()
def serve(
    sport: SportOption = Sport.NBA,
    firestore_port: PortOption = None,
    pubsub_port: PortOption = None,
    bigquery_port: PortOption = None,
    workers: Annotated[int, typer.Option(min=0, max=64, help="Sample workers that answer requests.")] = 1,
) -> None:
    """Keep the system up, to be used from elsewhere, until Ctrl-C."""
    chosen = {"firestore": firestore_port, "pubsub": pubsub_port, "bigquery": bigquery_port}
    ports = {name: port for name, port in chosen.items() if port is not None}
    with (
        _one_line_problems(),
        run_folder() as folder,
        Stack.up(sport, folder, terminal.doing, ports=ports) as stack,
        kept(stack, workers, terminal.doing) as crew,
        noted(stack, ROOT),
        status_page.served(ROOT) as page,
    ):
        terminal.explain(stack, page)
        while True:
            # As a deployment would: whoever uses the stack may kill any of its processes.
            crew.replace_dead()
            for server in stack.revive(gives_up=False):
                terminal.tell_of_restart(server)
            time.sleep(1)


@app.command("break")
def break_(finding_class: Annotated[str, typer.Argument(metavar="CLASS", help=", ".join(BY_HAND))]) -> None:
    """Break the system that `./local/run serve` keeps up, in one way, for a person to find and to mend."""
    with _one_line_problems():
        environment = dict(local(ROOT).unwrap().environment)
        # Google's clients look there, and nowhere else, for emulators.
        os.environ.update(environment)
        terminal.tell_of_defect(finding_class, break_one(environment, finding_class, _today()))


def _refuse_options_before(command: str, context: typer.Context) -> None:
    """What is said before a command belongs to a run, and the command would ignore it."""
    for parameter in context.command.params:
        source = context.get_parameter_source(str(parameter.name))
        # A default, or a variable of the environment, was not said by anybody.
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(f"{parameter.opts[0]} is an option of a run; {command} does not know it")


def _run(plan: Plan, *, is_sabotaged: bool) -> None:
    """Everything from an idle machine to the verdicts; a Problem if a promise is broken.

    In this order, as each needs what is before it: stack, workers, day, audit of the day, sabotage. The
    verdicts are given when the stack is down: they are about what was read, and nothing moves any more.
    """
    graph = GRAPHS[plan.slate.sport.value]
    plan.faults.check(graph, plan.slate.game_date, datetime.now(UTC))
    if is_sabotaged and plan.slate.sport is not Sport.NBA:
        raise Problem(f"--sabotage: it knows the phases of {Sport.NBA.value} alone")
    if os.environ.get("ENVIRONMENT") != "production":  # which refuses to be hurried
        # Only where nobody has chosen: the stack takes it from this environment.
        os.environ.setdefault("PHASE_CLOCK_SPEED", f"{plan.faults.speed:g}")
    terminal.introduce(plan)
    with run_folder() as folder:
        with Stack.up(plan.slate.sport, folder, terminal.doing) as stack, hire(plan, stack) as crew:
            with terminal.doing("workers"):
                crew.wait_until_pulling()
            with bars(terminal.console, plan.slate, graph) as shown:
                audience = Audience(show=shown.show, show_days=shown.show_days, tell=terminal.tell_of_death)
                played = play(plan, stack, crew, audience)
            with terminal.doing("an audit of the day"):
                audited = audit_the_day(plan.slate.game_date, folder, stack.process_environment, ROOT)
            broken_on_purpose = _sabotage(plan, stack, played) if is_sabotaged else None
        # From what was read, so that a store that is gone cannot change it.
        verdicts = judge(played.evidence, victim=plan.victim, was_killed=played.was_killed)
        verdicts.append(judge_boundaries(played.boundaries, plan.victim))
        verdicts.append(judge_audit(audited))
        if broken_on_purpose is not None:
            verdicts.append(judge_sabotage(broken_on_purpose, CLASSES))
        report.show(terminal.console, played, verdicts, broken_on_purpose)
        broken = [verdict.promise for verdict in verdicts if not verdict.is_kept]
        if broken:
            raise Problem(f"{played.ending.value}; broken: {', '.join(broken)}")
    terminal.console.print("\n[bold green]Every promise is kept.[/]")


def _sabotage(plan: Plan, stack: Stack, played: Played) -> Sabotage:
    """Around the day that was played; its workers answer for the players who are asked for."""
    if played.ending is not Ending.FINISHED:
        return Sabotage(problem="a day that is not finished was not sabotaged")
    with terminal.doing("sabotage"):
        today = min(plan.slate.game_date, _today())
        return break_all(today, stack.folder, stack.process_environment, ROOT)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """The first one ends the program; another must not tear the clean-up that it began."""
    for each in _ENDINGS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _today() -> date:
    """The game date of today, in the pipeline's zone."""
    return datetime.now(ZONE).date()


@contextmanager
def _one_line_problems() -> Iterator[None]:
    """Ends the program with a sentence and a status, by SIGTERM and SIGHUP as by Ctrl-C."""
    for number in _ENDINGS:
        signal.signal(number, _interrupt)
    try:
        yield
    except (Problem, ResultError, GoogleAPIError) as problem:
        terminal.problem(str(problem))
        # One line, no trace: what a person can mend is no defect of the program.
        raise typer.Exit(1) from problem
    except KeyboardInterrupt as interrupt:
        terminal.problem("stopped; nothing is left running")
        raise typer.Exit(INTERRUPTED) from interrupt
