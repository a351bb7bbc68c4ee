"""The status page: one self-contained HTML file, everything in it escaped, readable without a script."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..findings import operator_command
from .chart import HEIGHT, WIDTH, chart
from .records import Status

TEMPLATE: Final = "status.html.j2"
IDS_SHOWN: Final = 12
"""Ids of one finding, and below findings of one page; the page tells how many it leaves out."""
FINDINGS_SHOWN: Final = 100
"""The worst come first; the rest is counted."""


def render(
    status: Status,
    *,
    link: Callable[[str], str] | None = None,
    here: Callable[[str], str] = lambda command: command,
) -> str:
    """The status as one HTML file that fetches nothing. Pure: the same status gives the same bytes.

    Times are told in UTC and as spans up to the page's own time.

    `link` gives the address of the explanation of a batch or a date. Where none is served, as of a page in a
    bucket, each row has the command that explains it. `here` makes a command one about this system.
    """
    return (
        _environment()
        .get_template(TEMPLATE)
        .render(
            status=status,
            # Drawn here: a page without a script cannot draw.
            charts={batch.batch_id: chart(batch, status.at) for batch in status.batches},
            width=WIDTH,
            height=HEIGHT,
            findings=status.findings[:FINDINGS_SHOWN],
            hidden=max(0, len(status.findings) - FINDINGS_SHOWN),
            ids_shown=IDS_SHOWN,
            link=link,
            command=lambda *words: here(operator_command(*words)),
            here=here,
        )
    )


def _environment() -> Environment:
    """Jinja2 with autoescape (ids and reasons come from messages of others), and an error for a name that is
    missing in place of an empty text.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        # A field that was renamed fails the page's test in place of an empty cell.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {"clock": clock, "span": span}
    environment.filters.update(filters)
    return environment


def clock(moment: datetime) -> str:
    """`06:30 UTC`."""
    return f"{moment:%H:%M} UTC"


def span(length: timedelta) -> str:
    """`3 min`, `2 h 5 min`, `4 d 2 h`."""
    minutes = max(0, int(length.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    hours, days = minutes // 60, minutes // 1440
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{days} d {hours % 24} h"
