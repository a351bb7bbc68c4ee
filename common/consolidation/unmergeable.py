"""Whose staged rows cannot be merged as they were claimed: the players to ask for again. Reads only.

A table that stood too long is gone with its rows; a worker that claimed other rows than it wrote is refused.
Neither is mended by trying again, and neither by the rows of others.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from ..result import Result, returns_result
from ..warehouse.records import Rows
from . import merge_sql
from .answers import unmet_players
from .fenced_merge import LookStore, look_at
from .gathering import runs
from .merge_sql import Answer, Tables
from .staged_rows import StagedBatch


class StagedStore(LookStore, Protocol):
    """What is needed of the warehouse."""

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[Rows]:
        """Rows of a SELECT."""


@returns_result
def unmergeable_players(warehouse: StagedStore, tables: Tables, staged: StagedBatch) -> tuple[str, ...]:
    """Players whose staging table is gone, or holds other rows of theirs than they claimed: sorted.

    One request per table for its metadata, and one query per 500 tables; nothing where nothing is staged.
    Rows of another day, and columns that differ, are no reason to ask again: the same worker would write them
    again. Failures are the warehouse's.
    """
    # Legacy tables are not asked: nobody has claimed a number of rows in them.
    names = sorted({one.table for one in staged.staged})
    facts = look_at(warehouse, tables, names).unwrap()
    # A table that is gone would fail the query for all the others.
    present = [part for part in staged.slices if facts.get(part.table) is not None]
    answers = [
        Answer(**row)
        for run in (runs(present) if present else [])
        for row in warehouse.query(merge_sql.staged_answers(tables, run)).unwrap().rows
    ]
    return unmet_players(staged, answers)
