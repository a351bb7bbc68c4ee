"""A document as it was read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Document:
    """A document as it was at `read_time`."""

    path: str
    data: Mapping[str, Any]
    update_time: datetime
    """When it was written last; its version, for the precondition of an `Update`. Firestore keeps it where
    nothing is new: who goes by it lets each commit write the server's time, too."""
    read_time: datetime
    """The server's clock when this was read."""

    @property
    def id(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]
