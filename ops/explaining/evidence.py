"""What happened, in the order of time: one line per fact, each with where it is written."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from rich.table import Table
from rich.text import Text

from ..wording import moment


@dataclass(frozen=True, kw_only=True)
class Event:
    """One fact."""

    at: datetime
    what: str
    source: str
    """The document, table or message that says so."""


def in_order(events: Iterable[Event]) -> list[Event]:
    """By time; of one moment by where they are written, so that the order is always the same."""
    return sorted(events, key=lambda event: (event.at, event.source))


def table(events: Iterable[Event], *, below: str = "") -> Table:
    """The events as a table. What comes from the stores is text, never markup.

    Documents below a path are told without it.
    """
    shown = Table("at (UTC)", "what", "where it is written", box=None, header_style="bold")
    for event in events:
        # On a screen of 80 columns the path of the batch, the same in each line, would be all that is seen.
        source = event.source.removeprefix(f"{below}/")
        shown.add_row(moment(event.at), Text(event.what), Text(source, style="dim"))
    return shown
