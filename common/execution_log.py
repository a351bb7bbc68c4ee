"""Rows of `processor_execution_log`: what ran, for which day, with what result.

Written by a single INSERT for each run. Load jobs are limited to 1,500 a day for a table, failed ones
included, and rows that were streamed cannot be changed for 30 to 90 minutes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from .messages import MessageStatus
from .result import ErrorInfo, Result
from .sql_blocks import SqlBlocks
from .warehouse.parameters import Typed
from .warehouse.records import Rows

TABLE: Final = "processor_execution_log"
MAX_STACK_TRACE_CHARS: Final = 10_000
"""The end of a trace is kept: it names the error."""

_BLOCKS: Final = SqlBlocks(Path(__file__).with_suffix(".sql"))


class LogStore(Protocol):
    """What the log needs of the warehouse."""

    def execute(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[Rows]:
        """Run a statement; `affected_rows` tells how many it changed."""


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One run of a processor."""

    execution_id: str
    """Deterministic: the same run never makes two rows."""
    processor_name: str
    phase: int
    """1 to 6, as in the pipeline."""
    game_date: date
    started_at: datetime
    completed_at: datetime
    status: MessageStatus
    record_count: int | None = None
    """What the run stands for, in rows; None where it did not get that far. `rows_inserted` of them are
    new."""
    rows_inserted: int | None = None
    correlation_id: str | None = None
    triggered_by: str = "pubsub"
    """What woke the processor."""
    error: ErrorInfo | None = None
    metadata: Mapping[str, Any] | None = None
    """Anything that JSON can hold, for people; values that it cannot are stored as text."""


class ExecutionLog:
    """Writes the log of one dataset; safe to share between threads."""

    def __init__(self, warehouse: LogStore, dataset: str) -> None:
        self._warehouse = warehouse
        self._path = f"{dataset}.{TABLE}"

    def write(self, execution: Execution) -> Result[bool]:
        """Add the row; False if it is there already.

        The statement inserts only where no row has the id, so a redelivery adds nothing. Two calls at the
        very same time may both add it: two INSERTs do not conflict in BigQuery; readers count by
        `execution_id`. Failures are those of the warehouse.
        """
        values = _parameters(execution)
        sql = _BLOCKS.fill(
            "write",
            table=self._path,
            columns=", ".join(values),
            values=", ".join(_expression(name) for name in values),
        )
        return self._warehouse.execute(sql, values).map(lambda done: done.affected_rows == 1)


def _expression(name: str) -> str:
    return f"PARSE_JSON(@{name})" if name == "metadata" else f"@{name}"


def _parameters(execution: Execution) -> dict[str, Any]:
    error = execution.error
    return {
        "execution_id": execution.execution_id,
        "processor_name": execution.processor_name,
        "phase": execution.phase,
        # Typed wherever it may be None: a NULL does not tell BigQuery of which type it is.
        "correlation_id": Typed("STRING", execution.correlation_id),
        "game_date": execution.game_date,
        "started_at": execution.started_at,
        "completed_at": execution.completed_at,
        "duration_seconds": (execution.completed_at - execution.started_at).total_seconds(),
        "status": execution.status.value,
        "record_count": Typed("INT64", execution.record_count),
        "rows_inserted": Typed("INT64", execution.rows_inserted),
        "triggered_by": execution.triggered_by,
        "error_message": Typed("STRING", error and error.message),
        "error_type": Typed("STRING", error and error.type.value),
        "stack_trace": Typed("STRING", error and (error.stack_trace or "")[-MAX_STACK_TRACE_CHARS:]),
        "metadata": Typed(
            "STRING", json.dumps(execution.metadata, default=str) if execution.metadata else None
        ),
        # Not the clock: a repetition of the same run makes the very same row.
        "created_at": execution.completed_at,
    }
