"""What people are to be told of a date as it stands. No clock, no I/O."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from .decision import PhaseState
from .mode import Mode, mode_of
from .records import Day
from .rules import deadline_of, readiness
from .shape import Boundary, ModeRules


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
    # The mode of the decision, as its reason is told with it; the clock may have passed midnight since.
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
