"""What the documents of a boundary and a game date say, as frozen records.

`phase{N}_completion/{game_date}` (other sports: `{sport}_phase{N}_completion/…`) is one date at the boundary
behind phase N; below it: `processors/{name}`, `unknown_processors/{name}`, `decisions/{id}`, `acts/{id}`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Self

from ..documents.document import Document
from ..messages import MessageStatus
from ..sport import FIRST
from .decision import Decision, PhaseState

PROCESSORS: Final = "processors"
UNKNOWN: Final = "unknown_processors"
DECISIONS: Final = "decisions"
ACTS: Final = "acts"
"""What people did by hand, in their order."""


@dataclass(frozen=True, kw_only=True)
class DayKey:
    """One game date at one boundary."""

    sport: str
    phase: int
    game_date: date

    @property
    def collection(self) -> str:
        """`phase4_completion`, for other sports with the sport in front."""
        return collection_of(self.sport, self.phase)

    @property
    def path(self) -> str:
        """`{collection}/{date}`."""
        return f"{self.collection}/{self.game_date.isoformat()}"

    def below(self, collection: str, document_id: str) -> str:
        """Path of a document below the date."""
        return f"{self.path}/{collection}/{document_id}"

    def __str__(self) -> str:
        return self.path


def collection_of(sport: str, phase: int) -> str:
    """Of the days at the boundary behind `phase`."""
    return f"phase{phase}_completion" if sport == FIRST.value else f"{sport}_phase{phase}_completion"


@dataclass(frozen=True, kw_only=True)
class Report:
    """How one processor ended: one document `processors/{processor}`."""

    processor: str
    """By the graph's name."""
    processor_name: str
    """As it was published."""
    status: MessageStatus
    execution_id: str
    """Of the processor's run; a retry of the processor has another."""
    event_id: str
    """The event that wrote it; tells one's own earlier write from a duplicate."""
    recorded_at: datetime
    """By the clock of the instance that recorded it; decides whether it is late and in which generation
    it counts."""
    first_recorded_at: datetime
    """Of this processor's first report, whatever its status: the wait is counted from it."""
    sent_at: datetime | None
    """By the publisher; decides between equal statuses."""
    record_count: int | None
    correlation_id: str | None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """What the processor said beside: gates of kind `reported` read it, and the trigger passes some of it
    on."""

    @property
    def is_present(self) -> bool:
        """Whether its data is there; `no_data`, `skipped` and `failed` are not."""
        return self.status in (MessageStatus.SUCCESS, MessageStatus.PARTIAL)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Self:
        """Raises KeyError or ValueError for a document that is no report."""
        known = {name: fields[name] for name in cls.__dataclass_fields__}
        return cls(**{**known, "status": MessageStatus(fields["status"])})

    def to_fields(self) -> dict[str, Any]:
        """The document of the processor."""
        return {**vars(self), "status": self.status.value, "metadata": dict(self.metadata)}


@dataclass(frozen=True, kw_only=True)
class Dispatch:
    """What is published for one generation: kept before it is, so that a resumption sends the same."""

    dispatch_id: str
    generation: int
    reason: str
    decided_at: datetime
    message: Mapping[str, Any]
    """The message in JSON's values."""
    claimed_by: str
    """Made up by the attempt that is publishing it; it has `CLAIM_GRACE` from `claimed_at`."""
    claimed_at: datetime
    present: tuple[str, ...]
    """Processors that were done when it was decided."""

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Self:
        """Raises KeyError for fields that are no dispatch."""
        known = {name: fields[name] for name in cls.__dataclass_fields__}
        return cls(**{**known, "present": tuple(fields["present"])})

    def to_fields(self) -> dict[str, Any]:
        """As the date's document has it, with the whole message."""
        return {**vars(self), "message": dict(self.message), "present": list(self.present)}


@dataclass(frozen=True, kw_only=True)
class ByHand:
    """What a person did, and why."""

    who: str
    why: str
    at: datetime

    def to_fields(self) -> dict[str, Any]:
        """As the date's document has it."""
        return dict(vars(self))


@dataclass(frozen=True, kw_only=True)
class Day:
    """One boundary and date, as of one reading."""

    key: DayKey
    document: Document | None
    """None where nothing was ever written."""
    state: PhaseState
    generation: int
    """Raised by a replay alone; starts at 1."""
    generation_started_at: datetime | None
    """Of a generation behind the first: what was reported before does not count in it."""
    decision: Decision | None
    dispatch: Dispatch | None
    message_id: str | None
    dispatched_at: datetime | None
    by_hand: ByHand | None
    """The last act of a person."""
    stuck_since: datetime | None
    """Since when enough processors are done and a gate keeps it from starting."""
    told: tuple[str, ...]
    """Ids of alerts that went out, of any generation."""
    owed: tuple[str, ...]
    """What is left to do after the dispatch: the row in the log."""
    late: tuple[str, ...]
    """Processors that reported, or reported better, after the dispatch."""
    next_check: datetime | None
    """When the sweep looks at it; None: when an event comes."""
    decisions_kept: int
    """How many there are below it, and so the number of the next; likewise with `acts_kept`."""
    acts_kept: int
    reports: Mapping[str, Report]
    """By processor; of any generation."""

    @property
    def in_generation(self) -> dict[str, Report]:
        """The reports that count."""
        # One clock on both sides: reports and replays are stamped by instances of this suite.
        since = self.generation_started_at
        return {
            name: report
            for name, report in self.reports.items()
            if since is None or report.recorded_at > since
        }

    @classmethod
    def from_documents(
        cls, key: DayKey, document: Document | None, processors: Mapping[str, Document]
    ) -> Self:
        """Raises KeyError or ValueError for documents that make no sense."""
        data = document.data if document else {}
        decision, dispatch, by_hand = (data.get(name) for name in ("decision", "dispatch", "by_hand"))
        return cls(
            key=key,
            document=document,
            # What is absent was never written: by the legacy system, or by a report that came first.
            state=_state(data),
            generation=data.get("generation", 1),
            generation_started_at=data.get("generation_started_at"),
            decision=Decision.from_fields(decision) if decision else None,
            dispatch=Dispatch.from_fields(dispatch) if dispatch else None,
            message_id=data.get("message_id"),
            dispatched_at=data.get("dispatched_at"),
            by_hand=ByHand(**by_hand) if by_hand else None,
            stuck_since=data.get("stuck_since"),
            told=tuple(data.get("told", ())),
            owed=tuple(data.get("owed", ())),
            late=tuple(data.get("late", ())),
            next_check=data.get("next_check"),
            decisions_kept=data.get("decisions_kept", 0),
            acts_kept=data.get("acts_kept", 0),
            reports={name: Report.from_fields(each.data) for name, each in processors.items()},
        )


def _state(data: Mapping[str, Any]) -> PhaseState:
    if "state" in data:
        return PhaseState(data["state"])
    # The legacy system wrote `_triggered`; what it started is not started again.
    return PhaseState.DISPATCHED if data.get("_triggered") else PhaseState.WAITING
