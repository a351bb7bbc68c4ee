"""What a column is, in words that need no client library."""

from dataclasses import dataclass
from enum import Enum


class Mode(Enum):
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
