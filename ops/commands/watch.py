"""`watch`: a batch as it moves, until it stands."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from common.batches.records import BatchStatus

from ..answer import Answer, Format, to_json
from ..explaining.batch_evidence import BatchEvidence, Explained
from ..explaining.batch_verdict import verdict
from ..wording import clock, names
from .explain import batch as explained

EVERY_SECONDS: Final = 1.0
ENDED: Final = frozenset({BatchStatus.FAILED, BatchStatus.ABANDONED})

Show = Callable[[Explained], None]


def watch(
    evidence: BatchEvidence,
    batch_id: str,
    console: Console,
    form: Format,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Answer:
    """Read the batch every second and show it; ends when nothing more will happen by itself, with the answer
    that `explain` gives then."""
    with _shown(console, form) as show:
        while True:
            found = evidence.of(batch_id)
            show(found)
            if _has_ended(found):
                break
            sleep(EVERY_SECONDS)
    return explained(evidence, batch_id, at=None)


def _has_ended(found: Explained) -> bool:
    batch = found.facts.batch
    is_announced = (
        batch.status is BatchStatus.CONSOLIDATED and batch.phase_generation >= batch.consolidated_generation
    )
    return is_announced or batch.status in ENDED


@contextmanager
def _shown(console: Console, form: Format) -> Iterator[Show]:
    """One line for each change; as text at a terminal, drawn over itself."""
    if form is Format.TEXT and console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            yield lambda found: live.update(_drawn(found), refresh=True)
        return
    before: dict[str, Any] = {}

    def show(found: Explained) -> None:
        now = _summary(found)
        if now == before:
            return
        before.update(now)
        line = to_json(now) if form is Format.JSON else _line(found)
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    yield show


def _summary(found: Explained) -> dict[str, Any]:
    batch = found.facts.batch
    return {
        "batch_id": batch.batch_id,
        "status": batch.status,
        "ended": batch.counts.ended,
        "expected": batch.expected_players,
        "missing": found.facts.missing,
        "generation": batch.generation,
    }


def _line(found: Explained) -> str:
    batch = found.facts.batch
    return f"{clock(found.facts.now)}  {batch.counts.ended} / {batch.expected_players}  {batch.status.value}"


def _drawn(found: Explained) -> Group:
    batch, facts = found.facts.batch, found.facts
    said = verdict(facts)
    bar = ProgressBar(total=max(1, batch.expected_players), completed=batch.counts.ended, width=50)
    end = facts.expected_end
    expected = (
        f"expected end {clock(end.likely)} ({clock(end.earliest)} to {clock(end.latest)})" if end else ""
    )
    missing = f"missing: {names(facts.missing)}" if facts.missing else ""
    lines = [f"{batch.counts.ended} / {batch.expected_players}  {_rate(found)}", expected, missing]
    return Group(
        Text.assemble((batch.batch_id, "bold"), f"  {said.state.value}"),
        bar,
        *(Text(each) for each in lines if each),
    )


def _rate(found: Explained) -> str:
    """Players per minute, from the first completion to the last."""
    facts = found.facts
    first = min((event.at for event in found.events if "/completions/" in event.source), default=None)
    if first is None or facts.last_completion_at is None or facts.last_completion_at <= first:
        return ""
    minutes = (facts.last_completion_at - first).total_seconds() / 60
    return f"{facts.batch.counts.ended / minutes:.0f} players/min"
