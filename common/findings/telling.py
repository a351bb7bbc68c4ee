"""Who is told of what, and when: each change of a finding once. No clock, no I/O.

open, told once ──▶ ongoing, told after four hours, then once a day ──▶ resolved, told if "open" was

run A   claims the telling ── sends ── notes "told"
run B   claims: refused, A has written since ── tells nothing    (A's claim runs out after 10 minutes)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from .records import FindingClass, Scope
from .rules import is_flapping
from .tracked import Silence, Told, Tracked

ONGOING_AFTER: Final = timedelta(hours=4)
""""Still there" is told once after so long, and then once a day: a reminder that nobody learns to ignore."""
ONGOING_EVERY: Final = timedelta(hours=24)
"""After the first reminder."""
MAX_MESSAGES: Final = 6
"""Of one run: Slack takes about one a second, and nobody reads more."""
TELLING_TAKES: Final = timedelta(minutes=10)
"""For so long nobody else tells what one run has set out to tell; the run may have died over it."""


class Change(Enum):
    """A change of state that somebody is told of."""

    OPENED = "opened"
    FLAPPING = "flapping"
    WORSENED = "worsened"
    ONGOING = "ongoing"
    ESCALATED = "escalated"
    RESOLVED = "resolved"

    @property
    def leaves(self) -> Told:
        """What has been told of the episode once this was."""
        return _LEAVES.get(self, Told.OPENED)


_LEAVES: Final[Mapping[Change, Told]] = {
    Change.RESOLVED: Told.RESOLVED,
    Change.ESCALATED: Told.ESCALATED,
    Change.ONGOING: Told.ONGOING,
}


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One change of one finding."""

    change: Change
    tracked: Tracked


@dataclass(frozen=True, kw_only=True)
class Group:
    """The notices of one scope: one message."""

    scope: Scope
    notices: tuple[Notice, ...]
    dependent_count: int = 0
    """Of a store that is down: findings that depend on it, which are not told."""


@dataclass(frozen=True, kw_only=True)
class Due:
    """What a run has to tell, and what it does not tell because a store is down."""

    groups: tuple[Group, ...]
    inhibited: tuple[Tracked, ...]


def change_to_tell(tracked: Tracked, now: datetime) -> Change | None:
    """The change that nobody was told of yet, silences aside."""
    if not tracked.is_open:
        # Nobody is told of the end of what nobody was told of.
        was_told = tracked.told not in (Told.NOTHING, Told.RESOLVED)
        return Change.RESOLVED if was_told else None
    if tracked.told is Told.NOTHING:
        return Change.FLAPPING if is_flapping(tracked) else Change.OPENED
    # Worse than it was told: that is news, whatever the reminder's interval.
    if tracked.told_severity is not None and tracked.finding.severity.rank > tracked.told_severity.rank:
        return Change.WORSENED
    if _is_late_news(tracked, now):
        return Change.ESCALATED
    # Not while it may be over: "still there" would be wrong.
    is_seen_now = tracked.clean_runs == 0
    # The first reminder comes while somebody may still be at it, the others once a day.
    interval = ONGOING_AFTER if tracked.told is Told.OPENED else ONGOING_EVERY
    is_due = tracked.told_at is not None and now - tracked.told_at >= interval
    return Change.ONGOING if is_seen_now and is_due else None


def _is_late_news(tracked: Tracked, now: datetime) -> bool:
    """Whether its repair has not arrived in time, and nothing was told since then."""
    if tracked.pending is None or tracked.told is Told.ESCALATED or not tracked.pending.is_late(now):
        return False
    return tracked.told_at is None or tracked.told_at < tracked.pending.due_at


def is_silenced(tracked: Tracked, now: datetime) -> bool:
    """Whether somebody asked not to be told of it at this time."""
    return tracked.silence is not None and tracked.silence.holds(now)


def is_being_told(tracked: Tracked, now: datetime) -> bool:
    """Whether a run has claimed the telling, and its claim has not run out."""
    return tracked.teller_until is not None and now < tracked.teller_until


def due(all_tracked: Iterable[Tracked], now: datetime) -> Due:
    """Who is told of what: per scope, the worst first; six messages at most.

    A silenced finding is left for when its silence ends, one that depends on a store that is down for when
    that is up. What another run is telling is left to it.
    """
    known = sorted(all_tracked, key=lambda each: each.finding_id)
    down = {each.finding.subject for each in known if is_root(each)}
    # Told when the store is up again, if they are still there: a store that is down makes hundreds of them.
    inhibited = tuple(each for each in known if not is_root(each) and each.finding.depends_on & down)
    notices = [
        Notice(change=change, tracked=each)
        for each in known
        if each not in inhibited and not is_silenced(each, now) and not is_being_told(each, now)
        if (change := change_to_tell(each, now)) is not None
    ]
    return Due(groups=_grouped(notices, inhibited), inhibited=inhibited)


def is_root(tracked: Tracked) -> bool:
    """Whether this is a store that the last run could not reach."""
    is_store = tracked.finding.finding_class is FindingClass.STORE_DOWN
    return is_store and tracked.is_open and tracked.clean_runs == 0


def _grouped(notices: Sequence[Notice], inhibited: Sequence[Tracked]) -> tuple[Group, ...]:
    """By scope, in the order of the worst notice of each: what has to be read first is sent first."""
    scopes: dict[Scope, list[Notice]] = {}
    for notice in sorted(notices, key=_order):
        scopes.setdefault(notice.tracked.finding.scope, []).append(notice)
    return tuple(
        Group(scope=scope, notices=those, dependent_count=_dependents(those, inhibited))
        for scope, those in _folded(scopes)
    )


def _folded(scopes: Mapping[Scope, Sequence[Notice]]) -> list[tuple[Scope, tuple[Notice, ...]]]:
    """A thousand broken batches are a few messages: the worst by themselves, the others in the last one."""
    groups = [(scope, tuple(those)) for scope, those in scopes.items()]
    if len(groups) <= MAX_MESSAGES:
        return groups
    shown, rest = groups[: MAX_MESSAGES - 1], groups[MAX_MESSAGES - 1 :]
    others = Scope.of_system(f"{len(rest)} other batches, dates and parts")
    return [*shown, (others, tuple(notice for _, those in rest for notice in those))]


def _order(notice: Notice) -> tuple[bool, int, str]:
    """Stores that are down first, then the worst."""
    tracked = notice.tracked
    return (not is_root(tracked), -tracked.finding.severity.rank, tracked.finding_id)


def _dependents(notices: Sequence[Notice], inhibited: Sequence[Tracked]) -> int:
    """How many open findings wait behind the stores that these notices say are down."""
    down = {each.tracked.finding.subject for each in notices if is_root(each.tracked)}
    return sum(1 for each in inhibited if each.finding.depends_on & down and each.is_open)


def claimed(tracked: Tracked, teller: str, now: datetime) -> Tracked:
    """This run sets out to tell it."""
    return replace(tracked, teller=teller, teller_until=now + TELLING_TAKES)


def told(tracked: Tracked, change: Change, now: datetime) -> Tracked:
    """As it is once the change was told; the claim on the telling is given back."""
    return replace(
        tracked,
        told=change.leaves,
        told_at=now,
        told_severity=tracked.finding.severity,
        teller=None,
        teller_until=None,
    )


def not_told(tracked: Tracked) -> Tracked:
    """It could not be delivered: whoever comes next tells it."""
    return replace(tracked, teller=None, teller_until=None)


def silenced(tracked: Tracked, silence: Silence | None) -> Tracked:
    """With this silence; None lifts it."""
    return replace(tracked, silence=silence)
