"""The main table against the receipts, and against its own rules: one statement each."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Protocol

from ..batches.completion import Completion
from ..batches.records import Batch, BatchStatus
from ..consolidation.merge_sql import Tables
from ..consolidation.receipt import Receipt
from ..findings import Finding
from ..parallel import for_each
from ..predictions.table import CHANGED_AT, ITEM, KEY, PARTITION_COLUMN
from ..result import Result, returns_result
from ..sql_blocks import SqlBlocks
from ..warehouse.records import Rows
from .batches_seen import Batches, Seen, Wanted
from .in_turn import Turn, Walked, concluded, walk
from .outcomes import Cost, Outcome, Unknown
from .row_rules import CHECK, Day, PlayerRows, row_findings
from .stores import BIGQUERY, FIRESTORE

DETAILS_AT_ONCE: Final = 4
"""Of one day; as many days as batches elsewhere are judged at a time."""
MAY_GET_ROWS: Final = (BatchStatus.COMPLETE, BatchStatus.PARTIAL, BatchStatus.CONSOLIDATING)
"""Statuses in which rows may be written at any moment: such a day is not judged."""
_HAVE_ROWS: Final = (*MAY_GET_ROWS, BatchStatus.CONSOLIDATED)

_NO_ROWS: Final = Rows(rows=[], job_id="", bytes_processed=0, affected_rows=None)
"""The answer where there is nothing to ask; costs nothing."""

SQL: Final = SqlBlocks(Path(__file__).with_name("rows.sql"))


class QueryStore(Protocol):
    """What the checks need of the warehouse."""

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[Rows]:
        """Rows of a SELECT, typed parameters in it."""


@dataclass(frozen=True, kw_only=True)
class _Judged:
    """What differs on one day."""

    day: Day
    findings: tuple[Finding, ...] = ()
    is_moving: bool = False
    """A batch was written since it was read: the day is judged by the next run."""
    reads: int = 0
    """Documents, as Firestore bills them."""


def check_rows(
    warehouse: QueryStore, tables: Tables, *, batches: Batches, seen: Result[Seen], turn: Turn
) -> Outcome:
    """The rows of every day whose batches are all consolidated, against their receipts.

    One statement for all days; it answers with players only for a day that differs, and only then are that
    day's completions read. Reading receipts may take half of the time: else those days would never be judged.

    Two batches of a day that share keys promise more keys than there are. Such a day differs at every run,
    and is judged well again at a read per completion: for two batches of 450 players and three days 65,000
    reads, four cents. Remembering what was proven would have to forget it with every write of two stores.
    """
    if seen.error is not None:
        return Unknown(store=FIRESTORE, error=seen.error)
    known = seen.unwrap()
    merged = [batch for batch in known.batches if batch.status is BatchStatus.CONSOLIDATED]
    # Half of the time: days are judged by what was read of them, and a run that only reads would judge none.
    receipts = walk(merged, batches.receipt, turn.part(0.5))
    days = _days(merged, receipts.found, known.batches)
    # Told also where the warehouse does not answer: it was spent.
    cost = Cost(reads=len(receipts.found))
    asked = _ask(warehouse, tables, days)
    if asked.error is not None:
        return Unknown(store=BIGQUERY, error=asked.error, cost=cost)
    rows = _by_day(asked.unwrap().rows)
    # A day is walked to by the first of its batches: walks go from batch to batch.
    leaders = {days[game_date].batch_ids[0]: game_date for game_date in rows}
    of_batch = {batch.batch_id: batch for batch in merged}
    judged = walk(
        [of_batch[leader] for leader in leaders],
        lambda leader: _judge(batches, days[leader.game_date], of_batch, rows[leader.game_date]),
        turn,
    )
    # The statement answers for days that differ alone: whatever it was asked about and does not mention is
    # well.
    alike = [day for game_date, day in days.items() if game_date not in rows]
    told = [each for each in judged.found.values() if not each.is_moving]
    walked = Walked[Any](
        errors=receipts.errors | judged.errors,
        left=receipts.left + judged.left,
        after=judged.after if judged.left else receipts.after,
    )
    return concluded(
        CHECK,
        walked,
        [finding for each in told for finding in each.findings],
        known.batches,
        also=_names([*alike, *(each.day for each in told)]) | known.gone,
        cost=cost
        + Cost(
            reads=sum(each.reads for each in judged.found.values()),
            bytes_processed=asked.unwrap().bytes_processed,
        ),
    )


def _days(
    merged: Sequence[Batch], receipts: Mapping[str, Receipt | None], seen: Iterable[Batch]
) -> dict[date, Day]:
    """The days of which every batch with rows is consolidated, and has a receipt that was read.

    One that is on its way has rows, too. The legacy system left no receipts, and what it merged cannot be
    judged by one.
    """
    left_out = {batch.game_date for batch in seen if batch.status in MAY_GET_ROWS}
    left_out |= {batch.game_date for batch in merged if batch.batch_id not in receipts}
    by_day: dict[date, dict[str, Receipt]] = defaultdict(dict)
    for batch in merged:
        receipt = receipts.get(batch.batch_id)
        if receipt is not None:
            by_day[batch.game_date][batch.batch_id] = receipt
    return {
        game_date: Day(
            game_date=game_date,
            batch_ids=tuple(sorted(those)),
            key_count=sum(receipt.total_predictions for receipt in those.values()),
            consolidated_at=max(receipt.consolidated_at for receipt in those.values()),
        )
        for game_date, those in by_day.items()
        if game_date not in left_out
    }


def _ask(warehouse: QueryStore, tables: Tables, days: Mapping[date, Day]) -> Result[Rows]:
    """The players of the days that differ, as one statement; no day, no question.

    Failures: as of `QueryStore.query`.
    """
    if not days:
        return Result.success(_NO_ROWS)
    statement = SQL.fill(
        "rows_by_player",
        main=tables.rows,
        partition=PARTITION_COLUMN,
        item=ITEM,
        keys=", ".join(KEY),
        changed_at=CHANGED_AT,
    )
    wanted = [
        # `first_day` and `last_day` prune partitions: BigQuery does so by constants and parameters, not by a
        # joined array.
        {"game_date": day.game_date, "key_count": day.key_count, "changed_until": day.consolidated_at}
        for day in days.values()
    ]
    return warehouse.query(statement, {"days": wanted, "first_day": min(days), "last_day": max(days)})


def _by_day(rows: Sequence[Mapping[str, Any]]) -> dict[date, list[PlayerRows]]:
    """The days that differ; one that has no rows at all is among them."""
    by_day: dict[date, list[PlayerRows]] = {row["game_date"]: [] for row in rows}
    for row in rows:
        # A day without a single row comes as one row without a player.
        if row["player_lookup"] is not None:
            by_day[row["game_date"]].append(PlayerRows(**row))
    return by_day


@returns_result
def _judge(
    batches: Batches, day: Day, consolidated: Mapping[str, Batch], rows: Sequence[PlayerRows]
) -> _Judged:
    """What differs on one day.

    The rows are newer than the batches: a consolidation in between is no defect. So batches are read again.
    """
    again = batches.seen(Wanted(game_date=day.game_date, since=day.game_date)).unwrap()
    if not _is_at_rest(day, consolidated, again):
        return _Judged(day=day, is_moving=True, reads=again.reads)
    details = for_each(
        day.batch_ids, lambda batch_id: batches.details(consolidated[batch_id]), at_once=DETAILS_AT_ONCE
    ).unwrap()
    completions: dict[str, Completion] = {}
    expected: set[str] = set()
    for each in details.values():
        completions |= each.documents
        expected |= each.expected or set()
    reads = again.reads + sum(each.reads for each in details.values())
    return _Judged(day=day, findings=tuple(row_findings(day, rows, completions, expected)), reads=reads)


def _is_at_rest(day: Day, consolidated: Mapping[str, Batch], again: Seen) -> bool:
    """Whether the day's batches are those that were read, unchanged, and no other has got rows."""
    now = {batch.batch_id: batch for batch in again.batches}
    unchanged = all(
        batch_id in now and now[batch_id].update_time == consolidated[batch_id].update_time
        for batch_id in day.batch_ids
    )
    # A batch that was opened or brought back since shares the partition: its rows would look like ghosts.
    others = [batch for batch_id, batch in now.items() if batch_id not in day.batch_ids]
    return unchanged and not any(batch.status in _HAVE_ROWS for batch in others)


def _names(days: Iterable[Day]) -> frozenset[str]:
    """Every scope that a finding about these days may have: a batch where the day has one, else the date."""
    return frozenset(name for day in days for name in (*day.batch_ids, day.game_date.isoformat()))
