"""When a finding is over. No clock, no I/O.

    found ──▶ open ──▶ two clean runs ──▶ resolved
                ▲                            │
                └── found again: an episode ◀┘

A run that could not look changes nothing here. A finding that comes and goes needs more clean runs from its
third episode on, so that it stays open in between and is not told each time (`telling` says who is told).

    repair asked of others ──▶ pending, no clean run counts ──▶ seen to have arrived ──▶ clean runs count
                                      └── not there by its time: escalated, told once
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from .records import Finding
from .tracked import Pending, Told, Tracked

CLEAN_RUNS: Final = 2
"""One clean run may have looked at the wrong moment, two an hour apart have not."""
FLAPPING_EPISODES: Final = 3
"""From so many episodes within so long on a finding counts as flapping, and then needs more clean runs."""
FLAPPING_WITHIN: Final = timedelta(hours=24)
"""How long an episode counts towards flapping."""
FLAPPING_CLEAN_RUNS: Final = 6
"""Six hours without it, at one audit an hour."""
REPAIR_TAKES: Final = timedelta(hours=1)
"""For what others do when they are asked: a worker answers within minutes, and consolidating what came late
takes half an hour at worst."""


def found(known: Tracked | None, finding: Finding, now: datetime) -> Tracked:
    """The finding was found (again): a new episode if it was over, else the same one, with what is known
    now.
    """
    if known is None:
        return Tracked(finding=finding, first_seen=now, last_seen=now, judged_at=now, episodes=(now,))
    seen = replace(
        # Two runs whose clocks differ must not turn time back.
        known,
        finding=finding,
        last_seen=max(now, known.last_seen),
        judged_at=max(now, known.judged_at),
    )
    # Still the same episode: whatever was told of it stays told.
    if known.is_open:
        return replace(seen, clean_runs=0)
    # Only the turns of the last day make it flap.
    recent = tuple(each for each in known.episodes if now - each < FLAPPING_WITHIN)
    return replace(
        seen,
        is_open=True,
        clean_runs=0,
        first_seen=now,
        episodes=(*recent, now),
        told=Told.NOTHING,
        told_at=None,
        told_severity=None,
        pending=None,
    )


def not_found(
    known: Tracked, *, run_started_at: datetime, now: datetime, has_arrived: bool = False
) -> Tracked:
    """A run that began at `run_started_at` looked, and it was not there: one clean run more, and over after
    enough.

    Where a repair is waited for, only a run counts that has seen it (`has_arrived`): what was asked for hides
    the defect before it mends it. Only a run that began after the one before it had been judged counts: of
    two at the same time, one.

        run A   began ── found it ── judged_at ┐
        run B      began ── (before it was) ───┼── did not find it: does not count, it began earlier
    """
    is_hidden = known.pending is not None and not has_arrived
    if not known.is_open or is_hidden or run_started_at <= known.judged_at:
        return known
    clean_runs = known.clean_runs + 1
    return replace(
        known,
        clean_runs=clean_runs,
        judged_at=now,
        is_open=clean_runs < clean_runs_needed(known),
        pending=None,
    )


def asked(known: Tracked, ids: Iterable[str], now: datetime) -> Tracked:
    """Its repair is asked of others: of these players' workers, or of whoever consolidates.

    Who was waited for already stays so, and its time is the new one's: whoever asks again waits again.
    """
    before = known.pending.ids if known.pending else ()
    pending = Pending(asked_at=now, due_at=now + REPAIR_TAKES, ids=tuple(sorted({*before, *ids})))
    return replace(known, pending=pending)


def lapsed(known: Tracked, now: datetime) -> Tracked:
    """Asking for its repair has failed: it is still waited for, and whoever comes next may ask at once."""
    if known.pending is None:
        return known
    return replace(known, pending=replace(known.pending, due_at=min(now, known.pending.due_at)))


def is_repaired_elsewhere(known: Tracked, now: datetime) -> bool:
    """Whether its repair was asked for and may still arrive: nobody needs to ask again."""
    return known.is_open and known.pending is not None and not known.pending.is_late(now)


def clean_runs_needed(tracked: Tracked) -> int:
    """How many runs in a row have to find nothing before it is over: more of them for one that flaps."""
    return FLAPPING_CLEAN_RUNS if is_flapping(tracked) else CLEAN_RUNS


def is_flapping(tracked: Tracked) -> bool:
    """Whether it has come and gone so often that each turn is not worth telling."""
    return len(tracked.episodes) >= FLAPPING_EPISODES


def covered_and_absent(
    known: Mapping[str, Tracked], found_ids: frozenset[str], looked: "Looked"
) -> list[Tracked]:
    """The open findings of a check that looked at their scope in this run and did not find them."""
    return [
        each
        for finding_id, each in known.items()
        if each.is_open and finding_id not in found_ids and looked.covers(each.finding)
    ]


@dataclass(frozen=True, kw_only=True)
class Looked:
    """Where a run has looked, by check: the names of scopes, or None for everywhere.

    A check that could not look is not in it, and neither is a batch that it did not come to.
    """

    by_check: Mapping[str, frozenset[str] | None]
    """Check → names of scopes, or None for everywhere."""
    arrived: frozenset[str] = frozenset()
    """The findings whose repair, asked for before, was seen to have arrived."""

    def covers(self, finding: Finding) -> bool:
        """Whether the run would have found it: else that it was not found says nothing."""
        if finding.check not in self.by_check:
            return False
        scopes = self.by_check[finding.check]
        return scopes is None or finding.scope.name in scopes
