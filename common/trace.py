"""The W3C trace context that ties the log lines and messages of one chain of events together."""

import re
import secrets
from contextvars import ContextVar
from typing import Final

TRACEPARENT: Final = "traceparent"
GOOGLE_TRACEPARENT: Final = "googclient_traceparent"
"""Where the Pub/Sub client's own tracing puts it; it extracts it for pull only (measured)."""

_FORMAT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def current() -> str | None:
    """The traceparent of the event being handled, if there is one."""
    return _current.get()


def enter(traceparent: str | None) -> str:
    """Continue `traceparent`, or start a new trace where it is absent or malformed; returns it."""
    valid = traceparent if traceparent and _FORMAT.fullmatch(traceparent) else _new()
    _current.set(valid)
    return valid


def trace_id(traceparent: str) -> str:
    """The 32 hexadecimal digits of the trace."""
    return traceparent.split("-")[1]


def span_id(traceparent: str) -> str:
    """The 16 hexadecimal digits of the calling span."""
    return traceparent.split("-")[2]


def _new() -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
