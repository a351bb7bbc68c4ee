"""The tables of the warehouse: whether they are there, what they look like, how they are made and dropped.

All of it is metadata: free of charge and no job, so it counts against no job or DML limit. Every call returns
a `Result` and is repeated by the client for at most `Timeouts.retry_seconds` on faults that may pass; a call
that fails may be made again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from google.api_core.exceptions import Conflict, NotFound
from google.cloud import bigquery

from ..predictions.columns import Column
from .calls import attempted
from .jobs import Timeouts
from .records import TableFacts, TableInfo
from .schema_fields import to_fields, type_of

LISTED_AT_ONCE: Final = 1_000
"""Tables in one answer; the service's own choice is 50, and a dataset may have hundreds."""


def _table(table: str, *_: Any, **__: Any) -> Mapping[str, Any]:
    """What the details of a failure say of a call for one table."""
    return {"table": table}


class WarehouseTables:
    """The tables of one project; safe to share between threads.

    Tables are named `dataset.table`. A table's identity is its creation time: one that was dropped and made
    anew under the same name has another, and other rows.
    """

    def __init__(self, client: bigquery.Client, timeouts: Timeouts) -> None:
        self._client = client
        self._call: dict[str, Any] = {"retry": timeouts.retry, "timeout": timeouts.request_seconds}

    @attempted(_table)
    def row_count(self, table: str) -> int:
        """Rows in the table, from its metadata: free of charge and without a partition filter.

        A table that does not exist is a PERMANENT failure, not 0. Rows that are still streaming do not count.
        """
        return int(self._get_table(table).num_rows)

    @attempted(_table)
    def look(self, table: str) -> TableFacts | None:
        """What its metadata says; a table that does not exist is an answer: None.

        A missing dataset, too: its tables do not exist either.
        """
        try:
            found = self._get_table(table)
        except NotFound:
            return None
        columns = {field.name: type_of(field) for field in found.schema}
        return TableFacts(created=found.created, rows=int(found.num_rows), columns=columns)

    @attempted(_table)
    def table_exists(self, table: str) -> bool:
        """Whether the table exists.

        A dataset that does not exist is a PERMANENT failure (NotFound): a wrong name must not look like a
        clean dataset.
        """
        try:
            self._get_table(table)
        except NotFound:
            # The table's 404 does not say which of the two is missing.
            self._client.get_dataset(table.rpartition(".")[0], **self._call)
            return False
        return True

    @attempted(_table)
    def create_table(
        self, table: str, columns: Sequence[Column], *, expires: datetime | None = None
    ) -> datetime:
        """Create the table unless there is one, which is left as it is; returns when it was created.

        That time is the identity of a table. `expires` is when BigQuery drops it by itself, None for never;
        it is not applied to a table that is there already. Again, and by two at once: the same table and
        time.
        """
        wanted = bigquery.Table(f"{self._client.project}.{table}", schema=to_fields(columns))
        wanted.expires = expires
        try:
            made = self._client.create_table(wanted, **self._call)
        except Conflict:
            # Another worker, or our own earlier call whose answer was lost, has made it: its time counts, not
            # ours.
            made = self._get_table(table)
        created: datetime = made.created
        return created

    @attempted(_table)
    def delete_table(self, table: str) -> bool:
        """Drop the table; False if there was none. Again: False.

        BigQuery has no condition for a drop ("only if created then"): who must not drop a newer table of the
        name looks right before, and lives with what remains of the race.
        """
        try:
            self._client.delete_table(table, **self._call)
        except NotFound:
            # Ours, whose answer was lost, or another's: gone is gone.
            return False
        return True

    @attempted(lambda dataset, prefix: {"dataset": dataset, "prefix": prefix})
    def list_tables(self, dataset: str, prefix: str) -> list[TableInfo]:
        """The tables whose names start with `prefix`, case and all, with their creation times.

        The prefix is matched here, the API has no filter for it: the whole dataset is listed, 1,000 tables a
        request.
        """
        listed = self._client.list_tables(dataset, page_size=LISTED_AT_ONCE, **self._call)
        return [
            TableInfo(name=item.table_id, created=item.created)
            for item in listed
            if item.table_id.startswith(prefix)
        ]

    def _get_table(self, table: str) -> bigquery.Table:
        return self._client.get_table(table, **self._call)
