"""What the warehouse answers, in words that need no client library."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What a statement or a script brought back. No rows are an empty list."""

    rows: list[dict[str, Any]]
    """Of a script: those of its last SELECT."""
    job_id: str
    bytes_processed: int
    """Bytes that BigQuery read for it; always 0 on the emulator."""
    affected_rows: int | None
    """Rows changed by a single DML statement; None for a query or a script, which do not tell."""
    bytes_billed: int | None = None
    """What BigQuery bills: at least 10 MB for each table. None where its answer does not say."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """Rows that are in the table, all of those given."""

    table: str
    rows: int
    bytes_sent: int
    """Size of the upload, in bytes of newline-delimited JSON."""
    job_id: str
    attached: bool
    """Whether an earlier call had loaded them: this one attached to its job and loaded nothing."""


@dataclass(frozen=True, kw_only=True)
class TableInfo:
    """A table as a listing shows it."""

    name: str
    created: datetime
    """Tells it from a table of the same name that was dropped."""


@dataclass(frozen=True, kw_only=True)
class TableFacts:
    """A table as its metadata shows it."""

    created: datetime
    """Tells it from a table of the same name that was dropped; to the millisecond."""
    rows: int
    """Without rows that are still streaming."""
    columns: Mapping[str, str]
    """Name → type as GoogleSQL spells it, `ARRAY<…>` where repeated."""
