"""Makes the warehouse what `infra/sql` says: looks at what there is, tells the difference, mends it in order.

Applying twice changes nothing: a statement is run only where its object is missing or differs, and each may
run again. Two at once do no harm, for the same reason.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from google.api_core.exceptions import NotFound

from common.sport import DatasetRole, SportNames

from .declared import declared, found, must_be_filtered
from .difference import Change, changes
from .statements import FOLDER, Kind, Statement, read

if TYPE_CHECKING:
    from google.cloud.bigquery import Client, Table
    from google.cloud.bigquery.table import RowIterator

TIMEOUT_SECONDS: Final = 60.0


class MissingDatasets(Exception):
    """The datasets are not there; the message names them. `terraform apply` makes them."""


@dataclass(frozen=True, kw_only=True)
class Warehouse:
    """One project's BigQuery, as far as this needs it."""

    client: "Client"
    is_emulated: bool
    """An emulator knows no search index and keeps some of a table's properties to itself."""

    def tables(self, dataset: str) -> Mapping[str, "Table"]:
        """All tables and views of a dataset by `dataset.table`; raises NotFound for a dataset that is not
        there. One request for each table: a listing does not tell columns.
        """
        self.client.get_dataset(dataset, timeout=TIMEOUT_SECONDS)  # the emulator lists what is not there
        listed = self.client.list_tables(dataset, timeout=TIMEOUT_SECONDS)
        whole = (self.client.get_table(each.reference, timeout=TIMEOUT_SECONDS) for each in listed)
        return {f"{dataset}.{table.table_id}": table for table in whole}

    def indexed(self, dataset: str) -> frozenset[str]:
        """The tables of a dataset that have a search index, as `dataset.table`."""
        asked = f"SELECT DISTINCT table_name FROM `{dataset}`.INFORMATION_SCHEMA.SEARCH_INDEXES"
        return frozenset(f"{dataset}.{row['table_name']}" for row in self.run(asked))

    def run(self, sql: str) -> "RowIterator":
        """Run one statement and wait for its end; raises what the client raises.

        Not repeated by the client as a job: whoever applies again looks first.
        """
        from google.cloud import bigquery

        # The client's own 600 s, and a job that it would run again for 2,400 s, are too long for a person who
        # waits.
        retry = bigquery.DEFAULT_RETRY.with_deadline(TIMEOUT_SECONDS)
        job = self.client.query(sql, retry=retry, timeout=TIMEOUT_SECONDS, job_retry=None)
        return job.result(retry=retry, timeout=TIMEOUT_SECONDS, job_retry=None)


def plan(warehouse: Warehouse, names: SportNames, folder: Path = FOLDER) -> list[Change]:
    """What differs from `folder`, in the order in which it is to be mended; changes nothing.

    Raises MissingDatasets.
    """
    statements = [each for each in read(folder, names) if not _is_beyond(warehouse, each)]
    existing = _existing(warehouse, names)
    # Only datasets that are to have an index: each costs a query.
    datasets = {each.table.partition(".")[0] for each in statements if each.kind is Kind.SEARCH_INDEX}
    indexed = {table for dataset in datasets for table in warehouse.indexed(dataset)}
    return [
        change
        for each in statements
        if each.kind is not Kind.SEARCH_INDEX or each.table not in indexed
        for change in _changes(each, existing.get(each.table), is_emulated=warehouse.is_emulated)
    ]


def _is_beyond(warehouse: Warehouse, statement: Statement) -> bool:
    """The emulator's parser does not know search indexes."""
    return warehouse.is_emulated and statement.kind is Kind.SEARCH_INDEX


def apply(warehouse: Warehouse, planned: Iterable[Change]) -> list[Change]:
    """Mend what can be mended, one after the other; returns what a person has to decide.

    Stops at the first statement that fails, and raises what the client raises; what was done by then stays,
    and applying again goes on there.
    """
    left = []
    for change in planned:
        if change.sql is None:
            left.append(change)
        else:
            warehouse.run(change.sql)
    return left


def _existing(warehouse: Warehouse, names: SportNames) -> Mapping[str, "Table"]:
    """All tables of the sport's datasets; raises MissingDatasets with all that are not there."""
    existing: dict[str, Table] = {}
    missing = []
    for role in DatasetRole:
        try:
            existing |= warehouse.tables(names.dataset(role))
        except NotFound:
            missing.append(names.dataset(role))
    if missing:
        raise MissingDatasets(f"{', '.join(missing)}: not there; run terraform apply first")
    return existing


def _changes(statement: Statement, table: "Table | None", *, is_emulated: bool) -> list[Change]:
    """The differences of one statement's object, by its kind."""
    match statement.kind:
        case Kind.TABLE if table is not None:
            return changes(statement.table, declared(statement), found(table, is_emulated=is_emulated))
        case Kind.TABLE:
            return [Change(what=f"{statement.table}: is made", sql=statement.sql)]
        case Kind.VIEW:
            return _view(statement, table)
        case Kind.SEARCH_INDEX:
            return [Change(what=f"{statement.table}: search index is made", sql=statement.sql)]
        case Kind.OPTIONS:
            return _options(statement, table)


def _view(statement: Statement, table: "Table | None") -> list[Change]:
    """The emulator does not tell what a view asks: there it is always replaced."""
    if table is None:
        return [Change(what=f"{statement.table}: view is made", sql=statement.sql)]
    # As text: BigQuery gives back what was written, without what stands before the AS.
    if table.view_query is not None and statement.sql.endswith(table.view_query.strip()):
        return []
    return [Change(what=f"{statement.table}: view is replaced", sql=statement.sql)]


def _options(statement: Statement, table: "Table | None") -> list[Change]:
    """Of a table that others make: nothing to do where there is none, and no filter without partitions."""
    # Others make it, and may not have made it yet; the next deployment looks again.
    if table is None or (table.time_partitioning is None and table.range_partitioning is None):
        return []
    if must_be_filtered(table):
        return []
    return [Change(what=f"{statement.table}: a partition filter is required", sql=statement.sql)]
