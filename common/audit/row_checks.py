"""The main table against the receipts, and against its own rules: one statement each."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Protocol

from ..batches.records import Batch, BatchStatus, Completion
from ..consolidation.merge_sql import Tables
from ..consolidation.receipt import Receipt
from ..findings import Finding, FindingClass, Scope, Severity, operator_command
from ..predictions.table import CHANGED_AT, ITEM, KEY, PARTITION_COLUMN
from ..result import Result, ResultError
from ..sql_blocks import SqlBlocks
from ..warehouse.records import Rows
from .batch_reader import Batches, Seen, Wanted
from .outcomes import Cost, Outcome, Unknown, outcome_of
from .read_each import read_each
from .row_rules import Day, PlayerRows, row_findings
from .rule_sql import broken_rules

RULES: Final = "row_rules"
BIGQUERY: Final = "bigquery"
FIRESTORE: Final = "firestore"
_MAY_GET_ROWS: Final = (BatchStatus.COMPLETE, BatchStatus.PARTIAL, BatchStatus.CONSOLIDATING)
_HAVE_ROWS: Final = (*_MAY_GET_ROWS, BatchStatus.CONSOLIDATED)

SQL: Final = SqlBlocks(Path(__file__).with_name("rows.sql"))


class QueryStore(Protocol):
    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[Rows]: ...


@dataclass(frozen=True, kw_only=True)
class _Consolidated:
    batch: Batch
    receipt: Receipt


def check_rows(warehouse: QueryStore, tables: Tables, batches: Batches, seen: Result[Seen]) -> Outcome:
    """The rows of every day whose batches are all consolidated, against their receipts.

    One statement for all days; it answers with players only for a day that differs, and only then are that
    day's completions read.
    """
    if seen.error is not None:
        return Unknown(store=FIRESTORE, error=seen.error)
    try:
        consolidated = _consolidated(batches, seen.unwrap().batches)
    except ResultError as exc:
        return Unknown(store=FIRESTORE, error=exc.error)
    days = _days(consolidated, seen.unwrap().batches)
    looked_at = _names(days.values()) | seen.unwrap().gone
    cost = Cost(reads=len(consolidated))
    if not days:
        return outcome_of((), looked_at=looked_at, cost=cost)
    asked = _ask(warehouse, tables, days)
    if asked.error is not None:
        return Unknown(store=BIGQUERY, error=asked.error, cost=cost)
    cost += Cost(bytes_processed=asked.unwrap().bytes_processed)
    try:
        judged = _judge(batches, days, consolidated, asked.unwrap().rows)
    except ResultError as exc:
        return Unknown(store=FIRESTORE, error=exc.error, cost=cost)
    looked_at -= _names(judged.moving)
    return outcome_of(judged.findings, looked_at=looked_at, cost=cost + Cost(reads=judged.reads))


def check_row_rules(warehouse: QueryStore, tables: Tables, first_day: date, last_day: date) -> Outcome:
    """The rules that BigQuery cannot enforce, over the rows of these days."""
    asked = warehouse.query(
        rules_statement(tables),
        {"first_day": first_day, "last_day": last_day},
    )
    if asked.error is not None:
        return Unknown(store=BIGQUERY, error=asked.error)
    looked_at = {
        date.fromordinal(each).isoformat() for each in range(first_day.toordinal(), last_day.toordinal() + 1)
    }
    cost = Cost(bytes_processed=asked.unwrap().bytes_processed)
    return outcome_of(map(_broken, asked.unwrap().rows), looked_at=looked_at, cost=cost)


def rules_statement(tables: Tables) -> str:
    """Parameters: first_day, last_day. Columns: game_date, rule, row_count, players."""
    return SQL.fill(
        "row_rules",
        main=f"`{tables.main}`",
        partition=PARTITION_COLUMN,
        item=ITEM,
        broken_rules="\n      ".join(broken_rules()),
    )


def _broken(row: Mapping[str, Any]) -> Finding:
    return Finding(
        finding_class=FindingClass.BROKEN_ROW_RULE,
        severity=Severity.CRITICAL,
        check=RULES,
        scope=Scope.of_date(row["game_date"]),
        subject=row["rule"],
        summary=f"{row['row_count']} rows break the rule: {row['rule']}",
        ids=tuple(sorted(row["players"])),
        look=operator_command("verify", row["game_date"].isoformat()),
        depends_on=frozenset({BIGQUERY}),
    )


def _consolidated(batches: Batches, seen: Sequence[Batch]) -> dict[str, _Consolidated]:
    """Those with a receipt; the system before left none, and what it merged cannot be judged by one."""
    merged = {batch.batch_id: batch for batch in seen if batch.status is BatchStatus.CONSOLIDATED}
    receipts = read_each(list(merged.values()), batches.receipt).unwrap()
    return {
        batch_id: _Consolidated(batch=merged[batch_id], receipt=receipt)
        for batch_id, receipt in receipts.items()
        if receipt is not None
    }


def _days(consolidated: Mapping[str, _Consolidated], seen: Iterable[Batch]) -> dict[date, Day]:
    """The days of which every batch with rows is consolidated: one that is on its way has rows, too."""
    unsettled = {batch.game_date for batch in seen if batch.status in _MAY_GET_ROWS}
    by_day: dict[date, list[_Consolidated]] = defaultdict(list)
    for one in consolidated.values():
        by_day[one.batch.game_date].append(one)
    return {
        game_date: Day(
            game_date=game_date,
            batch_ids=tuple(sorted(one.batch.batch_id for one in those)),
            key_count=sum(one.receipt.total_predictions for one in those),
            consolidated_at=max(one.receipt.consolidated_at for one in those),
        )
        for game_date, those in by_day.items()
        if game_date not in unsettled
    }


def _ask(warehouse: QueryStore, tables: Tables, days: Mapping[date, Day]) -> Result[Rows]:
    statement = SQL.fill(
        "rows_by_player",
        main=f"`{tables.main}`",
        partition=PARTITION_COLUMN,
        item=ITEM,
        keys=", ".join(KEY),
        changed_at=CHANGED_AT,
    )
    wanted = [
        {"game_date": day.game_date, "key_count": day.key_count, "changed_until": day.consolidated_at}
        for day in days.values()
    ]
    return warehouse.query(statement, {"days": wanted, "first_day": min(days), "last_day": max(days)})


@dataclass(frozen=True, kw_only=True)
class _Judged:
    findings: tuple[Finding, ...]
    moving: tuple[Day, ...]
    """Days of which a batch was written since it was read: they are judged by the next run."""
    reads: int


def _judge(
    batches: Batches,
    days: Mapping[date, Day],
    consolidated: Mapping[str, _Consolidated],
    rows: Sequence[Mapping[str, Any]],
) -> _Judged:
    """What differs, day by day; raises ResultError.

    The rows are newer than the batches: a consolidation in between is no defect. So batches are read again.
    """
    by_day: dict[date, list[PlayerRows]] = {row["game_date"]: [] for row in rows}
    for row in rows:
        if row["player_lookup"] is not None:
            by_day[row["game_date"]].append(PlayerRows(**row))
    found: list[Finding] = []
    moving: list[Day] = []
    reads = 0
    for game_date, players in by_day.items():
        day = days[game_date]
        again = batches.seen(Wanted(game_date=game_date, since=game_date)).unwrap()
        reads += again.reads
        if not _is_at_rest(day, consolidated, again):
            moving.append(day)
            continue
        completions: dict[str, Completion] = {}
        for batch_id in day.batch_ids:
            details = batches.details(consolidated[batch_id].batch).unwrap()
            reads += details.reads
            completions |= details.documents
        found += row_findings(day, players, completions)
    return _Judged(findings=tuple(found), moving=tuple(moving), reads=reads)


def _is_at_rest(day: Day, consolidated: Mapping[str, _Consolidated], again: Seen) -> bool:
    """Whether the day's batches are those that were read, unchanged, and no other has got rows."""
    now = {batch.batch_id: batch for batch in again.batches}
    unchanged = all(
        batch_id in now and now[batch_id].update_time == consolidated[batch_id].batch.update_time
        for batch_id in day.batch_ids
    )
    others = [batch for batch_id, batch in now.items() if batch_id not in day.batch_ids]
    return unchanged and not any(batch.status in _HAVE_ROWS for batch in others)


def _names(days: Iterable[Day]) -> set[str]:
    return {name for day in days for name in (*day.batch_ids, day.game_date.isoformat())}
