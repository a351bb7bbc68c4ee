"""Whose staged rows cannot be merged as they were claimed: the players to ask for again. Reads only.

A table that stood too long is gone with its rows; a worker that claimed other rows than it wrote is refused.
Neither is mended by trying again, and neither by the rows of others.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..parallel import for_each
from ..result import Result, returns_result
from ..warehouse.records import Rows, TableFacts
from . import merge_sql
from .fenced_merge import LOOKS_AT_ONCE
from .gathering import runs
from .merge_sql import Answer, Tables
from .staged_rows import StagedBatch


class StagedStore(Protocol):
    """What is needed of the warehouse."""

    def look(self, table: str) -> Result[TableFacts | None]:
        """None for a table that is not there."""

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[Rows]:
        """Rows of a SELECT."""


@returns_result
def unmergeable_players(warehouse: StagedStore, tables: Tables, staged: StagedBatch) -> tuple[str, ...]:
    """Players whose staging table is gone, or holds other rows of theirs than they claimed: sorted.

    One request per table for its metadata, and one query per 500 tables; nothing where nothing is staged.
    Rows of another day, and columns that differ, are no reason to ask again: the same worker would write them
    again. Failures are the warehouse's.
    """
    names = sorted({one.table for one in staged.staged})
    facts = for_each(names, lambda name: warehouse.look(tables.path(name)), at_once=LOOKS_AT_ONCE).unwrap()
    present = [part for part in staged.slices if facts.get(part.table) is not None]
    answers = [
        Answer(**row)
        for run in (runs(present) if present else [])
        for row in warehouse.query(merge_sql.staged_answers(tables, run)).unwrap().rows
    ]
    return _unmet(staged, answers)


def _unmet(staged: StagedBatch, answers: Sequence[Answer]) -> tuple[str, ...]:
    """Whose claim is met neither by all of their rows in the table nor by those of one answer."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for one in answers:
        found[one.staging_table, one.player_lookup].append(one.found_rows)
    unmet = {
        claim.player
        for claim in staged.staged
        if claim.rows not in (sum(found[claim.table, claim.player]), *found[claim.table, claim.player])
    }
    return tuple(sorted(unmet))
