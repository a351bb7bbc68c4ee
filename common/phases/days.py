"""The dates of the boundaries in their store: reports recorded, dates read and amended.

A report is recorded by one commit without a reading; decisions are made on one consistent reading, and
written under the condition that nothing has changed since.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import Any, Final

from ..documents.document import Document
from ..documents.port import NONSENSE, UNREADABLE, Documents, accepted
from ..documents.writes import Create, Merge, Update, Write
from ..result import ErrorInfo, Result, ResultError, returns_result
from .changes import Change, identity
from .decision import Decision
from .records import DECISIONS, PROCESSORS, UNKNOWN, Day, DayKey, Report
from .report_rules import stands_against
from .shape import Boundary

MAX_ATTEMPTS: Final = 50
"""How often a decision is made again because somebody else wrote the date: with a few processors per
phase a handful, so that more of them is no contention but a fault."""


class Recorded(Enum):
    """What became of a report."""

    RECORDED = "recorded"
    IMPROVED = "improved"
    """It took the place of one that said less."""
    DUPLICATE = "duplicate"
    """It is there already, or a better one is; nothing is written."""
    UNKNOWN = "unknown"
    """No processor of the graph: kept aside, never counted."""
    IGNORED = "ignored"
    """Its publisher asked that nothing follow from it."""


@dataclass(frozen=True, kw_only=True)
class Amended:
    """The date after an amendment, and whether this call changed it."""

    day: Day
    changed: bool


class Days:
    """The dates of one sport; safe to share between threads. No method keeps anything in memory."""

    def __init__(self, documents: Documents, sport: str) -> None:
        self.documents = documents
        self._sport = sport

    def key(self, boundary: Boundary, game_date: date) -> DayKey:
        """Where the date of a boundary is kept."""
        return DayKey(sport=self._sport, phase=boundary.phase, game_date=game_date)

    @returns_result
    def read(self, boundary: Boundary, game_date: date, *, as_of: datetime | None = None) -> Day:
        """The date and its reports as of one moment, now or before, whether anything was ever written or not.

        One request for all of it: documents that were read one after the other could tell of different
        moments. PERMANENT (UnreadableDay) for a document that makes no sense, else a fault of the store.
        """
        # Only processors of the graph are asked for: those in quarantine count for nothing.
        [day] = self.read_date([boundary], game_date, as_of=as_of).unwrap()
        return day

    @returns_result
    def read_date(
        self, boundaries: Sequence[Boundary], game_date: date, *, as_of: datetime | None = None
    ) -> list[Day]:
        """As `read`, for several boundaries of one date, in the order asked for: one request, one moment."""
        keys = [self.key(boundary, game_date) for boundary in boundaries]
        reports = [
            {key.below(PROCESSORS, name): name for name in boundary.known}
            for key, boundary in zip(keys, boundaries, strict=True)
        ]
        # All in one request, so that no report can come in between.
        paths = [key.path for key in keys] + [path for each in reports for path in each]
        found = self.documents.get(paths, as_of=as_of).unwrap()
        # Processors that have not reported have no document.
        below = [{name: found[path] for path, name in each.items() if path in found} for each in reports]
        return [_day(key, found.get(key.path), each).unwrap() for key, each in zip(keys, below, strict=True)]

    @returns_result
    def read_many(self, wanted: Sequence[tuple[Boundary, date]]) -> list[Day]:
        """These dates in the order asked for, without their reports, as of one moment."""
        return [each.unwrap() for each in self.read_each(wanted).unwrap()]

    @returns_result
    def read_each(self, wanted: Sequence[tuple[Boundary, date]]) -> list[Result[Day]]:
        """As `read_many`; a document that makes no sense is a failure of its own, in its place."""
        keys = [self.key(boundary, game_date) for boundary, game_date in wanted]
        found = self.documents.get([key.path for key in keys]).unwrap()
        return [_day(key, found.get(key.path), {}) for key in keys]

    @returns_result
    def decisions(self, day: Day) -> list[Decision]:
        """What was decided of the date in its generation, in order; a look that found nothing new left
        none.
        """
        found = self.documents.find(f"{day.key.path}/{DECISIONS}").unwrap()
        return [_decision(day.key, each) for each in found if each.data.get("generation") == day.generation]

    @returns_result
    def record(self, boundary: Boundary, game_date: date, report: Report) -> Recorded:
        """Record a report: one commit, no reading, unless the processor has reported before. Safe to repeat.

        It also makes the date due for a look, so that a crash before the decision is found by the sweep. Of
        two reports of one processor the better stands (`report_rules.stands_against`), whichever comes first.
        Failures: Contended (TRANSIENT), UnreadableDay (PERMANENT), or a fault of the store.
        """
        key = self.key(boundary, game_date)
        path = key.below(PROCESSORS, report.processor)
        # In the same commit: a report that is there makes its date due, whatever dies next.
        due = self._due(boundary, game_date, report.recorded_at)
        for _ in range(MAX_ATTEMPTS):
            if self._commit([Create(path=path, fields=report.to_fields()), due]).unwrap():
                return Recorded.RECORDED
            found = self.documents.get([key.path, path]).unwrap()
            # Refused, and yet not there: it was removed in between. Try again.
            if path not in found:
                continue
            better = _better(_day(key, found.get(key.path), {report.processor: found[path]}).unwrap(), report)
            if better is None:
                return Recorded.DUPLICATE
            # Only over the very version that was compared: a still better one that came in between stays.
            if self._commit([_update(found[path], better.to_fields()), due]).unwrap():
                return Recorded.IMPROVED
        raise ResultError(contended(key))

    def quarantine(self, boundary: Boundary, game_date: date, report: Report) -> Result[Recorded]:
        """Keep the report of a processor that the graph does not know, for a person to see.

        Safe to repeat: the latest report of a name stands. It counts for nothing and makes nothing due.
        """
        key = self.key(boundary, game_date)
        # A publisher's name becomes a document id: slashes and reserved names must not.
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", report.processor_name)[:200]
        # Beside the processors, where no reading counts it.
        kept = Merge(path=key.below(UNKNOWN, f"unknown_{name}"), fields=report.to_fields())
        return self.documents.commit([kept]).map(lambda _: Recorded.UNKNOWN)

    @returns_result
    def amend(self, boundary: Boundary, game_date: date, decide: Callable[[Day], Change | None]) -> Amended:
        """Read the date, let `decide` say what to write, and write it; again if it has changed meanwhile.

        `decide` gets the date as it is now, returns None where nothing is left to do, and may raise
        ResultError. It is called once per attempt and tells "done already" from the date alone: that makes a
        lost answer harmless. Contended (TRANSIENT) after 50 attempts.
        """
        for _ in range(MAX_ATTEMPTS):
            day = self.read(boundary, game_date).unwrap()
            change = decide(day)
            if change is None:
                return Amended(day=day, changed=False)
            if self.write(boundary, day, change).unwrap():
                # Read again: what the store puts in the place of placeholders only it can tell.
                return Amended(day=self.read(boundary, game_date).unwrap(), changed=True)
        raise ResultError(contended(self.key(boundary, game_date)))

    def write(self, boundary: Boundary, day: Day, change: Change) -> Result[bool]:
        """Compare-and-set: write the change, unless the date is no longer as it was read: then False.

        False also for our own write whose answer was lost and which the client repeated: whoever wants to
        know reads.
        """
        fields = {**identity(boundary, day), **change.fields}
        main: Write = (
            Create(path=day.key.path, fields=fields)
            # A date that nobody has written has no version to compare: that it is not there is the
            # precondition.
            if day.document is None
            else _update(day.document, fields)
        )
        base = day.key.path
        creates = [Create(path=f"{base}/{path}", fields=new) for path, new in change.creates.items()]
        marks = [Merge(path=f"{base}/{path}", fields=more) for path, more in change.marks.items()]
        return self._commit([main, *creates, *marks])

    def _commit(self, writes: Sequence[Write]) -> Result[bool]:
        return accepted(self.documents.commit(writes))

    def _due(self, boundary: Boundary, game_date: date, at: datetime) -> Merge:
        """Makes the date due for a look at this moment, whatever else is written on it."""
        key = self.key(boundary, game_date)
        nothing = Day.from_documents(key, None, {})
        # A Merge: the date's first report makes the document, and a decision that is there stays.
        return Merge(path=key.path, fields={**identity(boundary, nothing), "next_check": at})


def _update(read: Document, fields: Mapping[str, Any]) -> Update:
    """Refused unless the document is as it was read."""
    return Update(path=read.path, fields=fields, unchanged_since=read.update_time)


def _better(day: Day, new: Report) -> Report | None:
    """What is to stand in the place of the report that is there, or None if that one stays.

    A report of an earlier generation always gives way; the first one's time is kept, for waits count from it.
    """
    old = day.reports[new.processor]
    if new.execution_id == old.execution_id and new.status is old.status:
        return None
    if new.processor not in day.in_generation:
        return new
    if not stands_against(new, old):
        return None
    return replace(new, first_recorded_at=old.first_recorded_at)


@returns_result
def _day(key: DayKey, document: Document | None, processors: dict[str, Document]) -> Day:
    """The date from its documents; UnreadableDay (PERMANENT) for documents that make no sense."""
    try:
        return Day.from_documents(key, document, processors)
    except UNREADABLE as exc:
        raise ResultError(_unreadable(key, exc)) from exc


def _decision(key: DayKey, document: Document) -> Decision:
    """One decision; raises ResultError (UnreadableDay)."""
    try:
        return Decision.from_fields(document.data)
    except UNREADABLE as exc:
        raise ResultError(_unreadable(key, exc)) from exc


def _unreadable(key: DayKey, exc: Exception) -> ErrorInfo:
    """PERMANENT: reading again shows the same document."""
    why = f"{key}: {type(exc).__name__}: {exc}"
    return ErrorInfo.permanent("UnreadableDay", why, **{NONSENSE: key.path})


def contended(key: DayKey) -> ErrorInfo:
    """TRANSIENT: others were faster each time, and will not be for ever."""
    return ErrorInfo.transient(
        "Contended", f"{key} changed at each of {MAX_ATTEMPTS} attempts", path=key.path
    )
