"""What falls due at the boundaries without an event: tiers, next checks, pending dispatches, silent days.

It works within a budget of time and says what it left; a date that cannot be looked at never stops it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from ..documents.document import Document
from ..documents.query import Query, at_most
from ..result import ErrorInfo, ErrorType, Result, returns_result
from ..sport import ZONE
from .boundaries import Boundaries
from .decision import PhaseState
from .mode import mode_of
from .phase_graph import Graph
from .records import Day, collection_of
from .rules import deadline_of
from .shape import Boundary, Table

PAGE: Final = 100
"""Documents per query."""
DAYS_BACK: Final = 1
"""Yesterday and today are looked for even if nobody has reported anything of them; of an older silent day
an earlier sweep has told."""


class Schedule(Protocol):
    """Counts the games of a date."""

    def games(self, schedule: Table, game_date: date) -> Result[int]:
        """How many games a date has; a failure is "nobody knows"."""


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What one sweep did."""

    looked: int
    dispatched: tuple[str, ...]
    """Documents whose dispatch it published."""
    failed: tuple[str, ...]
    """What could not be looked at: a sentence each."""
    is_complete: bool
    """False: its time was over, and the next sweep goes on."""


@dataclass
class _Tally:
    """What a running sweep knows; only ever one thread's."""

    until: datetime
    looked: int = 0
    dispatched: list[str] = field(default_factory=list)
    errors: list[ErrorInfo] = field(default_factory=list)
    is_complete: bool = True


class PhaseSweep:
    """Sweeps the boundaries of one sport; may run beside itself and beside every event."""

    def __init__(
        self,
        boundaries: Boundaries,
        graph: Graph,
        schedule: Schedule,
        *,
        budget: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._boundaries = boundaries
        self._graph = graph
        self._schedule = schedule
        self._budget = budget
        self._now = now

    def run(self) -> Result[Swept]:
        """Look at everything that is due, until the budget is over; what is left, the next sweep finds.

        A partial names what could not be looked at, with the error that a retry may cure, if there is one.
        Without anything due it costs one query per boundary, and one reading of the days that may be silent.
        Safe to repeat, and beside itself: every date is decided on by compare-and-set.
        """
        tally = _Tally(until=self._now() + self._budget)
        for boundary in self._graph.boundaries:
            for document in self._due(boundary, tally):
                if self._now() >= tally.until:
                    tally.is_complete = False
                    break
                self._look(boundary, document, tally)
        self._look_for_silence(tally)
        return _told(tally)

    def _due(self, boundary: Boundary, tally: _Tally) -> Iterator[Document]:
        """Every due date once: those that stay due do not come back within this sweep."""
        collection = collection_of(self._graph.sport, boundary.phase)
        # One time for all pages: a date that is due again at once would else come back within the sweep, for
        # ever. A date without a next check has null there, which no comparison with a time finds.
        is_due = at_most("next_check", self._now())
        due = Query(where=(is_due,), order_by="next_check", limit=PAGE)
        while True:
            found = self._boundaries.days.documents.find(collection, due)
            if found.error is not None:
                tally.errors.append(found.error)
                return
            page = found.unwrap()
            yield from page
            if len(page) < PAGE:
                return
            due = replace(due, after=page[-1])

    def _look(self, boundary: Boundary, document: Document, tally: _Tally) -> None:
        """Look at one due date. What cannot be looked at is noted, and stops nothing."""
        tally.looked += 1
        try:
            game_date = date.fromisoformat(document.id)
        except ValueError:
            why = f"{document.path}: its name is no date"
            tally.errors.append(ErrorInfo.permanent("UnreadableDay", why))
            return
        # As the page had it: what an event dispatches in between is counted here, too.
        was_dispatched = document.data.get("message_id") is not None
        looked = self._boundaries.look(boundary, game_date)
        if looked.error is not None:
            tally.errors.append(looked.error)
        if looked.data is not None and looked.data.state is PhaseState.DISPATCHED and not was_dispatched:
            tally.dispatched.append(document.path)

    def _look_for_silence(self, tally: _Tally) -> None:
        """Look at dates that no document tells of: only a look tells people of a phase that is silent."""
        found = self._silent()
        if found.error is not None:
            tally.errors.append(found.error)
            return
        for boundary, day in found.unwrap():
            tally.looked += 1
            looked = self._boundaries.look(boundary, day.key.game_date)
            if looked.error is not None:
                tally.errors.append(looked.error)

    @returns_result
    def _silent(self) -> list[tuple[Boundary, Day]]:
        """Dates of games past their deadline of which a phase has heard nothing. No game, no alarm."""
        now = self._now()
        today = now.astimezone(ZONE).date()
        dates = [today - timedelta(days=back) for back in range(DAYS_BACK, -1, -1)]
        wanted = [
            (boundary, day)
            for boundary in self._graph.boundaries
            for day in dates
            # Before its deadline a phase may be silent.
            if now >= deadline_of(boundary.modes[mode_of(day, now)], day)
        ]
        # One request: most dates have a document, and are no business of this search.
        days = self._boundaries.days.read_many(wanted).unwrap() if wanted else []
        absent = [
            (boundary, day) for (boundary, _), day in zip(wanted, days, strict=True) if day.document is None
        ]
        # A day is asked about once, however many boundaries are silent on it.
        played = {day.key.game_date: self._has_games(day.key.game_date) for _, day in absent}
        return [(boundary, day) for boundary, day in absent if played[day.key.game_date]]

    def _has_games(self, game_date: date) -> bool:
        """Whether the date has games; never for a sport without a schedule. Raises ResultError."""
        schedule = self._graph.schedule
        # Nobody knows whether there should have been an event.
        if schedule is None:
            return False
        return self._schedule.games(schedule, game_date).unwrap() > 0


def _told(tally: _Tally) -> Result[Swept]:
    swept = Swept(
        looked=tally.looked,
        dispatched=tuple(tally.dispatched),
        failed=tuple(error.message for error in tally.errors),
        is_complete=tally.is_complete,
    )
    if not tally.errors:
        return Result.success(swept)
    # Told is the one that a retry may cure: a PERMANENT one would hide that the next sweep helps with the
    # rest.
    worst = next((each for each in tally.errors if each.type is not ErrorType.PERMANENT), tally.errors[0])
    return Result.partial(swept, worst)
