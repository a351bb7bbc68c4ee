"""A boundary on a date as it was, put together from what was written down with its time. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from common.phases.decision import Decision, PhaseState
from common.phases.records import ByHand, Day

Fields = Mapping[str, Any]

_ENDS_IN: Final = {
    "hold": PhaseState.HELD,
    "release": PhaseState.WAITING,
    "abandon": PhaseState.ABANDONED,
    "replay": PhaseState.WAITING,
    "dispatch": PhaseState.DISPATCHING,
}
"""Act by hand → the state that it leaves."""


def as_told(day: Day, decisions: Sequence[Fields], acts: Sequence[Fields], at: datetime) -> Day:
    """The boundary at that moment: by the last decision, act or dispatch until then. Pure.

    A report that was replaced later by a better one is not told: its document has the later time.
    """
    decided = [each for each in decisions if each["evaluated_at"] <= at]
    acted = [each for each in acts if each["at"] <= at]
    reports = {name: each for name, each in day.reports.items() if each.recorded_at <= at}
    is_dispatched = day.dispatched_at is not None and day.dispatched_at <= at
    states = [(each["evaluated_at"], PhaseState(each["state"])) for each in decided]
    states += [(each["at"], _ENDS_IN[each["act"]]) for each in acted]
    if is_dispatched and day.dispatched_at is not None:
        states.append((day.dispatched_at, PhaseState.DISPATCHED))
    # Nothing written down by then: it waited, as every boundary does before its first report.
    last = max(states, key=lambda pair: pair[0], default=(at, PhaseState.WAITING))
    return replace(
        day,
        # Without a document the verdict says that nothing was seen, which is what was known then.
        document=day.document if states else None,
        state=last[1],
        reports=reports,
        decision=Decision.from_fields(decided[-1]) if decided else None,
        by_hand=ByHand(**{name: acted[-1][name] for name in ("who", "why", "at")}) if acted else None,
        dispatch=day.dispatch if day.dispatch and day.dispatch.claimed_at <= at else None,
        message_id=day.message_id if is_dispatched else None,
        dispatched_at=day.dispatched_at if is_dispatched else None,
        # Nobody wrote down since when it stood still at an earlier moment: rather not told than told wrong.
        stuck_since=None,
        late=tuple(name for name in day.late if name in reports),
    )
