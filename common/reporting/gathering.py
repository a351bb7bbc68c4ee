"""Reads what the status page says. What cannot be read is said to be unknown, and never shown as empty.

Every read is bounded: one day of phases, a few days of batches, the unsettled findings, 30 days of audits.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

from ..audit.batch_rules import document_findings
from ..audit.batches_seen import Seen, Wanted
from ..audit.pace import PAST_DAYS, Past, end_of, past_of
from ..batches.records import Batch, BatchStatus
from ..findings import ScopeKind, Tracked
from ..phases.records import Day
from ..phases.shape import Boundary
from ..result import Result
from .records import BatchLine, FindingLine, PhaseLine, Status, StripDay, Verdict

STRIP_DAYS: Final = 30
"""Days that the strip shows, one square each."""
MAX_AUDITS: Final = 1_000
"""Audits that are read: one an hour makes 720 in 30 days; those asked for by hand come on top."""
AUDIT_IS_OLD: Final = timedelta(minutes=90)
"""Older than this the newest audit says nothing of now: one of the hourly runs is missing."""

T = TypeVar("T")


class Batches(Protocol):
    """Batches as the page needs them; `BatchReader` in production."""

    def seen(self, wanted: Wanted) -> Result[Seen]:
        """Which batches there are."""

    def times(self, batch: Batch) -> Result[tuple[datetime | None, list[datetime]]]:
        """When it was opened, and when each of its players was done."""
        ...


class Findings(Protocol):
    """Findings that are not resolved, by id."""

    def unsettled(self) -> Result[dict[str, Tracked]]:
        """Open ones, and those whose end nobody was told of yet."""


class Audits(Protocol):
    """Audit documents, the newest first."""

    def since(self, since: datetime | None, *, limit: int) -> Result[list[Mapping[str, Any]]]:
        """Documents of audits, the newest first."""


class Days(Protocol):
    """What each boundary says of a day, in the order asked for."""

    def read_many(self, wanted: Sequence[tuple[Boundary, date]]) -> Result[list[Day]]:
        """What each boundary says of a date, in the order asked for."""


@dataclass(frozen=True, kw_only=True)
class Gathering:
    """Gathers a status; every call reads anew, keeps nothing and writes nothing."""

    sport: str
    batches: Batches
    findings: Findings
    audits: Audits
    days: Days
    boundaries: Sequence[Boundary]
    now: Callable[[], datetime]
    today: Callable[[], date]

    def status(self) -> Status:
        """Never fails: what a store does not answer is among the blind."""
        now, today, blind = self.now(), self.today(), _Blind()
        # One read serves the strip, the verdict and the time of the last audit.
        recent = self.audits.since(now - timedelta(days=STRIP_DAYS), limit=MAX_AUDITS)
        audits = blind.data("audits", recent, [])
        tracked = blind.data("findings", self.findings.unsettled(), {})
        phases, batches = list(self._phases(today, blind)), self._batches(today, now, blind)
        # Seen since the audit: a page must not say "well" beside a line that says otherwise.
        is_wrong = any(batch.wrong for batch in batches) or any(each.is_open for each in tracked.values())
        return Status(
            at=now,
            sport=self.sport,
            game_date=today,
            audited_at=audits[0]["started_at"] if audits else None,
            phases=tuple(phases),
            batches=tuple(batches),
            findings=tuple(_findings(tracked.values(), now)),
            strip=strip(audits, now.date()),
            verdict=verdict(audits, now, is_blind=bool(blind.sentences), is_wrong=is_wrong),
            blind=tuple(blind.sentences),
        )

    def _phases(self, today: date, blind: "_Blind") -> Iterable[PhaseLine]:
        wanted = [(boundary, today) for boundary in self.boundaries]
        days = blind.data("phases", self.days.read_many(wanted), [])
        # Not strict: days that could not be read are an empty list, and the page says so.
        for (boundary, _), day in zip(wanted, days, strict=False):
            yield PhaseLine(
                boundary=boundary.name,
                state=day.state.value,
                waits_since=day.stuck_since,
                reason=day.decision.reason if day.decision else "nothing was decided so far",
            )

    def _batches(self, today: date, now: datetime, blind: "_Blind") -> list[BatchLine]:
        """Batches of today and open ones of any recent day; a batch that could not be read is among the
        blind.
        """
        wanted = Wanted(since=today - timedelta(days=PAST_DAYS))
        asked = self.batches.seen(wanted)
        seen: Sequence[Batch] = () if asked.is_failure else asked.unwrap().batches
        if asked.is_failure:
            blind.sentences.append(_sentence("batches", asked))
        shown = [batch for batch in seen if batch.game_date >= today or batch.status is BatchStatus.OPEN]
        # Read only where an end is to be expected: a read per completion of each past batch.
        running = {batch.game_date for batch in shown if batch.status is BatchStatus.OPEN}
        past = {each: past_of(self.batches, each) for each in running}
        return [self._line(batch, past.get(batch.game_date, Past()), now, blind) for batch in shown]

    def _line(self, batch: Batch, past: Past, now: datetime, blind: "_Blind") -> BatchLine:
        """One batch with its times; its expected end is guessed only while it is open."""
        started_at, times = blind.data(f"batch {batch.batch_id}", self.batches.times(batch), (None, []))
        return BatchLine(
            batch_id=batch.batch_id,
            status=batch.status.value,
            ended=batch.counts.ended,
            expected=batch.expected_players,
            started_at=started_at,
            deadline=batch.deadline,
            completed_at=times,
            expected_end=end_of(batch, started_at, times, now=now, past=past),
            wrong="; ".join(finding.summary for finding in document_findings(batch)),
        )


class _Blind:
    """Collects what could not be read, a sentence each, while the rest of the page is gathered."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def data(self, what: str, asked: Result[T], otherwise: T) -> T:
        """What was asked for; `otherwise`, and a sentence more, where it could not be read.

        A partial answer is shown.
        """
        if asked.data is None:
            self.sentences.append(_sentence(what, asked))
            return otherwise
        return asked.data


