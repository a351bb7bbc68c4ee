"""The phases as an audit reads them: the dates first, and the reports of those only that are not over."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from ..documents.port import UNREADABLE
from ..phases.alert_rules import alerts
from ..phases.alerts import finding_of, is_silent
from ..phases.boundaries import Boundaries
from ..phases.days import Days
from ..phases.decision import PhaseState
from ..phases.phase_graph import Graph
from ..phases.records import Day
from ..phases.shape import Boundary
from ..result import ErrorInfo, ResultError, returns_result
from .phase_checks import PhaseDay, PhasesSeen
from .unreadable import is_unreadable

STUCK: Final = frozenset({"blocked_too_long", "critical_missing", "deadline_missed"})
"""Of the alerts of a date, those that go on until something is done."""


class PhaseReader:
    """The boundaries of one sport; safe to share between threads."""

    def __init__(self, days: Days, graph: Graph, now: Callable[[], datetime]) -> None:
        self._days = days
        self._graph = graph
        self._now = now

    @returns_result
    def seen(self, dates: Sequence[date]) -> PhasesSeen:
        """Every boundary on these dates, but for those that are final or held. What processors reported is
        read only where there is a document; one that makes no sense is among the unreadable.

        All dates in one request, then one more for each that may be stuck. Not as of one moment: a dispatch
        in between makes a date look stuck for one run at most, and its finding is over with the next. Raises
        nothing: a store that does not answer is a failure.
        """
        now = self._now()
        wanted = [(boundary, day) for boundary in self._graph.boundaries for day in dates]
        found: list[PhaseDay] = []
        unreadable: dict[tuple[str, date], str] = {}
        # The documents of the dates; reports are added where they are read.
        reads = len(wanted)
        for (boundary, game_date), read in zip(wanted, self._days.read_each(wanted).unwrap(), strict=True):
            place = self._days.key(boundary, game_date).path, game_date
            # A date's reports are as many reads as it has processors: they are spent only on dates that may
            # be stuck.
            if read.error is None and read.unwrap().document is not None and _goes_on(read.unwrap()):
                read = self._days.read(boundary, game_date)
                reads += 1 + len(boundary.known)
            if read.error is not None and is_unreadable(read.error):
                unreadable[place] = read.error.message
                continue
            day = read.unwrap()
            try:
                if _goes_on(day):
                    found.append(_phase_day(boundary, day, now))
            # A document may be read and still not be judged, for a field that only an alert looks at.
            except UNREADABLE as exc:
                unreadable[place] = f"{type(exc).__name__}: {exc}"
        return PhasesSeen(days=tuple(found), now=now, reads=reads, unreadable=unreadable)


def _goes_on(day: Day) -> bool:
    """Whether something is still to happen by itself; a boundary that a person holds waits for him."""
    return not (day.state.is_final or day.state is PhaseState.HELD)


def _phase_day(boundary: Boundary, day: Day, now: datetime) -> PhaseDay:
    """One date as the checks judge it; raises what reading a damaged field raises."""
    is_claimed = day.state is PhaseState.DISPATCHING and day.dispatch is not None
    return PhaseDay(
        boundary=boundary.name,
        game_date=day.key.game_date,
        stuck=tuple(
            finding_of(boundary, day, alert) for alert in alerts(boundary, day, now) if alert.kind in STUCK
        ),
        is_silent=is_silent(day),
        claimed_at=day.dispatch.claimed_at if is_claimed and day.dispatch else None,
    )


class Dispatches:
    """Resumes what was decided and not sent; a repair."""

    def __init__(self, boundaries: Callable[[], Boundaries], graph: Graph) -> None:
        self._boundaries = boundaries
        self._graph = graph

    @returns_result
    def resume(self, boundary: str, game_date: date) -> Mapping[str, Any]:
        """Look at the date anew, which publishes what is claimed; its state afterwards.

        Safe to repeat: what is sent already is left alone. PERMANENT (NotResumed) for a boundary that the
        graph does not have; else the failures of `Boundaries.look`.
        """
        known = next((each for each in self._graph.boundaries if each.name == boundary), None)
        if known is None:
            raise ResultError(ErrorInfo.permanent("NotResumed", f"{boundary!r} is no boundary of the graph"))
        day = self._boundaries().look(known, game_date).unwrap()
        return {"state": day.state.value, "message_id": day.message_id}
