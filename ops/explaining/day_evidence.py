"""Reads what is known of a date: each of its boundaries with what was reported, decided and done by hand, and
the findings about it. Reads only; a store that cannot be read is a failure, never an absence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from common.documents.document import Document
from common.documents.port import Documents
from common.documents.query import Query
from common.findings.tracked import Tracked
from common.phases.days import Days
from common.phases.records import ACTS, DECISIONS, PROCESSORS, Day, DayKey
from common.phases.shape import Boundary
from common.result import ResultError

from . import findings_seen
from .day_past import as_told
from .evidence import Event, in_order
from .past import is_not_kept, told_instead


@dataclass(frozen=True, kw_only=True)
class ExplainedBoundary:
    """All that was read of one boundary on a date."""

    boundary: Boundary
    day: Day
    events: tuple[Event, ...]


@dataclass(frozen=True, kw_only=True)
class ExplainedDay:
    """All that was read of a date, as of `now`."""

    game_date: date
    now: datetime
    boundaries: tuple[ExplainedBoundary, ...]
    findings: tuple[Tracked, ...]
    note: str | None
    """What to know about how it was read; None where there is nothing to know."""


@dataclass(frozen=True, kw_only=True)
class _Read:
    """The documents of one boundary."""

    boundary: Boundary
    day: Day
    decisions: tuple[Document, ...]
    acts: tuple[Document, ...]


class DayEvidence:
    """Gathers it; clients are handed in."""

    def __init__(self, days: Days, boundaries: Sequence[Boundary], documents: Documents) -> None:
        self._days = days
        self._boundaries = boundaries
        self._documents = documents

    def of(self, game_date: date, now: datetime, *, as_of: datetime | None = None) -> ExplainedDay:
        """The date now, or as it was.

        Raises ResultError where a store cannot be read. What Firestore keeps no more is told from what was
        written down with its time, and said to be so in `note`.
        """
        try:
            return self._explained(game_date, as_of or now, as_of=as_of)
        except ResultError as exc:
            # Firestore answers for the last hour, or for seven days with point-in-time recovery; what is
            # older is told from the times that documents keep.
            if as_of is None or not is_not_kept(exc.error):
                raise
        return self._told(game_date, as_of)

    def _explained(self, game_date: date, now: datetime, *, as_of: datetime | None) -> ExplainedDay:
        """The date as of one time, with the findings about it."""
        findings = findings_seen.findings_of(self._documents, [game_date.isoformat()], as_of=as_of)
        # One boundary after the other: there are a handful, and each is three requests.
        read = [self._read(boundary, game_date, as_of) for boundary in self._boundaries]
        return ExplainedDay(
            game_date=game_date,
            now=now,
            boundaries=tuple(_explained(each) for each in read),
            findings=tuple(findings),
            note=None,
        )

    def _told(self, game_date: date, at: datetime) -> ExplainedDay:
        """From the documents of now, by their times."""
        # As they are now: that moment cannot be read any more, which is why this is told and not read.
        findings = findings_seen.findings_of(self._documents, [game_date.isoformat()], as_of=None)
        return ExplainedDay(
            game_date=game_date,
            now=at,
            boundaries=tuple(
                _explained(_until(self._read(boundary, game_date, None), at)) for boundary in self._boundaries
            ),
            findings=findings_seen.until(findings, at),
            note=told_instead(at),
        )

    def _read(self, boundary: Boundary, game_date: date, as_of: datetime | None) -> _Read:
        """All documents of one boundary; raises ResultError.

        The reports come with the day; decisions and acts are their own collections, which only grow, so that
        what is read a moment later has more and never less.
        """
        key = self._days.key(boundary, game_date)
        day = self._days.read(boundary, game_date, as_of=as_of).unwrap()
        return _Read(
            boundary=boundary,
            day=day,
            decisions=self._below(key, DECISIONS, as_of),
            acts=self._below(key, ACTS, as_of),
        )

    def _below(self, key: DayKey, collection: str, as_of: datetime | None) -> tuple[Document, ...]:
        """All documents of one collection below a date; raises ResultError."""
        return tuple(self._documents.find(f"{key.path}/{collection}", Query(as_of=as_of)).unwrap())


def _until(read: _Read, at: datetime) -> _Read:
    """What was known of one boundary at that moment.

    What was reported is cut in `as_told`, by the times of the reports themselves.
    """
    decisions = tuple(each for each in read.decisions if each.data["evaluated_at"] <= at)
    acts = tuple(each for each in read.acts if each.data["at"] <= at)
    day = as_told(read.day, [each.data for each in decisions], [each.data for each in acts], at)
    return _Read(boundary=read.boundary, day=day, decisions=decisions, acts=acts)


def _explained(read: _Read) -> ExplainedBoundary:
    """Everything that happened at one boundary, in the order of time."""
    events = (*_reported(read.day), *_decided(read.decisions), *_acted(read.acts), *_dispatched(read.day))
    return ExplainedBoundary(boundary=read.boundary, day=read.day, events=tuple(in_order(events)))


def _reported(day: Day) -> Iterator[Event]:
    """What processors reported, each by its standing report."""
    for name, report in day.reports.items():
        what = f"{name} {report.status.value}"
        yield Event(at=report.recorded_at, what=what, source=day.key.below(PROCESSORS, name))


def _decided(decisions: Sequence[Document]) -> Iterator[Event]:
    """What was decided, and each gate that was read with its value and limit."""
    for each in decisions:
        gates = ", ".join(
            f"{name} {gate['value']:g} of {gate['limit']:g}"
            for name, gate in sorted(each.data["gates"].items())
        )
        read = f" ({gates})" if gates else ""
        what = f"decided {each.data['state']}: {each.data['reason']}{read}"
        yield Event(at=each.data["evaluated_at"], what=what, source=each.path)


def _acted(acts: Sequence[Document]) -> Iterator[Event]:
    """What people did by hand."""
    for each in acts:
        what = f"{each.data['act']} by {each.data['who']}: {each.data['why']}"
        yield Event(at=each.data["at"], what=what, source=each.path)


def _dispatched(day: Day) -> Iterator[Event]:
    """That it was dispatched; nothing before."""
    if day.dispatched_at is not None:
        what = f"dispatched as message {day.message_id}, generation {day.generation}"
        yield Event(at=day.dispatched_at, what=what, source=day.key.path)
