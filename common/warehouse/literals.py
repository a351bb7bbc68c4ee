"""Values as GoogleSQL literals, checked: for scripts, in which the emulator takes no parameters."""

import re
from datetime import UTC, date, datetime


def text(value: str) -> str:
    """A STRING literal; raises ValueError for what is not printable, which no id is."""
    if not value.isprintable():
        raise ValueError(f"{value!r}: not printable")
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def day(value: date) -> str:
    """A DATE literal."""
    return f"DATE '{value.isoformat()}'"


def moment(value: datetime) -> str:
    """A TIMESTAMP literal, to the microsecond and in UTC; `value` is aware."""
    return f"TIMESTAMP '{value.astimezone(UTC).strftime('%Y-%m-%d %H:%M:%S.%f+00:00')}'"


def name(path: str) -> str:
    """The quoted name of a table; raises ValueError for what is none."""
    if not re.fullmatch(r"[A-Za-z0-9_.]+", path):
        raise ValueError(f"{path!r}: no name of a table")
    return f"`{path}`"
