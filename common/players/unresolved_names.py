"""The queue of `unresolved_player_names`, worked off by people: names of nobody, and names of several."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from ..result import Result
from ..sport import ZONE
from ..warehouse.job_keys import job_key
from . import sql

if TYPE_CHECKING:
    from ..warehouse.records import Rows


class Warehouse(Protocol):
    """What the queue needs of the warehouse."""

    def execute(
        self, sql: str, parameters: Mapping[str, Any] | None = None, *, job_key: str | None = None
    ) -> Result["Rows"]:
        """Run a statement once per key; see `Warehouse.execute` in `common/warehouse`."""


class UnresolvedNames:
    """Queues names for one `source`, the part of the pipeline that met them. One row per source and key."""

    def __init__(
        self, warehouse: Warehouse, *, dataset: str, source: str, now: Callable[[], datetime]
    ) -> None:
        self._warehouse = warehouse
        self._sql = sql.queue(dataset)
        self._source = source
        self._now = now

    def add(self, names: Mapping[str, str], notes: Mapping[str, str]) -> Result["Rows"]:
        """Queue `names`, at least one: key → spelling, in one statement; `notes` by key, for whoever looks.

        The same names on the same (New York) day change nothing the second time, so a redelivery does not
        count. Equal calls in parallel share one job. Only unequal calls that meet a new name at the same time
        can both insert it, for two MERGEs that insert do not conflict: read the queue by source and key.
        Failures are those of the warehouse, and the call may be made again.
        """
        seen_at = self._now()
        seen_on = seen_at.astimezone(ZONE).date()
        parameters = {
            "source": self._source,
            "names": [
                {"normalized_lookup": key, "original_name": name, "notes": notes.get(key, "")}
                for key, name in sorted(names.items())
            ],
            "seen_on": seen_on,
            "seen_at": seen_at,
        }
        key = job_key("unresolved", self._sql, self._source, seen_on.isoformat(), sorted(names))
        return self._warehouse.execute(self._sql, parameters, job_key=key)
