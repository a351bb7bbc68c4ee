"""What a column is, in words that need no client library."""

from dataclasses import dataclass
from enum import Enum
from math import inf


class Mode(Enum):
    """Whether a column may be NULL or hold several values, as BigQuery's schemas spell it."""

    NULLABLE = "NULLABLE"
    REQUIRED = "REQUIRED"
    REPEATED = "REPEATED"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table."""

    name: str
    type: str
    """As GoogleSQL spells it: STRING, INT64, FLOAT64, NUMERIC, BOOL, DATE, TIMESTAMP, JSON."""
    mode: Mode = Mode.NULLABLE
    precision: int | None = None
    """Digits of a NUMERIC in all, and below how many of them stand behind the point; None for other
    types."""
    scale: int | None = None

    @property
    def is_nullable(self) -> bool:
        """Whether NULL may be in it: such a column is compared with IS NOT DISTINCT FROM."""
        return self.mode is Mode.NULLABLE


@dataclass(frozen=True, kw_only=True)
class Within:
    """A number in these limits, both included."""

    minimum: float = -inf
    maximum: float = inf


@dataclass(frozen=True, kw_only=True)
class OneOf:
    """One of these texts."""

    values: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Matches:
    """A text of this form, in the syntax that Python, pydantic and BigQuery share."""

    pattern: str


@dataclass(frozen=True, kw_only=True)
class NotEmpty:
    """A text with a character or more."""


Rule = Within | OneOf | Matches | NotEmpty
"""What a column's values have to be beside their type, and BigQuery cannot enforce. NULL keeps every rule."""


@dataclass(frozen=True, kw_only=True)
class RequestSource:
    """Where what a prediction is asked for can be read again: columns of a table of the analytics, which has
    a row or more per item and day."""

    table: str
    item: str
    day: str
    """The column with the item's day, and above the one with its key."""
    subject: str
    """What the item's prediction is about on that day: `game_id` of the request."""
    newest_by: str
    """Of several rows of an item and day the one with the greatest counts."""
