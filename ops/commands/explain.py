"""`explain`: a verdict in one sentence, the evidence in the order of time, and the next command."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from common.batches.records import batch_path
from common.findings.records import operator_command
from common.findings.tracked import Tracked

from ..answer import Answer
from ..exit_status import ExitStatus
from ..explaining import findings_seen, phase_verdict
from ..explaining.batch_evidence import Explained
from ..explaining.batch_verdict import verdict
from ..explaining.day_evidence import ExplainedBoundary, ExplainedDay
from ..explaining.evidence import in_order, table
from ..explaining.verdict import Verdict
from ..wording import moment

LogCommand = Callable[[str, str, datetime | None], str]
"""Field, value and the time from which on → the command that shows these log lines."""


@dataclass(frozen=True, kw_only=True)
class Telling:
    """How commands are told, so that they can be pasted as they are."""

    here: Callable[[str], str]
    """An operator's command, about the system that was looked at."""
    log: LogCommand
    """What shows the log lines with this value of a field, since a time."""


def batch(found: Explained, telling: Telling, *, at: datetime | None = None) -> Answer:
    """What was read of one batch, now or as it was `at`: verdict, events, next command.

    Its status is the verdict's.

    In `data`, `as_of` is the server's time of the reading and `missing` None where nobody knows who was
    expected. Nothing is read here: what `found` does not have, the answer does not tell.
    """
    said = _now(verdict(found.facts), telling, found.facts.batch.batch_id, at)
    batch_id = found.facts.batch.batch_id
    log = telling.log("batch_id", batch_id, found.events[0].at if found.events else None)
    data = {
        "batch_id": batch_id,
        **_verdict_data(said),
        "as_of": found.facts.now,
        "note": found.note,
        "batch": found.facts.batch,
        "missing": found.facts.missing,
        "events": found.events,
        "receipts": found.receipts,
        "findings": _findings_data(found.findings),
        "log": log,
    }
    shown: list[RenderableType] = [
        _headline(batch_id, said),
        *_then(at, found.note),
        table(found.events, below=batch_path(batch_id)),
        *_next(said, at),
        Text(f"Log: {log}", style="dim"),
    ]
    return Answer(data=data, shown=shown, status=said.status)


def day(
    found: ExplainedDay, batches: Sequence[Answer], telling: Telling, *, at: datetime | None = None
) -> Answer:
    """Every boundary of a date, its findings, and its batches; its status is the worst of theirs.

    A boundary of which nothing is known has its line all the same. `batches` are answers of `batch`, in the
    order in which they are to be shown.
    """
    name = found.game_date.isoformat()
    verdicts = [
        (each, _now(phase_verdict.verdict(each.day, found.now), telling, name, at))
        for each in found.boundaries
    ]
    log = telling.log("game_date", name, None)
    shown: list[RenderableType] = [*_then(at, found.note)]
    for each, said in verdicts:
        shown += [_headline(each.boundary.name, said), *_events(each), *_next(said, at), ""]
    if found.findings:
        told = in_order(findings_seen.told(found.findings))
        shown += [Text(f"Findings of {name}", style="bold"), table(told), ""]
    for answer in batches:
        shown += [*answer.shown, ""]
    shown.append(Text(f"Log: {log}", style="dim"))
    # The gravest of all: one batch that is ill makes the date ill, however many are well.
    statuses = [said.status for _, said in verdicts] + [answer.status for answer in batches]
    data = {
        "game_date": found.game_date,
        "as_of": found.now,
        "note": found.note,
        "boundaries": {
            each.boundary.name: {**_verdict_data(said), "events": each.events} for each, said in verdicts
        },
        "findings": _findings_data(found.findings),
        "batches": [answer.data for answer in batches],
        "log": log,
    }
    return Answer(data=data, shown=shown, status=max(statuses, default=ExitStatus.WELL))


def _now(said: Verdict, telling: Telling, name: str, at: datetime | None) -> Verdict:
    """With a command to paste; of what was, no command mends anything: the one that tells how it is now."""
    # A step that was due then may do harm now, so that it is not offered at all.
    command = said.command if at is None else operator_command("explain", name)
    return said.with_command(telling.here(command) if command else None)


def _then(at: datetime | None, note: str | None) -> list[RenderableType]:
    """What to know before reading: of what time it tells, and how that is known."""
    then = [Text(f"As it was at {moment(at)} UTC.", style="bold")] if at else []
    return [*then, *([Text(note, style="yellow")] if note else [])]


def _headline(name: str, said: Verdict) -> Text:
    """Name, state and sentence, in the colour of the verdict."""
    colour = "green" if said.is_well else "red"
    return Text.assemble((f"{name}: ", "bold"), (said.state.value, f"bold {colour}"), f" — {said.sentence}")


def _events(each: ExplainedBoundary) -> list[RenderableType]:
    """What happened at one boundary, as a table; nothing where nothing did."""
    return [table(each.events, below=each.day.key.path)] if each.events else []


def _next(said: Verdict, at: datetime | None) -> list[RenderableType]:
    """The command that follows; "Now" where the verdict is about the past."""
    word = "Now: " if at else "Next: "
    return [Text.assemble(word, (said.command, "bold"))] if said.command else []


def _verdict_data(said: Verdict) -> dict[str, Any]:
    """A verdict as data."""
    return {"state": said.state, "verdict": said.sentence, "next": said.command, "is_well": said.is_well}


def _findings_data(findings: Sequence[Tracked]) -> list[Mapping[str, Any]]:
    """Findings as their documents have them."""
    return [each.to_document() for each in findings]
