"""`watch`: a batch as it moves, until nothing more happens by itself."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from common.batches.records import BatchStatus

from ..answer import Answer, Format, to_json
from ..explaining.batch_evidence import BatchEvidence, Explained
from ..explaining.batch_verdict import is_asked_again, verdict
from ..wording import clock, names
from . import explain
from .explain import Telling

EVERY_SECONDS: Final = 1.0
"""Between two readings; one that finds nothing new costs a single read."""
ENDED: Final = frozenset({BatchStatus.FAILED, BatchStatus.ABANDONED})
"""Statuses from which nothing follows unless somebody is asked again."""

Show = Callable[[Explained], None]
"""Shows one reading."""


def watch(
    evidence: BatchEvidence,
    batch_id: str,
    telling: Telling,
    *,
    console: Console,
    form: Format,
    sleep: Callable[[float], None] = time.sleep,
) -> Answer:
    """Look at the batch every second and show it, until nothing more will happen by itself or Ctrl-C.

    The answer is the one that `explain` gives then. Raises ResultError where a store cannot be read: it does
    not go on with what it saw last.

    Ctrl-C ends the watching and not the command: the answer is given all the same. What happens between two
    readings is not shown, but is in the story that the answer tells.
    """
    found = evidence.of(batch_id)
    with _shown(console, form) as show, suppress(KeyboardInterrupt):
        while True:
            show(found)
            if _has_ended(found):
                break
            sleep(EVERY_SECONDS)
            # One read while nothing moves, so that a screen left open over night costs next to nothing.
            found = evidence.again(found)
    # Read whole once more: while it was watched, only what moves was read.
    return explain.batch(evidence.of(batch_id), telling)


def _has_ended(found: Explained) -> bool:
    """Whoever was asked for again may still come, and what failed or went out without them moves on."""
    batch, facts = found.facts.batch, found.facts
    if batch.status is BatchStatus.CONSOLIDATED:
        is_announced = batch.phase_generation >= batch.consolidated_generation
        awaits_somebody = bool(facts.missing or facts.failed) and is_asked_again(facts)
        return is_announced and not awaits_somebody
    # Open, closed and consolidating go on by themselves, be it late: who watches sees the sweep come.
    return batch.status in ENDED and not is_asked_again(facts)


@contextmanager
def _shown(console: Console, form: Format) -> Iterator[Show]:
    """One line for each change; as text at a terminal, drawn over itself."""
    if form is Format.TEXT and console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            # Drawn when there is something new and not by a thread of its own: what is shown is always one
            # reading.
            yield lambda found: live.update(_drawn(found), refresh=True)
        return
    before: dict[str, Any] = {}

    def show(found: Explained) -> None:
        now = _summary(found)
        # A line for each second would bury the few that say something.
        if now == before:
            return
        before.update(now)
        line = to_json(now) if form is Format.JSON else _line(found)
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    yield show


def _summary(found: Explained) -> dict[str, Any]:
    """What has to change for a line to be written; the clock is not in it."""
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
    """One reading in a line, where nothing can be drawn over."""
    batch = found.facts.batch
    return f"{clock(found.facts.now)}  {batch.counts.ended} / {batch.expected_players}  {batch.status.value}"


def _drawn(found: Explained) -> Group:
    """One reading on a terminal: bar, rate, expected end, who is missing."""
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
    # An average over all, and no rate of now: that of a single second jumps too much to be read.
    minutes = (facts.last_completion_at - first).total_seconds() / 60
    return f"{facts.batch.counts.ended / minutes:.0f} players/min"
