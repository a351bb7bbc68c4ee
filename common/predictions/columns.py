"""What a column is, in words that need no client library."""

from dataclasses import dataclass
from enum import Enum
from math import inf


class Mode(Enum):
    """As BigQuery's schemas spell it."""

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
    scale: int | None = None

    @property
    def is_nullable(self) -> bool:
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
    subject: str
    """What the item's prediction is about on that day: `game_id` of the request."""
    newest_by: str
    """Of several rows of an item and day the one with the greatest counts."""
