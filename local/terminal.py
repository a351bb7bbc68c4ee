"""What `./local/run` says around a run: what it will do, what it is doing, and how to use what is up."""

import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from common.sport import Sport
from common.texts import counted

from .day.chaos import AFTERMATH, Victim
from .play import Plan
from .sabotage.by_hand import Broken
from .stack.serving import Server
from .stack.stack import Stack


class Terminal:
    """Speaks to a person; without a terminal behind it, in plain text."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def introduce(self, plan: Plan) -> None:
        """What will be played, under which conditions, in a line."""
        slate, disorder = plan.slate, plan.disorder
        conditions = [counted(len(slate.players), "player"), counted(plan.workers, "worker")]
        conditions += [f"{disorder.duplicates:.0%} duplicates"] if disorder.duplicates else []
        conditions += [f"shuffled with seed {disorder.seed}"] if disorder.shuffle else []
        conditions += [f"kill -9 {plan.victim.value}"] if plan.victim else []
        conditions += [f"{plan.faults.late} is late"] if plan.faults.late else []
        conditions += [f"{plan.faults.fails} fails"] if plan.faults.fails else []
        conditions += [f"{plan.faults.gate_closed} is empty"] if plan.faults.gate_closed else []
        self.console.print(
            f"\n[bold]{slate.sport.value.upper()} {slate.game_date}[/]  {' · '.join(conditions)}\n"
        )
        if slate.sport is not Sport.NBA:
            self.console.print(
                "[yellow]nba_api knows no other sport: these are the NBA's names, borrowed.[/]\n"
            )

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """A spinner while the block runs; then how long it took."""
        began = time.monotonic()
        with self.console.status(what):
            yield
        # Not where the block raised: the problem is told instead.
        self.console.print(f"  [green]✔[/] {what:<20}[dim]{time.monotonic() - began:5.1f} s[/]")

    def tell_of_death(self, victim: Victim) -> None:
        """That somebody was killed on purpose, and what the system has to do now."""
        self.console.print(f"  [red]kill -9 {victim.value}[/]: {AFTERMATH[victim]}")

    def tell_of_restart(self, server: Server) -> None:
        """That a function has died by itself and is started again; its log tells why."""
        self._plain(f"{server.deployment.name} has died and is started again. Why: {server.log}")

    def explain(self, stack: Stack, page: str) -> None:
        """How to reach what is up. Plain lines, to be copied or evaluated."""
        self.console.print("\n[bold]It is up.[/] To use it from another terminal:\n")
        for name, value in stack.environment.items():
            self._plain(f"export {name}={shlex.quote(value)}")
        self.console.print()
        for server in stack.servers:
            for push in server.pushes:
                endpoint = push.endpoint(stack.names.project, stack.sport)
                self._plain(f"{server.deployment.name}: {endpoint}")
        self._plain(f"\nStatus page: {page}")
        self._plain("What is wrong, and why: ./ops/run status --local")
        self._plain("To break something on purpose: ./local/run break CLASS; --help lists them")
        self._plain(f"Logs: {stack.folder}\nCtrl-C ends it all.")

    def tell_of_defect(self, finding_class: str, broken: Broken) -> None:
        """What was broken, and how a person goes on."""
        self._plain(f"{finding_class}: {broken.how}, of {', '.join(broken.where)}")
        self._plain("Find it:  ./ops/run audit --local")
        if broken.mended_elsewhere is None:
            self._plain("Mend it:  with the command that the finding names; see ops/README.md")
        else:
            self._plain(f"No command mends it: {broken.mended_elsewhere}")

    def problem(self, what: str) -> None:
        """What stands in the way, in a line."""
        self._plain(f"./local/run: {what}", style="red")

    def _plain(self, line: str, *, style: str = "") -> None:
        """A line as it is: no markup, and no break that would spoil a copied command."""
        self.console.print(line, style=style, markup=False, soft_wrap=True)
