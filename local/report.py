"""The end of a run, for a person: what the stores hold, how long it took, each promise with its evidence."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from common.texts import counted

from .judging.boundaries import BoundaryEvidence
from .judging.evidence import Evidence
from .judging.promises import Verdict, last_receipt, times
from .play import Played
from .sabotage.outcome import Sabotage
from .sabotage.shown import shown

MAX_NAMED = 5
"""Names in a line; how many there are stands before them."""


def show(
    console: Console, played: Played, verdicts: Iterable[Verdict], sabotage: Sabotage | None = None
) -> None:
    """Print all of it: what the stores hold, the boundaries, the times, each promise with its evidence.

    Whatever comes from the stores is escaped.
    """
    found = played.evidence
    console.print(
        _facts(played),
        _boundaries(played.boundaries),
        _times(found),
        *([shown(sabotage, width=console.width)] if sabotage else []),
        _promises(verdicts),
        sep="\n",
    )


def _facts(played: Played) -> Table:
    """A row for each fact; the source stands before its first one alone."""
    found = played.evidence
    table = _table("What the stores hold", columns=3)
    for source, facts in (
        ("Firestore", _in_firestore(found)),
        ("Pub/Sub", _in_pubsub(found)),
        ("BigQuery", _in_bigquery(found)),
        ("Logs", _in_logs(played)),
    ):
        for name, fact in facts:
            table.add_row(f"[dim]{source}[/]", name, escape(fact))
            source = ""
    return table


def _in_firestore(found: Evidence) -> Iterable[tuple[str, str]]:
    """What Firestore holds, as (name, fact)."""
    batch, counts = found.batch, found.batch.counts
    yield (
        "players",
        f"{batch.expected_players} expected, {counts.ended} recorded"
        f" ({counts.completed} completed, {counts.skipped} skipped), {_named(found.missing_players)} missing",
    )
    yield "batch", f"{batch.status.value}, generation {batch.generation}"
    receipt = last_receipt(found)
    yield (
        "receipt",
        f"{receipt.keys_in_main} of {counted(receipt.keys_staged, 'key')} merged from "
        f"{counted(len(receipt.tables), 'table')}, {receipt.duplicate_keys} duplicates, fence {receipt.fence}"
        if receipt
        else "none",
    )
    yield "lock", f"{found.lock.state}, fence {found.lock.fence}" if found.lock else "never taken"
    reasons = [
        f"{why} ({times(number)})" for why, number in Counter(found.dead_letters).most_common(MAX_NAMED)
    ]
    yield "dead letters", "; ".join([str(len(found.dead_letters)), *reasons])


def _in_pubsub(found: Evidence) -> Iterable[tuple[str, str]]:
    """What was published, as (name, fact)."""
    yield "completions", f"{found.completion_events} events published"
    yield "trigger", f"published {times(len(found.triggers))}"
    statuses = ", ".join(
        f"{one.message.status.value} with {counted(one.message.record_count or 0, 'prediction')}"
        for one in found.announced
    )
    yield "phase 5", statuses or "not announced"


def _in_bigquery(found: Evidence) -> Iterable[tuple[str, str]]:
    """What BigQuery holds, as (name, fact)."""
    staged = sum(one.staged_rows or 0 for one in found.completions)
    # By business key: what the promise is about.
    twice = len(found.main) - len({row.key for row in found.main})
    yield "rows", f"{staged} staged, {len(found.main)} in the main table, {twice} duplicates"
    rows_left = sum(found.staging_left.values())
    yield (
        "staging",
        f"{counted(len(found.staging_left), 'table')} left"
        + (f" with {counted(rows_left, 'row')}" if rows_left else ""),
    )


def _in_logs(played: Played) -> Iterable[tuple[str, str]]:
    """What no store keeps: deliveries, and processes."""
    recorder, consolidation = played.evidence.recorder_log, played.evidence.consolidation_log
    yield "deliveries", f"{counted(recorder.deliveries, 'completion')} answered"
    yield (
        "sent back",
        f"{counted(recorder.retries.total(), 'completion')}, "
        f"the trigger {times(consolidation.retries.total())}",
    )
    for name, starts in played.revived.items():
        yield "restarted", f"{name} {times(starts)}"
    if played.replaced_workers:
        yield "replaced", f"{played.replaced_workers} of the workers"


def _named(names: tuple[str, ...]) -> str:
    """`0`, or how many and the first few of them."""
    more = ", …" if len(names) > MAX_NAMED else ""
    return f"{len(names)} ({', '.join(names[:MAX_NAMED])}{more})" if names else "0"


def _boundaries(found: Iterable[BoundaryEvidence]) -> Table:
    """One line for each boundary: state, wait, reason, and who was there."""
    table = _table("How the phases were started", columns=4)
    for each in found:
        day, decision = each.day, each.day.decision
        reason = day.dispatch.reason if day.dispatch else decision.reason if decision else "no event"
        # As the decision saw it: who came later is told as late.
        there = f"{len(decision.present)} of {len(decision.needed)} processors" if decision else ""
        late = f", late: {_named(day.late)}" if day.late else ""
        waited = f"[cyan]{each.waited.total_seconds():6.2f} s[/]" if each.waited else ""
        table.add_row(each.boundary.name, day.state.value, waited, escape(f"{reason}: {there}{late}"))
    return table


def _times(found: Evidence) -> Table:
    """The stages of the run, and how long each took."""
    table = _table("How long it took", columns=2)
    for name, seconds in _stages(found):
        table.add_row(name, f"[cyan]{seconds:6.2f} s[/]")
    return table


def _stages(found: Evidence) -> Iterable[tuple[str, float]]:
    """By the stores' own clocks, each from the end of the one before; what was not reached is left out."""
    recorded = [one.completed_at for one in found.completions if one.completed_at]
    receipt = last_receipt(found)
    moments: list[tuple[str, datetime | None]] = [
        ("opened → first player recorded", min(recorded, default=None)),
        ("→ last player recorded", max(recorded, default=None)),
        ("→ consolidation begun", receipt.started_at if receipt else None),
        ("→ receipt stored", receipt.consolidated_at if receipt else None),
        ("→ phase 5 announced", found.announced[0].published_at if found.announced else None),
    ]
    # Each stage begins where the one before has ended; a stage that was not reached is left out.
    before = found.opened_at
    for name, moment in moments:
        if moment is not None:
            yield name, (moment - before).total_seconds()
            before = moment
    yield "all together", (before - found.opened_at).total_seconds()


def _promises(verdicts: Iterable[Verdict]) -> Table:
    """Kept: with its evidence. Broken: with whatever says so."""
    table = _table("The promises", columns=2)
    for verdict in verdicts:
        mark = "[green]✔[/]" if verdict.is_kept else "[red]✘[/]"
        problems = f"[red]{escape('; '.join(verdict.broken))}[/]"
        table.add_row(f"{mark} {verdict.promise}", escape(verdict.evidence) if verdict.is_kept else problems)
    return table


def _table(title: str, *, columns: int) -> Table:
    """A table without lines, whose last column alone may be broken."""
    table = Table(
        box=None,
        show_header=False,
        title=f"\n[bold]{title}[/]",
        title_style="",
        title_justify="left",
        padding=(0, 2, 0, 2),
        collapse_padding=True,
    )
    for _ in range(columns - 1):
        table.add_column(no_wrap=True)
    table.add_column()
    return table
