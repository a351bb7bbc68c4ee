"""A process of its own that consolidates: for races, and for a pause that no thread can imitate.

    python -m tests.support.consolidation_process {zombie|racer} PROJECT LEASE_SECONDS

Reads batch ids from stdin, one a line, and consolidates each; prints a JSON line with what came of it. A
zombie says so and waits for another line between its last look at the lock and its merge.
"""

import json
import sys
from datetime import timedelta
from typing import Any

from common.consolidation.receipt import Receipt
from common.result import Result
from common.warehouse.records import Rows
from common.warehouse.warehouse import Warehouse
from tests.support.consolidation_stack import Stack


class PausingBeforeMerge:
    """A warehouse that waits for a line from stdin before it merges."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def __getattr__(self, name: str) -> Any:
        return getattr(self._warehouse, name)

    def execute(self, sql: str, *args: Any, **options: Any) -> Result[Rows]:
        if "MERGE" in sql:
            _say(about_to="merge")
            sys.stdin.readline()
        return self._warehouse.execute(sql, *args, **options)


def _say(**fields: Any) -> None:
    print(json.dumps(fields), flush=True)


def _tell(result: Result[Receipt]) -> None:
    if result.error is not None:
        _say(error=result.error.exception_class)
    else:
        receipt = result.unwrap()
        _say(fence=receipt.fence, rows_inserted=receipt.rows_inserted)


def main(role: str, project: str, lease_seconds: str) -> None:
    stack = Stack(project, lease=timedelta(seconds=float(lease_seconds)))
    warehouse: Any = PausingBeforeMerge(stack.warehouse) if role == "zombie" else stack.warehouse
    consolidator = stack.make_consolidator(warehouse=warehouse)
    _say(ready=True)
    for line in iter(sys.stdin.readline, ""):
        _tell(consolidator.consolidate(line.strip(), 1))


if __name__ == "__main__":
    main(*sys.argv[1:])
