"""How one player of a batch ended: one document `completions/{player_lookup}`, as a frozen record."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ..messages import PlayerOutcome

COUNTER: Final[Mapping[PlayerOutcome, str]] = {
    PlayerOutcome.COMPLETED: "completed_count",
    PlayerOutcome.SKIPPED: "skipped_count",
    PlayerOutcome.FAILED: "failed_count",
    PlayerOutcome.TIMED_OUT: "timed_out_count",
}
ARRAY: Final[Mapping[PlayerOutcome, str]] = {
    PlayerOutcome.COMPLETED: "completed_players",
    PlayerOutcome.SKIPPED: "completed_players",
    PlayerOutcome.FAILED: "failed_players",
    PlayerOutcome.TIMED_OUT: "failed_players",
}
"""Which field of the batch counts an outcome, and which one lists its players where there is an array."""

RECOUNTED: Final = "recount"
"""The event of a time-out that stands in for a player who was lost, and is asked for again."""

_DOCUMENT_BYTES: Final = 1_000
"""Of a completion document without its texts: names of the fields, path, numbers and times."""


_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "player_lookup": (str,),
    "predictions_count": (int,),
    "event_id": (str,),
    "reason": (str, type(None)),
    "staging_table": (str, type(None)),
    "staged_rows": (int, type(None)),
    "generation": (int,),
    "completed_at": (datetime, type(None)),
}
"""Of the fields of a completion that something is made of."""


@dataclass(frozen=True, kw_only=True)
class Completion:
    """How one player ended: one document `completions/{player_lookup}`."""

    player_lookup: str
    outcome: PlayerOutcome
    predictions_count: int
    event_id: str
    """The event that wrote it; tells one's own earlier write from a duplicate."""
    reason: str | None = None
    """Why the player was skipped, failed or timed out; None for one who completed."""
    staging_table: str | None = None
    staged_rows: int | None = None
    """Rows of the player in `staging_table`; both are None where nothing was staged."""
    late: bool = False
    """Whether it came after the batch was closed, or after the deadline had spoken for the player."""
    generation: int = 1
    """The closing of the batch that this completion belongs to."""
    completed_at: datetime | None = None
    """Server time; None until written."""

    @classmethod
    def from_document(cls, data: Mapping[str, Any]) -> "Completion":
        """Raises KeyError or ValueError for a document that is no completion."""
        wrong = [
            name
            for name, kinds in _KINDS.items()
            # To Python a bool is a whole number, too.
            if name in data and (not isinstance(data[name], kinds) or isinstance(data[name], bool))
        ]
        if wrong:
            raise ValueError(f"mistyped: {', '.join(f'{name}: {data[name]!r}' for name in wrong)}")
        return cls(
            # Documents of earlier releases lack the later fields.
            player_lookup=data["player_lookup"],
            outcome=PlayerOutcome(data.get("outcome", PlayerOutcome.COMPLETED.value)),
            predictions_count=data.get("predictions_count", 0),
            event_id=data.get("event_id", ""),
            reason=data.get("reason"),
            staging_table=data.get("staging_table"),
            staged_rows=data.get("staged_rows"),
            late=data.get("late", False),
            generation=data.get("generation", 1),
            completed_at=data.get("completed_at"),
        )

    @property
    def is_known_by_name_only(self) -> bool:
        """Whether only the legacy system counted the player: what was predicted, and where, nobody knows."""
        return not self.event_id

    def plain_fields(self) -> dict[str, str | int | bool | None]:
        """The document without its time, which the server gives."""
        return {
            "player_lookup": self.player_lookup,
            "outcome": self.outcome.value,
            "predictions_count": self.predictions_count,
            "reason": self.reason,
            "staging_table": self.staging_table,
            "staged_rows": self.staged_rows,
            "event_id": self.event_id,
            "late": self.late,
            "generation": self.generation,
        }

    def stored_bytes(self) -> int:
        """The size of its document, and of what an array keeps of it: rather a little too much."""
        texts = (self.player_lookup, self.event_id, self.reason, self.staging_table)
        return _DOCUMENT_BYTES + sum(len(text.encode()) for text in texts if text)

    def to_document(self, completed_at: Any) -> dict[str, Any]:
        """`completed_at` is a time, or SERVER_TIME."""
        return {**self.plain_fields(), "completed_at": completed_at}


def array_players(completions: Iterable[Completion]) -> dict[str, list[str]]:
    """Which players go into which array."""
    players: dict[str, list[str]] = {}
    for one in completions:
        players.setdefault(ARRAY[one.outcome], []).append(one.player_lookup)
    return players