def _sentence(what: str, asked: Result[Any]) -> str:
    """What could not be read, with the store's own reason."""
    error = asked.error
    return f"{what} ({error.exception_class}: {error.message[:200]})" if error else what


def _findings(tracked: Iterable[Tracked], now: datetime) -> list[FindingLine]:
    """The open ones, the worst and oldest first."""
    opened = [each for each in tracked if each.is_open]
    opened.sort(key=lambda each: (-each.finding.severity.rank, each.first_seen, each.finding_id))
    return [
        FindingLine(
            finding_class=each.finding.finding_class.value,
            severity=each.finding.severity.value,
            scope=each.finding.scope.name,
            is_explained=each.finding.scope.kind is not ScopeKind.SYSTEM,
            summary=each.finding.summary,
            ids=each.finding.ids,
            first_seen=each.first_seen,
            command=each.finding.command,
            # Shown, too: silence keeps a finding from being told, not from being seen.
            is_silenced=each.silence is not None and each.silence.holds(now),
        )
        for each in opened
    ]


def verdict(
    audits: Sequence[Mapping[str, Any]], now: datetime, *, is_blind: bool, is_wrong: bool = False
) -> Verdict:
    """Well, sick or unknown, by the newest audit; sick, too, if something is seen to be wrong since.

    An audit that is too old, or could not look everywhere, is no "well"; nor is anything if a store did not
    answer just now.
    """
    if is_blind or not audits or now - audits[0]["started_at"] > AUDIT_IS_OLD:
        return Verdict.UNKNOWN
    return Verdict.SICK if is_wrong else _of(audits[0])


def strip(audits: Sequence[Mapping[str, Any]], today: date) -> tuple[StripDay, ...]:
    """The last 30 days, the oldest first; a day without an audit is unknown."""
    days = [today - timedelta(days=back) for back in range(STRIP_DAYS - 1, -1, -1)]
    by_day: dict[date, list[Mapping[str, Any]]] = {day: [] for day in days}
    for each in audits:
        # One from before the first square goes nowhere.
        by_day.get(each["started_at"].date(), []).append(each)
    return tuple(
        StripDay(
            day=day,
            verdict=_worst(those),
            audits=len(those),
            findings=max((each["finding_count"] for each in those), default=0),
        )
        for day, those in by_day.items()
    )


def _worst(audits: Sequence[Mapping[str, Any]]) -> Verdict:
    """The day's verdict: sick if any audit found something; else unknown if any could not look, or there was
    none.
    """
    # No audit of a day is no proof that it was well.
    verdicts = {_of(each) for each in audits} or {Verdict.UNKNOWN}
    return next(each for each in (Verdict.SICK, Verdict.UNKNOWN, Verdict.WELL) if each in verdicts)


def _of(audit: Mapping[str, Any]) -> Verdict:
    """The verdict of one audit."""
    # Asked first: a run that found something and could not look everywhere is sick, not unknown.
    if audit["finding_count"]:
        return Verdict.SICK
    return Verdict.WELL if audit["is_ok"] else Verdict.UNKNOWN
