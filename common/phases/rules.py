"""Decisions about boundaries: facts in, decision out. No clock, no I/O."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from ..messages import MessageStatus, PhaseCompletion
from ..result import ErrorInfo
from ..sport import ZONE
from .records import Closed, Day, DayKey, Decision, GateReading, PhaseState, Report
from .shape import Boundary, Mode, ModeRules, Tier

CLAIM_GRACE: Final = timedelta(seconds=60)
"""How long whoever claimed a dispatch has to publish it before others step in: twice what a publish may take,
and a claim that is half over is renewed before."""

ALL_COMPLETE: Final = "all_complete"
"""Reasons of a dispatch that are no tier's."""
MANUAL: Final = "manual"

_RANK: Final = (
    MessageStatus.FAILED,
    MessageStatus.SKIPPED,
    MessageStatus.NO_DATA,
    MessageStatus.PARTIAL,
    MessageStatus.SUCCESS,
)
"""Of different statuses of one processor the later in this order stands."""


def mode_of(game_date: date, now: datetime) -> Mode:
    """By the date in the pipeline's zone, whatever the zone of `now`."""
    today = now.astimezone(ZONE).date()
    if game_date < today:
        return Mode.OVERNIGHT
    return Mode.SAME_DAY if game_date == today else Mode.TOMORROW


def next_midnight(now: datetime) -> datetime:
    """In the pipeline's zone: when the mode of a date may change. Also on the days of 23 and of 25 hours."""
    tomorrow = now.astimezone(ZONE).date() + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=ZONE).astimezone(UTC)


def deadline_of(rules: ModeRules, game_date: date) -> datetime:
    """In UTC; the rules tell it by the wall clock of the pipeline's zone, across changes of summer time."""
    day = game_date + timedelta(days=rules.deadline.days_after)
    return datetime.combine(day, rules.deadline.at, tzinfo=ZONE).astimezone(UTC)


def processor_of(boundary: Boundary, completion: PhaseCompletion) -> str | None:
    """The graph's name of the processor; None if it knows none: it is quarantined, and counts for nothing.

    Publishers name themselves by the graph's name, by their table, or by their class; the first of these that
    the boundary knows is meant.
    """
    named = completion.processor_name
    table = (completion.output_table or "").rpartition(".")[2]
    # A class `FooBarProcessor` means `foo_bar`.
    in_snake_case = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", named.removesuffix("Processor")).lower()
    for name in (named, table, in_snake_case, in_snake_case.removeprefix("async_").removesuffix("_async")):
        known = boundary.aliases.get(name, name)
        if known in boundary.known:
            return known
    return None


def stands_against(new: Report, old: Report) -> bool:
    """Whether `new` takes the place of `old`: the better status, else the later one by what both say of
    themselves, so that the order of arrival decides nothing."""
    return _weight(new) > _weight(old)


def _weight(report: Report) -> tuple[int, datetime, str]:
    sent_at = report.sent_at or datetime.min.replace(tzinfo=UTC)
    # The run's id last, so that the order is total: two deliveries of two runs end alike, whichever comes
    # first.
    return _RANK.index(report.status), sent_at, report.execution_id


def dispatch_id(key: DayKey, next_phase: int, generation: int) -> str:
    """The same for every repeat, so that a receiver can drop one; another for each generation."""
    return f"{key.sport}-phase{next_phase}-{key.game_date.isoformat()}-{generation}"


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
    return bool(rules.tiers) and now >= since + _wait(rules.tiers[-1])


def _waits_for(rules: ModeRules, present: Sequence[str]) -> str:
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
    return min((moment for moment in moments if moment > now), default=None)


