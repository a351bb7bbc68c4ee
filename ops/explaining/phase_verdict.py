"""How a boundary between two phases stands on a date: what was read of it in, one verdict out."""

from datetime import datetime, timedelta
from typing import Final

from common.findings.records import operator_command
from common.phases.decision import Closed, Decision, PhaseState
from common.phases.records import Day
from common.texts import counted

from ..wording import clock, duration, moment, names
from .verdict import State, Verdict, ill, well

DISPATCH_GRACE: Final = timedelta(minutes=15)
"""The sweep comes every ten minutes and resumes what was cut short."""
FIRST_BEHIND: Final = 2
"""The phase behind which the first boundary lies."""


def verdict(day: Day, now: datetime) -> Verdict:
    """The verdict on one boundary and date, as of `now`. Pure: the same reading gives the same words.

    Silence is well here: whether a date without any event has games is the auditor's question, which knows
    the schedule.
    """
    if day.document is None and not day.reports:
        sentence = f"no event of phase {day.key.phase} was seen for {day.key.game_date} so far."
        return well(State.SILENT, sentence, _look(day))
    judge = {
        PhaseState.WAITING: _waiting,
        PhaseState.READY: _ready,
        PhaseState.BLOCKED: _blocked,
        PhaseState.HELD: _held,
        PhaseState.DISPATCHING: _dispatching,
        PhaseState.DISPATCHED: _dispatched,
        PhaseState.ABANDONED: _abandoned,
    }[day.state]
    return judge(day, now)


def _waiting(day: Day, now: datetime) -> Verdict:
    """Not enough is done yet. Well while somebody may still come, ill once one of them has failed."""
    decision = day.decision
    if decision is None:
        sentence = f"{counted(len(day.reports), 'processor')} reported; not decided yet."
        return well(State.WAITING, sentence, _look(day))
    missing = f"; missing: {names(decision.missing)}" if decision.missing else ""
    failed = f"; failed: {names(decision.failed)}" if decision.failed else ""
    sentence = (
        f"{len(decision.present)} of {counted(len(decision.needed), 'processor')} done{missing}{failed}."
        f"{_next(decision)}"
    )
    if decision.failed:
        return ill(State.WAITING, sentence, _again(day))
    return well(State.WAITING, sentence, _look(day))


def _ready(day: Day, now: datetime) -> Verdict:
    """Enough is done, and the dispatch that should follow by itself has not been begun."""
    reason = f" ({day.decision.reason})" if day.decision else ""
    sentence = f"enough processors are done{reason}.{_next(day.decision)}"
    return ill(State.READY, sentence, _by_hand("dispatch", day))


def _blocked(day: Day, now: datetime) -> Verdict:
    """Enough is done, and a gate is closed: told with what was read and the limit."""
    closed = [gate for gate in day.decision.gates if isinstance(gate, Closed)] if day.decision else []
    # A gate may be closed with a value that would be enough: a table that has to be there is not.
    reasons = "; ".join(f"{gate.reason}, value {gate.value:g}, limit {gate.limit:g}" for gate in closed)
    since = f" for {duration(now - day.stuck_since)}" if day.stuck_since else ""
    sentence = f"blocked{since}: {reasons or 'a gate is closed'}.{_next(day.decision)}"
    return ill(State.BLOCKED, sentence, _by_hand("dispatch", day))


def _held(day: Day, now: datetime) -> Verdict:
    """Somebody's decision, and well however long it lasts: told with who, since when and why."""
    return well(State.HELD, f"held{_who(day)}; what arrives is recorded.", _by_hand("release", day))


def _dispatching(day: Day, now: datetime) -> Verdict:
    """Decided and not sent: well while the sweep may still resume it."""
    since = day.dispatch.claimed_at if day.dispatch else now
    sentence = f"its trigger has been on its way for {duration(now - since)}."
    if now - since > DISPATCH_GRACE:
        return ill(State.DISPATCHING, sentence, _by_hand("dispatch", day))
    return well(State.DISPATCHING, sentence, _look(day))


def _dispatched(day: Day, now: datetime) -> Verdict:
    """Over. Who reported after that is named, and changes nothing."""
    reason = f" ({day.dispatch.reason})" if day.dispatch else ""
    at = f" at {moment(day.dispatched_at)}" if day.dispatched_at else ""
    late = f" Late since then: {names(day.late)}." if day.late else ""
    return well(State.DISPATCHED, f"dispatched{at}{reason} as message {day.message_id}.{late}")


def _abandoned(day: Day, now: datetime) -> Verdict:
    """Given up by a person. Only a replay starts what lies behind it."""
    sentence = f"given up{_who(day)}: it is never dispatched."
    return well(State.ABANDONED, sentence, _replay(day, day.key.phase + 1))


def _next(decision: Decision | None) -> str:
    """When the sweep looks again, as a sentence; "" where no time is set."""
    at = decision.next_check if decision else None
    return f" Looked at again at {clock(at)}." if at else ""


def _who(day: Day) -> str:
    """Who acted by hand, since when and why, for the middle of a sentence; "" where nobody did."""
    act = day.by_hand
    return f" by {act.who} since {moment(act.at)} ({act.why})" if act else ""


def _look(day: Day) -> str:
    """The command that shows all boundaries of the date, and changes nothing."""
    return operator_command("phases", day.key.game_date.isoformat())


def _by_hand(verb: str, day: Day) -> str:
    """`hold`, `release` or `dispatch` of this boundary and date, as a person types it."""
    return operator_command(verb, str(day.key.phase), day.key.game_date.isoformat())


def _replay(day: Day, phase: int) -> str:
    """The command that starts this phase of the date again, in a new generation."""
    return operator_command("replay", day.key.game_date.isoformat(), "--from", str(phase))


def _again(day: Day) -> str:
    """What runs the phase again that has failed; the first one is started by no boundary: on without it."""
    return _replay(day, day.key.phase) if day.key.phase > FIRST_BEHIND else _by_hand("dispatch", day)
