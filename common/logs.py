"""Structured logs: one JSON object per line, as Cloud Logging reads them.

A line has a sentence for people (`message`), `action=` and ids for machines, and the trace, batch and event
ids of the event being handled, which `enter` and `bind` put on every line that follows in the same context.
"""

import json
import logging
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

import structlog
from structlog.typing import EventDict, WrappedLogger

from . import trace

_ids: ContextVar[Mapping[str, Any]] = ContextVar("ids", default=MappingProxyType({}))
"""One variable for all ids: structlog's own walk through every variable of the context for each line."""


def configure(project: str, *, function: str, environment: str, level: int = logging.INFO) -> None:
    """Set up structlog for this process. Calling it again replaces the configuration.

    `environment` is on every line, and a label of it: an alert tells by it whether anybody need get up. The
    trace is written by us: the framework labels lines with its execution id only, and ignores `traceparent`
    (measured). Lines below `level` are not even built.
    """

    # The labels stand beside fields of the same name: log-based metrics and alert policies filter by labels.
    origin = {
        "function": function,
        "environment": environment,
        "logging.googleapis.com/labels": {"function": function, "environment": environment},
    }

    def line(_: WrappedLogger, method: str, event: EventDict) -> EventDict:
        message = event.pop("event")
        # structlog's method names, upper case, are Cloud Logging's severities; `exception` is the exception.
        severity = "ERROR" if method == "exception" else method.upper()
        told = {"message": message, "severity": severity, "timestamp": _now()}
        return {**_ids.get(), **event, **told, **origin, **_trace(project)}

    structlog.configure(
        processors=[line, structlog.processors.format_exc_info, _rendered],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        # A logger is bound once, not for every line.
        cache_logger_on_first_use=True,
    )


def enter(**ids: Any) -> None:
    """Another event begins: `ids` are on every following line of this context (its threads and tasks).

    What was bound before is gone: a pooled thread would still have the ids of the event before this.
    """
    _ids.set(ids)


def bind(**ids: Any) -> None:
    """Put `ids`, too, on every following line of this context."""
    _ids.set({**_ids.get(), **ids})


def bound() -> Mapping[str, Any]:
    """What is put on every line of this context."""
    return _ids.get()


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _trace(project: str) -> dict[str, str]:
    """The trace as Cloud Logging reads it; nothing outside of an event."""
    traceparent = trace.current()
    if traceparent is None:
        return {}
    _, trace_id, span_id, _ = traceparent.split("-")
    return {
        "logging.googleapis.com/trace": f"projects/{project}/traces/{trace_id}",
        "logging.googleapis.com/spanId": span_id,
    }


# `str` for dates, enums and exceptions: a log line must never fail the event that it tells of.
_encoder: Final = json.JSONEncoder(default=str)


def _rendered(_: WrappedLogger, __: str, event: EventDict) -> str:
    return _encoder.encode(event)
