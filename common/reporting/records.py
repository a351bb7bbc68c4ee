"""What the status page says, as frozen records."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from ..batches.expected_end import ExpectedEnd


class Verdict(Enum):
    """In one word how it stands."""

    WELL = "well"
    SICK = "sick"
    UNKNOWN = "unknown"
    """Nobody has looked, or could not."""


@dataclass(frozen=True, kw_only=True)
class PhaseLine:
    """One boundary on the page."""

    boundary: str
    state: str
    waits_since: datetime | None
    """Since when the boundary is not where it should be; None where it is."""
    reason: str


@dataclass(frozen=True, kw_only=True)
class BatchLine:
    """One batch on the page."""

    batch_id: str
    status: str
    ended: int
    """Players who are terminal, of `expected`."""
    expected: int
    started_at: datetime | None
    deadline: datetime | None
    completed_at: Sequence[datetime]
    """When each player was done, ascending: a time per completion document."""
    expected_end: ExpectedEnd | None
    """None for a batch that is over, or where nothing can be guessed yet."""
    wrong: str = ""
    """What its document alone tells, audited or not; "" where it is well."""


@dataclass(frozen=True, kw_only=True)
class FindingLine:
    """One open finding on the page; `command` is ready to paste."""

    finding_class: str
    severity: str
    scope: str
    is_explained: bool
    """Whether the scope is a batch or a date, which `explain` takes."""
    summary: str
    ids: Sequence[str]
    first_seen: datetime
    command: str
    is_silenced: bool


@dataclass(frozen=True, kw_only=True)
class StripDay:
    """One of the last days, by its worst audit."""

    day: date
    verdict: Verdict
    audits: int
    findings: int
    """Of the audit with the most."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """All that the page says, gathered at one time."""

    at: datetime
    sport: str
    game_date: date
    audited_at: datetime | None
    verdict: Verdict
    phases: tuple[PhaseLine, ...]
    batches: tuple[BatchLine, ...]
    findings: tuple[FindingLine, ...]
    strip: tuple[StripDay, ...]
    blind: tuple[str, ...]
    """What could not be read, a sentence each: an empty list would look as if all were well."""
