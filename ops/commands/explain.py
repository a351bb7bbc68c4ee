"""`explain`: a verdict in one sentence, the evidence in the order of time, and the next command."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from rich.text import Text

from common.batches.records import batch_path
from common.phases.records import Day
from common.phases.shape import Boundary

from ..answer import Answer
from ..exit_status import ExitStatus
from ..explaining import phase_verdict
from ..explaining.batch_evidence import BatchEvidence, Explained
from ..explaining.batch_verdict import verdict
from ..explaining.evidence import Event, in_order, table
from ..explaining.verdict import Verdict
from ..wording import moment


def batch(evidence: BatchEvidence, batch_id: str, *, at: datetime | None) -> Answer:
    """One batch, now or as it was."""
    return told(batch_id, evidence.of(batch_id, as_of=at), at=at)


def told(batch_id: str, found: Explained, *, at: datetime | None) -> Answer:
    """What was read of a batch, as an answer."""
    said = verdict(found.facts)
    data = {
        "batch_id": batch_id,
        **_verdict_data(said),
        "as_of": found.facts.now,
        "batch": found.facts.batch,
        "missing": found.facts.missing,
        "events": found.events,
        "receipts": found.receipts,
    }
    return Answer(data=data, shown=_shown(batch_id, said, found, at), status=said.status)


def day(
    days: Sequence[tuple[Boundary, Day]], game_date: date, batches: Sequence[Answer], now: datetime
) -> Answer:
    """Every boundary of a date, and its batches."""
    verdicts = [(boundary, each, phase_verdict.verdict(each, now)) for boundary, each in days]
    shown: list[Any] = []
    for boundary, each, said in verdicts:
        shown += [_headline(boundary.name, said), table(in_order(_events(each))), *_next(said), ""]
    for answer in batches:
        shown += [*answer.shown, ""]
    statuses = [said.status for _, _, said in verdicts] + [answer.status for answer in batches]
    data = {
        "game_date": game_date,
        "boundaries": {boundary.name: _verdict_data(said) for boundary, _, said in verdicts},
        "batches": [answer.data for answer in batches],
    }
    return Answer(data=data, shown=shown, status=max(statuses, default=ExitStatus.WELL))


def _shown(batch_id: str, said: Verdict, found: Explained, at: datetime | None) -> list[Any]:
    then = [f"As it was at {moment(at)} UTC."] if at else []
    log = f"Log: gcloud logging read 'jsonPayload.batch_id=\"{batch_id}\"' --freshness=2d"
    return [
        _headline(batch_id, said),
        *then,
        table(found.events, below=batch_path(batch_id)),
        *_next(said),
        Text(log, style="dim"),
    ]


def _headline(name: str, said: Verdict) -> Text:
    colour = "green" if said.is_well else "red"
    return Text.assemble((f"{name}: ", "bold"), (said.state.value, f"bold {colour}"), f" — {said.sentence}")


def _next(said: Verdict) -> list[Text]:
    return [Text.assemble("Next: ", (said.command, "bold"))] if said.command else []


def _verdict_data(said: Verdict) -> dict[str, Any]:
    return {"state": said.state, "verdict": said.sentence, "next": said.command, "is_well": said.is_well}


def _events(each: Day) -> list[Event]:
    events = [
        Event(
            at=report.recorded_at,
            what=f"{name} {report.status.value}",
            source=each.key.below("processors", name),
        )
        for name, report in each.reports.items()
    ]
    if each.decision is not None:
        what = f"decided {each.decision.state.value}: {each.decision.reason}"
        events.append(Event(at=each.decision.evaluated_at, what=what, source=each.key.path))
    if each.by_hand is not None:
        what = f"by hand: {each.by_hand.who}: {each.by_hand.why}"
        events.append(Event(at=each.by_hand.at, what=what, source=each.key.path))
    if each.dispatched_at is not None:
        what = f"dispatched as message {each.message_id}"
        events.append(Event(at=each.dispatched_at, what=what, source=each.key.path))
    return events
