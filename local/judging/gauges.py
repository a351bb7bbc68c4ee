"""How far a run is, read from the stores while it runs.

Whoever looks may be wrong by a moment: stages are read one after the other, and tables come and go meanwhile.
For bars and for choosing the moment of a death that is enough; a run is judged by what `gathering` reads once
it is over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.batches.records import Batch, BatchStatus
from common.consolidation.merge_sql import Tables
from common.documents.query import Query
from common.entrypoint.dead_letters import COLLECTION as DEAD_LETTERS
from common.result import Result
from common.sport import DatasetRole
from common.staging import table_names as staging_names
from common.warehouse.warehouse import Warehouse

from ..stack.stack import Stack
from .judging_sql import SQL


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Players that have got so far."""

    requested: int = 0
    """Players that the batch was opened for; it is read only when all are asked for."""
    recorded: int = 0
    staged: int = 0
    """Players with rows in a staging table, or in the main table already."""
    consolidated: int = 0
    """Players with rows in the main table."""
    is_finished: bool = False
    """Consolidated and announced: nothing is left to happen but repeats."""
    is_refused: bool = False
    """There is a dead letter."""


class Gauges:
    """Reads one batch; safe to share between threads."""

    def __init__(self, stack: Stack, batch_id: str) -> None:
        """Of that batch alone; nothing is read before it is asked for."""
        self._batches = stack.batches
        self._warehouse = Warehouse(stack.bigquery)
        self._tables = Tables(predictions=stack.sport_names.dataset(DatasetRole.PREDICTIONS))
        self._batch_id = batch_id

    def read(self) -> Result[Reading]:
        """A failure where a table was dropped between its listing and its reading: read again."""
        return self._batches.get(self._batch_id).and_then(self._read)

    def is_half_recorded(self) -> bool:
        """The moment to kill a recorder: some are counted, some are not.

        False where the batch cannot be read.
        """
        found = self._batches.get(self._batch_id)
        return found.is_success and _is_half(found.unwrap().counts.ended, found.unwrap())

    def is_half_staged(self) -> bool:
        """The moment to kill a worker."""
        found = self._batches.get(self._batch_id)
        staged = found.and_then(self._players_staged)
        return staged.is_success and _is_half(staged.unwrap(), found.unwrap())

    def is_consolidating(self) -> bool:
        """The moment to kill the consolidation: it has the lock and has said so."""
        found = self._batches.get(self._batch_id)
        return found.is_success and found.unwrap().status is BatchStatus.CONSOLIDATING

    def _read(self, batch: Batch) -> Result[Reading]:
        """The stages of one batch, as its document was just read; a failure of either table is one of all."""
        staged, consolidated = self._players_staged(batch), self._players_in_main(batch)
        return staged.and_then(
            lambda in_staging: consolidated.map(
                lambda in_main: Reading(
                    requested=batch.expected_players,
                    recorded=batch.counts.ended,
                    # Merged tables are dropped: without this the bar would run back.
                    staged=max(in_staging, in_main),
                    consolidated=in_main,
                    is_finished=_is_finished(batch),
                    is_refused=self._has_dead_letters(),
                )
            )
        )

    def _has_dead_letters(self) -> bool:
        """One read, whatever their number: any of them ends the run's hope to finish by itself."""
        one = Query(limit=1, only=())
        return bool(self._batches.store.documents.find(DEAD_LETTERS, one).unwrap())

    def _players_staged(self, batch: Batch) -> Result[int]:
        """By the tables' names, which tell the batch: a listing and one query, however many workers."""
        prefix = staging_names.batch_prefix(batch.batch_id)
        listed = self._warehouse.list_tables(self._tables.predictions, prefix)
        return listed.and_then(lambda tables: self._players([table.name for table in tables]))

    def _players(self, tables: list[str]) -> Result[int]:
        """Players in any of these tables, each once; no table, no question."""
        if not tables:
            return Result.success(0)
        union = " UNION ALL ".join(
            f"SELECT player_lookup FROM `{self._tables.path(table)}`" for table in tables
        )
        return self._number(SQL.fill("players_staged", rows=union))

    def _players_in_main(self, batch: Batch) -> Result[int]:
        """Of the batch's day: the local day has one batch."""
        sql = SQL.fill("players_in_main", main=f"`{self._tables.main}`")
        return self._number(sql, {"game_date": batch.game_date})

    def _number(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[int]:
        return self._warehouse.query(sql, parameters).map(lambda found: int(found.rows[0]["players"]))


def _is_half(players: int, batch: Batch) -> bool:
    """From half on: a death any later might find nothing left to be lost."""
    return 2 * players >= batch.expected_players


def _is_finished(batch: Batch) -> bool:
    """By generation: a late player may have begun another, which is still to be merged and told."""
    return batch.status is BatchStatus.CONSOLIDATED and batch.phase_generation == batch.generation
