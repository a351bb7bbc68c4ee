"""Tables of infra/sql in an emulated warehouse."""

from typing import Any

from google.cloud import bigquery

from common.warehouse.warehouse import Warehouse

_KEPT = ("schema", "timePartitioning", "clustering", "requirePartitionFilter", "description", "labels")
_described: dict[str, dict[str, Any]] = {}


def declare(client: bigquery.Client, table: str, statement: str) -> None:
    """Make `table` (DATASET.NAME), which is not there yet, as its statement says.

    The emulator needs a third of a second to read a statement, so that is done once in a process: the next
    project's table is made like the first one's, from what the emulator tells of it.
    """
    if statement not in _described:
        Warehouse(client).execute(statement).unwrap()
        _described[statement] = client.get_table(table).to_api_repr()
        return
    first = _described[statement]
    kept = {key: first[key] for key in _KEPT if key in first}
    reference = {**first["tableReference"], "projectId": client.project}
    client.create_table(bigquery.Table.from_api_repr({**kept, "tableReference": reference}))
