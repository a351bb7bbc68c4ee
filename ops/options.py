"""The options and arguments that commands share, and the application that they are registered with."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from common.result import ErrorInfo, ResultError
from common.schema_mode import SchemaMode

from .answer import Format
from .selection import LANGUAGE

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="What is wrong, why, and the command that mends it. Exit status: 0 all well, 1 something found, "
    "2 wrong usage, 3 could not look.",
)

Local = Annotated[
    bool, typer.Option("--local", help="Work on what ./local/run serve keeps up, not on GCP_PROJECT.")
]
Output = Annotated[Format, typer.Option("--output", "-o", help="How to print the answer.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it. Without, the plan is only shown.")]
Why = Annotated[str, typer.Option("--why", help="Why this is done; kept in operations/.")]
PlanToken = Annotated[
    str, typer.Option("--plan", metavar="TOKEN", help="Only if all is as it was when that plan was shown.")
]
Conditions = Annotated[list[str] | None, typer.Option("--where", help=f"All that fit: {LANGUAGE}")]

Batch = Annotated[str, typer.Argument(metavar="BATCH", help="As in prediction_batches/.")]
AnyBatch = Annotated[str | None, typer.Argument(metavar="BATCH", help="One, or several by --where.")]
Subject = Annotated[str, typer.Argument(metavar="BATCH|DATE", help="A batch, or a game date in New York.")]
GameDate = Annotated[str, typer.Argument(metavar="DATE", help="Game date in New York: 2026-01-17, or today.")]
AnyDate = Annotated[
    str | None, typer.Argument(metavar="DATE", help="Game date in New York; several by --where.")
]
AnyPhase = Annotated[int | None, typer.Argument(metavar="PHASE", help="The phase that has ended: 2 to 5.")]
FindingId = Annotated[
    str | None, typer.Argument(metavar="FINDING", help="As `findings` lists it; several by --where.")
]
ModeOption = Annotated[SchemaMode, typer.Option("--to", help="The mode to move the batch to.")]
GraphFile = Annotated[Path, typer.Option("--graph", exists=True, dir_okay=False, help="JSON or YAML.")]
FirstDay = Annotated[str, typer.Option("--from", metavar="DATE", help="The first game date.")]
LastDay = Annotated[str, typer.Option("--to", metavar="DATE", help="The last game date.")]
FromPhase = Annotated[int, typer.Option("--from", metavar="PHASE", help="The phase to start again: 3 to 6.")]
Handled = Annotated[bool, typer.Option("--handled", help="Those that were replayed or discarded, too.")]
Failed = Annotated[bool, typer.Option("--failed", help="Those that failed, instead of the missing ones.")]
Refused = Annotated[
    bool, typer.Option("--refused", help="Those whose staged rows are gone, or others than they claimed.")
]
MissingOnly = Annotated[bool, typer.Option("--missing", help="Those whom no worker spoke for (the default).")]
LockName = Annotated[
    str | None,
    typer.Argument(metavar="LOCK", help="Its game date, or as `locks` lists it; several by --where."),
]
EventId = Annotated[str | None, typer.Argument(metavar="EVENT", help="As `dead-letters` lists it.")]
Serve = Annotated[bool, typer.Option("--serve", help="Serve it on this machine, read anew each time.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")]
Days = Annotated[int, typer.Option("--days", min=1, max=366, help="How many days, today included.")]
File = Annotated[Path, typer.Option("--to", dir_okay=False, help="The file to write.")]
Until = Annotated[str, typer.Option("--until", metavar="TIME", help="With its zone: 2026-01-18T09:00:00Z.")]
Moment = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="As it was then; with its zone: 2026-01-18T06:00:00Z."),
]


def moment_of(text: str, option: str) -> datetime:
    """An ISO time with its zone; raises ResultError for anything else, naming the option.

    Returned in UTC. A time without a zone is refused and not guessed: the person may sit in New York and the
    machine in UTC, and five hours decide what was there.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        why = f"{option}: {text!r} is no ISO time, as 2026-01-18T06:00:00Z is one"
        raise ResultError(ErrorInfo.permanent("WrongUsage", why)) from None
    if found.tzinfo is None:
        why = f"{option}: {text!r} has no zone; add Z for UTC, or an offset such as -05:00"
        raise ResultError(ErrorInfo.permanent("WrongUsage", why))
    return found.astimezone(UTC)


def date_of(text: str, today: date) -> date:
    """`today`, or an ISO date; raises ResultError for anything else.

    `today` is handed in, as it depends on the zone in which game dates are counted.
    """
    if text == "today":
        return today
    try:
        return date.fromisoformat(text)
    except ValueError:
        why = f"date: {text!r} is neither an ISO date nor `today`"
        raise ResultError(ErrorInfo.permanent("WrongUsage", why)) from None


def looks_like_a_date(text: str) -> bool:
    """Whether an argument that may be a batch or a date is a date."""
    try:
        # Any date will do for `today`: only whether it is one is asked.
        date_of(text, date.min)
    except ResultError:
        return False
    return True
