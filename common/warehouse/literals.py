"""Values as GoogleSQL literals, checked.

For scripts alone: the emulator takes no query parameters in them, and one form has to serve both. Queries
take parameters (`parameters.py`).
"""

import re
from datetime import UTC, date, datetime


def text(value: str) -> str:
    r"""A STRING literal in single quotes, `\` and `'` escaped.

    Raises ValueError for text that is not printable: no id is, and a line break would end the literal.
    """
    if not value.isprintable():
        raise ValueError(f"{value!r}: not printable")
    # The backslash first: those that escape a quote must not be escaped again.
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def day(value: date) -> str:
    """A DATE literal. A datetime must not be passed: its ISO text is none of a date's."""
    return f"DATE '{value.isoformat()}'"


def moment(value: datetime) -> str:
    """A TIMESTAMP literal, to the microsecond and in UTC; `value` is aware."""
    return f"TIMESTAMP '{value.astimezone(UTC).strftime('%Y-%m-%d %H:%M:%S.%f+00:00')}'"


def name(path: str) -> str:
    """The quoted name of a table, `dataset.table` or `table`.

    Raises ValueError for anything that could end the quotes.
    """
    # Narrower than BigQuery's own rule, which takes nearly any letter: every name here is one that we give.
    if not re.fullmatch(r"[A-Za-z0-9_.]+", path):
        raise ValueError(f"{path!r}: no name of a table")
    return f"`{path}`"
