"""Decisions about boundaries: facts in, decision out. No clock, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from ..messages import MessageStatus
from ..result import ErrorInfo
from ..sport import ZONE
from .decision import Closed, Decision, GateReading, PhaseState
from .mode import Mode, mode_of, next_midnight
from .records import Day, Report
from .shape import Boundary, ModeRules, Tier

CLAIM_GRACE: Final = timedelta(seconds=60)
"""How long whoever claimed a dispatch has to publish it before others step in: twice what a publish may take,
and a claim that is half over is renewed before."""

ALL_COMPLETE: Final = "all_complete"
"""Reasons of a dispatch that are no tier's."""
MANUAL: Final = "manual"


def deadline_of(rules: ModeRules, game_date: date) -> datetime:
    """In UTC; the rules tell it by the wall clock of the pipeline's zone, across changes of summer time."""
    day = game_date + timedelta(days=rules.deadline.days_after)
    return datetime.combine(day, rules.deadline.at, tzinfo=ZONE).astimezone(UTC)


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """Whether enough processors are done, before any gate is asked."""

    mode: Mode
    rules: ModeRules
    is_ready: bool
    reason: str
    """Why it may start, or what it waits for."""
    present: tuple[str, ...]
    missing: tuple[str, ...]
    failed: tuple[str, ...]
    waiting_since: datetime | None
    is_exhausted: bool
    """Every tier is over, and a critical processor is missing: only that one, or a person, can start it."""

    def decision(self, now: datetime, state: PhaseState, **parts: object) -> Decision:
        """A decision that rests on this; `parts` are fields of it that differ."""
        decision = Decision(
            evaluated_at=now,
            state=state,
            mode=self.mode,
            needed=self.rules.expected,
            present=self.present,
            missing=self.missing,
            failed=self.failed,
            gates=(),
            reason=self.reason,
            next_check=None,
        )
        return replace(decision, **parts)  # type: ignore[arg-type]


def readiness(boundary: Boundary, day: Day, now: datetime) -> Readiness:
    """Facts only: `now` decides on the mode and on which tiers are due, and no gate is asked.

    What the mode does not expect counts for nothing.
    """
    mode = mode_of(day.key.game_date, now)
    rules = boundary.modes[mode]
    reports = {name: report for name, report in day.in_generation.items() if name in rules.expected}
    present = tuple(name for name in rules.expected if name in reports and reports[name].is_present)
    since = min((report.first_recorded_at for report in reports.values()), default=None)
    # However long the wait: without the critical ones the next phase would work on nothing.
    has_critical = set(rules.critical) <= set(present)
    # Waits count from the first report, not from midnight: a late day is given the same time.
    tier = _tier(rules, len(present), since, now) if has_critical else None
    is_complete = len(present) == len(rules.expected)
    return Readiness(
        mode=mode,
        rules=rules,
        is_ready=is_complete or tier is not None,
        reason=ALL_COMPLETE if is_complete else tier.reason if tier else _waits_for(rules, present),
        present=present,
        missing=tuple(name for name in rules.expected if name not in present),
        failed=tuple(name for name in rules.expected if _has_failed(reports.get(name))),
        waiting_since=since,
        is_exhausted=not has_critical and since is not None and _is_over(rules, since, now),
    )


def _has_failed(report: Report | None) -> bool:
    return report is not None and report.status is MessageStatus.FAILED


def _tier(rules: ModeRules, present: int, since: datetime | None, now: datetime) -> Tier | None:
    """The strictest tier that is satisfied: what it was seen late for does not change the reason."""
    if since is None:
        return None
    return next(
        (tier for tier in rules.tiers if present >= tier.at_least and now >= since + _wait(tier)), None
    )


def _wait(tier: Tier) -> timedelta:
    return timedelta(minutes=tier.after_minutes)


def _is_over(rules: ModeRules, since: datetime, now: datetime) -> bool:
    """Whether the last tier's wait has passed; never without tiers."""
    return bool(rules.tiers) and now >= since + _wait(rules.tiers[-1])


def _waits_for(rules: ModeRules, present: Sequence[str]) -> str:
    """What keeps a phase from starting, critical processors first, for a person."""
    critical = [name for name in rules.critical if name not in present]
    if critical:
        return f"waiting for critical {', '.join(critical)} ({len(present)} of {len(rules.expected)} present)"
    missing = [name for name in rules.expected if name not in present]
    return f"waiting for {', '.join(missing)} ({len(present)} of {len(rules.expected)} present)"


def when_waiting(found: Readiness, game_date: date, now: datetime) -> datetime | None:
    """When a date that waits is to be looked at without an event: a tier falls due, the deadline passes, its
    mode changes.

    None: nothing of it lies ahead, and only an event helps.
    """
    since = found.waiting_since
    tiers = [] if since is None else [since + _wait(tier) for tier in found.rules.tiers]
    midnight = [] if found.mode is Mode.OVERNIGHT else [next_midnight(now)]
    return _first_after(now, *tiers, deadline_of(found.rules, game_date), *midnight)


def _first_after(now: datetime, *moments: datetime) -> datetime | None:
    """The earliest that lies ahead."""
    return min((moment for moment in moments if moment > now), default=None)


def decide(
    boundary: Boundary,
    day: Day,
    found: Readiness,
    *,
    gates: Sequence[GateReading] | ErrorInfo,
    now: datetime,
) -> Decision:
    """The decision on a date that is neither held nor claimed. Pure.

    `gates` matter for one that is ready: readings, in the graph's order, or the error that kept them from
    being evaluated, which is neither open nor closed. State and next check:

        not ready               WAITING       the next tier, deadline or midnight; None: only an event helps
        ready, not evaluated    READY         after the boundary's `recheck_minutes`
        ready, a gate closed    BLOCKED       the earliest that a closed gate names
        ready, all open         DISPATCHING   CLAIM_GRACE from now, should whoever claims it die
    """
    if not found.is_ready:
        next_check = when_waiting(found, day.key.game_date, now)
        return found.decision(now, PhaseState.WAITING, next_check=next_check)
    recheck = now + timedelta(minutes=boundary.recheck_minutes)
    if isinstance(gates, ErrorInfo):
        # Cut: a fault of the warehouse may quote the whole query.
        reason = f"{found.reason}, but a gate could not be evaluated: {gates.message[:500]}"
        return found.decision(now, PhaseState.READY, reason=reason, next_check=recheck)
    closed = [gate for gate in gates if isinstance(gate, Closed)]
    if closed:
        reason = f"{found.reason}, but {'; '.join(gate.reason for gate in closed)}"
        # The earliest: whoever looks asks all of them again.
        next_check = min(gate.next_check for gate in closed)
        return found.decision(
            now, PhaseState.BLOCKED, gates=tuple(gates), reason=reason, next_check=next_check
        )
    return found.decision(now, PhaseState.DISPATCHING, gates=tuple(gates), next_check=now + CLAIM_GRACE)
