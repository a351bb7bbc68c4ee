"""Whether the data that the next phase needs is there: asked by one query per boundary, however many gates.

    Gate -> Result[Open | Closed(reason, value, limit, next_check)]

A gate that could not be evaluated is a TRANSIENT failure, whatever went wrong: neither open nor closed.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from ..result import ErrorInfo, Result, ResultError, returns_result
from ..sport import DatasetRole
from ..sql_blocks import SqlBlocks
from ..texts import counted
from ..warehouse.records import Rows
from .decision import Closed, GateReading, Open
from .records import Day
from .shape import Boundary, Coverage, GateRule, Reported, RowCounts, Table

Numbers = Mapping[str, int]

_SQL: Final = SqlBlocks(Path(__file__).with_name("gates.sql"))
_UNION: Final = "\nUNION ALL\n"


class Warehouse(Protocol):
    """Its queries are bounded in bytes: `maximum_bytes_billed` is its own setting."""

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Result[Rows]:
        """Rows of a SELECT, typed parameters in it."""


class Gates:
    """The gates of one sport; safe to share between threads. `dataset` names the dataset of a role."""

    def __init__(self, warehouse: Callable[[], Warehouse], dataset: Callable[[DatasetRole], str]) -> None:
        self._warehouse = warehouse
        self._dataset = dataset

    @returns_result
    def evaluate(
        self, boundary: Boundary, rules: Sequence[GateRule], day: Day, now: datetime
    ) -> tuple[GateReading, ...]:
        """A reading of every gate, in the graph's order: open, or closed with its reason and the next check.

        What processors reported is looked at first: if that is not enough, the warehouse is not asked, and
        its gates are not among the readings. GateNotEvaluated (TRANSIENT) whatever kept the query from
        answering, a missing table included: a phase must neither start nor be given up because nobody could
        look.
        """
        # One time for all gates of the boundary: the next look asks them all.
        recheck = now + timedelta(minutes=boundary.recheck_minutes)
        reported = [_reported(rule, day, recheck) for rule in rules if isinstance(rule, Reported)]
        counted = [rule for rule in rules if not isinstance(rule, Reported)]
        # What is closed already needs no query.
        if not counted or any(isinstance(reading, Closed) for reading in reported):
            return tuple(reported)
        numbers = self._numbers(counted, day.key.game_date)
        return (*reported, *(_counted(rule, numbers, recheck) for rule in counted))

    @returns_result
    def games(self, schedule: Table, game_date: date) -> int:
        """How many rows the schedule has of a date; 0 is a day without games.

        GateNotEvaluated where it cannot be asked.
        """
        sql = self._rows(schedule.name, schedule)
        return self._query(sql, game_date)[schedule.name]

    def _numbers(self, rules: Sequence[RowCounts | Coverage], game_date: date) -> Numbers:
        """Label → number, of all selects in one query."""
        selects = [select for rule in rules for select in self._selects(rule)]
        # One query for all gates: a query job takes about a second, whatever it counts.
        return self._query(_UNION.join(selects), game_date)

    def _query(self, sql: str, game_date: date) -> Numbers:
        """Raises ResultError (GateNotEvaluated)."""
        found = self._warehouse().query(sql, {"game_date": game_date})
        if found.error is not None:
            raise ResultError(_not_evaluated(found.error, game_date))
        return {row["label"]: int(row["number"]) for row in found.unwrap().rows}

    def _selects(self, rule: RowCounts | Coverage) -> list[str]:
        """The selects of one gate: a count per table, or the distinct values of table and schedule."""
        if isinstance(rule, RowCounts):
            return [self._rows(_label(rule, table), table) for table in rule.tables]
        return [self._distinct(rule, rule.table), self._distinct(rule, rule.schedule)]

    def _rows(self, label: str, table: Table) -> str:
        return _SQL.fill(
            "rows", label=f"'{label}'", table=self._path(table), date_column=f"`{table.date_column}`"
        )

    def _distinct(self, rule: Coverage, table: Table) -> str:
        return _SQL.fill(
            "distinct",
            label=f"'{_label(rule, table)}'",
            column=f"`{rule.column}`",
            table=self._path(table),
            date_column=f"`{table.date_column}`",
        )

    def _path(self, table: Table) -> str:
        return f"`{self._dataset(table.role)}.{table.name}`"


def _label(rule: GateRule, table: Table) -> str:
    """Tells the rows of one query apart: two gates may count the same table."""
    return f"{rule.name}/{table.name}"


def _reported(rule: Reported, day: Day, next_check: datetime) -> GateReading:
    """Open from the minimum on, in what the processor reported in this generation."""
    report = day.in_generation.get(rule.processor)
    found = report.metadata.get(rule.field) if report else None
    # A publisher's metadata hold anything, and True is an int: what is no number is "not told", which closes
    # the gate.
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    value = float(found) if is_number and found is not None else 0.0
    if is_number and value >= rule.minimum:
        return Open(name=rule.name, value=value, limit=rule.minimum)
    told = f"{value:g}" if is_number else "not told"
    reason = f"{rule.field} of {rule.processor} is {told}, below {rule.minimum:g}"
    return Closed(name=rule.name, value=value, limit=rule.minimum, reason=reason, next_check=next_check)


def _counted(rule: RowCounts | Coverage, numbers: Numbers, next_check: datetime) -> GateReading:
    """The reading of a gate that the warehouse was asked about."""
    if isinstance(rule, RowCounts):
        return _row_counts(rule, numbers, next_check)
    return _coverage(rule, numbers, next_check)


def _row_counts(rule: RowCounts, numbers: Numbers, next_check: datetime) -> GateReading:
    """Open with `at_least` tables filled, every required one among them.

    Value and limit are numbers of tables.
    """
    counts = {table.name: numbers[_label(rule, table)] for table in rule.tables}
    missing = tuple(table.name for table in rule.tables if counts[table.name] < table.min_rows)
    lacking = [name for name in rule.required if name in missing]
    filled = len(counts) - len(missing)
    common: dict[str, Any] = {"name": rule.name, "counts": counts, "missing": missing}
    common |= {"value": float(filled), "limit": float(rule.at_least)}
    if not lacking and filled >= rule.at_least:
        return Open(**common)
    # Where a required one lacks rows it alone is named: no other table would open the gate.
    what = f"{', '.join(lacking or missing)} without enough rows"
    reason = f"{rule.name}: {what} ({filled} of {counted(len(counts), 'table')} filled)"
    return Closed(**common, reason=reason, next_check=next_check)


def _coverage(rule: Coverage, numbers: Numbers, next_check: datetime) -> GateReading:
    """A schedule without games asks for none."""
    known, games = numbers[_label(rule, rule.table)], numbers[_label(rule, rule.schedule)]
    # A table may know a game that the schedule has dropped: never more than all.
    pct = 100.0 if games == 0 else min(100.0, 100.0 * known / games)
    if pct >= rule.min_pct:
        return Open(name=rule.name, value=pct, limit=rule.min_pct)
    reason = f"{rule.name}: {rule.table.name} knows {known} of the {games} in {rule.schedule.name}"
    return Closed(name=rule.name, value=pct, limit=rule.min_pct, reason=reason, next_check=next_check)


def _not_evaluated(error: ErrorInfo, game_date: date) -> ErrorInfo:
    """TRANSIENT whatever it was: a table that is missing now may be made, and nobody may start a phase
    blindly.
    """
    why = f"gates of {game_date} could not be evaluated: {error.exception_class}: {error.message[:500]}"
    return ErrorInfo.transient("GateNotEvaluated", why, **(error.details or {}))