def decide(
    boundary: Boundary,
    day: Day,
    found: Readiness,
    *,
    gates: Sequence[GateReading] | ErrorInfo,
    now: datetime,
) -> Decision:
    """The decision on a date that is neither held nor claimed. `gates` matter for one that is ready; an error
    means that they could not be evaluated, which is neither open nor closed."""
    if not found.is_ready:
        next_check = when_waiting(found, day.key.game_date, now)
        return found.decision(now, PhaseState.WAITING, next_check=next_check)
    recheck = now + timedelta(minutes=boundary.recheck_minutes)
    if isinstance(gates, ErrorInfo):
        reason = f"{found.reason}, but a gate could not be evaluated: {gates.message[:500]}"
        return found.decision(now, PhaseState.READY, reason=reason, next_check=recheck)
    closed = [gate for gate in gates if isinstance(gate, Closed)]
    if closed:
        reason = f"{found.reason}, but {'; '.join(gate.reason for gate in closed)}"
        next_check = min(gate.next_check for gate in closed)
        return found.decision(
            now, PhaseState.BLOCKED, gates=tuple(gates), reason=reason, next_check=next_check
        )
    return found.decision(now, PhaseState.DISPATCHING, gates=tuple(gates), next_check=now + CLAIM_GRACE)


@dataclass(frozen=True, kw_only=True)
class Alert:
    """Something that a person should know. Told once per generation and mode."""

    kind: str
    """One of those that `_alerts` names; `alerts.py` says how each is told."""
    generation: int
    mode: Mode
    sentence: str

    @property
    def id(self) -> str:
        """One for a kind, a generation and a mode: told once, and again after a replay or when the mode has
        changed.
        """
        return f"{self.generation}:{self.kind}:{self.mode.value}"


def alerts(boundary: Boundary, day: Day, now: datetime) -> list[Alert]:
    """What is to be told of the date as it stands, told already or not."""
    mode = day.decision.mode if day.decision else mode_of(day.key.game_date, now)
    return [
        Alert(
            kind=kind,
            generation=day.generation,
            mode=mode,
            sentence=f"{boundary.name} {day.key.game_date}: {what}",
        )
        for kind, what in _alerts(boundary, day, mode, now)
    ]


def _alerts(boundary: Boundary, day: Day, mode: Mode, now: datetime) -> Iterator[tuple[str, str]]:
    decision, rules = day.decision, boundary.modes[mode]
    if day.state is PhaseState.ABANDONED and day.by_hand:
        yield "abandoned", f"abandoned by {day.by_hand.who}: {day.by_hand.why}"
    if day.state is PhaseState.DISPATCHED and day.dispatch and _is_by_wait(rules, day.dispatch.reason):
        left = ", ".join(name for name in rules.expected if name not in day.dispatch.present)
        yield "tier_fired", f"started after a wait ({day.dispatch.reason}) without {left}"
    # What is over cannot be stuck or late any more.
    if day.state.is_final:
        return
    why = decision.reason if decision else "no event so far"
    limit = timedelta(minutes=boundary.blocked_alert_minutes)
    if day.stuck_since is not None and now >= day.stuck_since + limit:
        yield "blocked_too_long", f"blocked since {day.stuck_since:%H:%M} UTC: {why}"
    if day.state is PhaseState.WAITING and decision and readiness(boundary, day, now).is_exhausted:
        yield "critical_missing", f"no tier is left: {why}"
    if now >= deadline_of(rules, day.key.game_date):
        yield "deadline_missed", f"not started by {rules.deadline.at:%H:%M} in New York: {why}"


def _is_by_wait(rules: ModeRules, reason: str) -> bool:
    return any(tier.reason == reason and tier.after_minutes > 0 for tier in rules.tiers)


def untold(boundary: Boundary, day: Day, now: datetime) -> list[Alert]:
    """Those alerts that no earlier look has told."""
    return [alert for alert in alerts(boundary, day, now) if alert.id not in day.told]


def reports_by_arrival(reports: Mapping[str, Report]) -> list[Report]:
    """The latest last, by name where the clock does not tell."""
    return sorted(reports.values(), key=lambda report: (report.recorded_at, report.processor))
