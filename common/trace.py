"""The W3C trace context that ties the log lines and messages of one chain of events together.

By hand, though the Pub/Sub client brings OpenTelemetry along: importing its propagator alone is some 35 ms, a
twentieth of a cold start, and nothing else that the recorder needs loads it (measured).
"""

import hashlib
import re
from contextvars import ContextVar
from typing import Final

TRACEPARENT: Final = "traceparent"
"""Name of the attribute, and of the HTTP header."""
GOOGLE_TRACEPARENT: Final = "googclient_traceparent"
"""Where the Pub/Sub client's own tracing puts it; it extracts it for pull only (measured)."""

_FORMAT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def current() -> str | None:
    """The traceparent of the event being handled in this context; None outside of one."""
    return _current.get()


def enter(traceparent: str | None, *, event_id: str) -> str:
    """Continue `traceparent`, or start a trace where it is absent or malformed; returns it.

    The trace that is started is made from the event's id, so that every delivery of an event is in one trace.
    To be called once per delivery: threads and tasks of the pool keep what the delivery before has left.
    """
    valid = traceparent if traceparent and _FORMAT.fullmatch(traceparent) else _started_by(event_id)
    _current.set(valid)
    return valid


def trace_id(traceparent: str) -> str:
    """The 32 hexadecimal digits of the trace."""
    return traceparent.split("-")[1]


def span_id(traceparent: str) -> str:
    """The 16 hexadecimal digits of the calling span."""
    return traceparent.split("-")[2]


def _started_by(event_id: str) -> str:
    digest = hashlib.sha256(event_id.encode()).hexdigest()
    return f"00-{digest[:32]}-{digest[32:48]}-01"
