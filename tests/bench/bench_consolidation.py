"""Consolidation: one for all staging tables, against one MERGE for each of them, as it was before."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from common.consolidation import row_sql
from common.predictions.table import COLUMNS, KEY, ORDER, PARTITION_COLUMN, TABLE
from common.staging.writer import StagedWrite
from common.warehouse import literals
from common.warehouse.warehouse import EMULATOR_HOST
from local.stack.emulators import BIGQUERY, FIRESTORE
from tests.bench.frame import Bench, benchmark
from tests.bench.measuring import Measurement, at_least, at_most, interleaved_medians, seconds
from tests.support.batch_helpers import GAME_DATE
from tests.support.consolidation_stack import TABLES, Stack, completion_of
from tests.support.counting_session import CountingSession
from tests.support.prediction_rows import prediction

TABLE_COUNTS = (10, 50, 200, 1_000)
COMPARED = (10, 50, 200)
"""Where the former way is measured beside it; with 1,000 tables it would take minutes."""
ROWS_EACH = 10
MANY_ROWS, MANY_TABLES = 100_000, 20
_NAMES = [column.name for column in COLUMNS]


@benchmark("consolidation.tables", emulators=[FIRESTORE, BIGQUERY])
def one_consolidation_for_many_tables(bench: Bench) -> Iterator[Measurement]:
    """All of a consolidation (claims, gathering, merge, proof, clean-up), against one MERGE per table."""
    for tables in TABLE_COUNTS:
        with structlog.testing.capture_logs():
            session = CountingSession()
            stack = _stack(bench, session)
            staged = _play(stack, tables=tables, rows_each=ROWS_EACH)
            former_seconds = _one_by_one(stack, staged) if tables in COMPARED else None
            before = session.snapshot()
            took = seconds(partial(_consolidate, stack))
            sent = session.since(before)
        yield _measured(tables, took, former_seconds, sent)
        stack.close()


def _measured(tables: int, took: float, former_seconds: float | None, sent: dict[str, int]) -> Measurement:
    details = {"consolidation_seconds": took, **sent}
    if former_seconds is None:
        return Measurement(name=f"consolidation.{tables}_tables", value=took, unit="seconds", details=details)
    return Measurement(
        name=f"consolidation.{tables}_tables",
        value=former_seconds / took,
        unit="ratio",
        target=at_least(8) if tables == 200 else None,
        details={"one_by_one_seconds": former_seconds, **details},
    )


@benchmark("consolidation.rows", emulators=[FIRESTORE, BIGQUERY])
def many_rows(bench: Bench) -> Iterator[Measurement]:
    """All of a consolidation of 100,000 rows in 20 tables, against a bare MERGE of them from one table."""
    with structlog.testing.capture_logs():
        stack = _stack(bench, CountingSession())
        staged = _play(stack, tables=MANY_TABLES, rows_each=MANY_ROWS // MANY_TABLES)
        tables = [str(one.table) for one in staged]
        _copy(stack, tables, "one_table")
        for table in tables:
            _copy(stack, [table], f"copy_of_{table}")
        medians = interleaved_medians(
            3,
            consolidation=lambda: _again(stack, tables),
            bare=lambda: _bare_merge(stack, _former_merge("one_table")),
            barest=lambda: _bare_merge(stack, _former_merge("one_table", newest_only=False)),
        )
    yield Measurement(
        name="consolidation.100000_rows",
        value=medians["consolidation"] / medians["bare"],
        unit="ratio",
        target=at_most(1.8),
        details={
            "consolidation_seconds": medians["consolidation"],
            "bare_merge_seconds": medians["bare"],
            "bare_merge_that_would_take_in_repeated_keys_seconds": medians["barest"],
        },
    )
    stack.close()


def _stack(bench: Bench, session: CountingSession) -> Stack:
    project = bench.new_project()
    client = bigquery.Client(
        project=project,
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": os.environ[EMULATOR_HOST]},
        _http=session,
    )
    return Stack(project, client=client).create_tables()


def _play(stack: Stack, *, tables: int, rows_each: int) -> Sequence[StagedWrite]:
    """A complete batch in which every player has a table."""
    players = [f"player{number}" for number in range(tables)]
    stack.open(players)

    def stage(player: str) -> StagedWrite:
        rows = [prediction(player, system_id=f"system{number}") for number in range(rows_each)]
        return stack.stage(rows, worker=player)

    with ThreadPoolExecutor(4) as pool:
        staged = list(pool.map(stage, players))
    for recorded in stack.record([completion_of(*one) for one in zip(players, staged, strict=True)]):
        recorded.unwrap()
    return staged


def _consolidate(stack: Stack) -> None:
    receipt = stack.consolidate().unwrap()
    assert stack.consolidator.drop_staging_tables(receipt).unwrap() == []
    stack.consolidator.log_run(receipt).unwrap()


def _one_by_one(stack: Stack, staged: Sequence[StagedWrite]) -> float:
    """One MERGE after the other, and nothing else; the main table is empty again afterwards."""

    def one_after_the_other() -> None:
        for one in staged:
            stack.warehouse.execute(_former_merge(str(one.table))).unwrap()

    took = seconds(one_after_the_other)
    _empty_main(stack)
    return took


def _bare_merge(stack: Stack, merge: str) -> float:
    """Time of a MERGE into an empty main table, committed as the consolidation commits its own."""
    _empty_main(stack)
    return seconds(lambda: stack.warehouse.execute(merge, timeout_seconds=120).unwrap())


def _again(stack: Stack, tables: Sequence[str]) -> float:
    """Time of a consolidation of tables that are there again, into an empty main table."""
    for table in tables:
        _copy(stack, [f"copy_of_{table}"], table)
    _empty_main(stack)
    stack.forget_consolidation()
    return seconds(partial(_consolidate, stack))


def _former_merge(table: str, *, newest_only: bool = True) -> str:
    """The newest row of each key into the main table: no fence, nothing verified.

    In a transaction, for the emulator copies the target before it in one, and after it without: that copy of
    the merged rows would count as the MERGE's.
    """
    names = ", ".join(_NAMES)
    newest_first = ", ".join(f"{name} DESC" for name in ORDER)
    of_key = f"ROW_NUMBER() OVER (PARTITION BY {', '.join(KEY)} ORDER BY {newest_first})"
    changed = ", ".join(f"{name} = S.{name}" for name in _NAMES if name not in (*KEY, PARTITION_COLUMN))
    return f"""
BEGIN TRANSACTION;
MERGE `{TABLES.main}` AS T
USING (
  SELECT {names} FROM `{TABLES.path(table)}` WHERE TRUE
  {f"QUALIFY {of_key} = 1" if newest_only else ""}
) AS S
ON T.{PARTITION_COLUMN} = {literals.day(GAME_DATE)} AND {row_sql.SAME_KEY}
WHEN MATCHED AND S.{ORDER[0]} > T.{ORDER[0]} THEN UPDATE SET {changed}
WHEN NOT MATCHED BY TARGET THEN INSERT ({names}) VALUES ({", ".join(f"S.{name}" for name in _NAMES)});
COMMIT TRANSACTION;
"""


def _copy(stack: Stack, tables: Sequence[str], into: str) -> None:
    rows = " UNION ALL BY NAME ".join(f"SELECT * FROM `{TABLES.path(table)}`" for table in tables)
    stack.warehouse.execute(f"CREATE OR REPLACE TABLE `{TABLES.path(into)}` AS {rows}").unwrap()


def _empty_main(stack: Stack) -> None:
    """Made anew: the emulator reads past deleted rows, in each statement and more in every repetition."""
    stack.warehouse.delete_table(TABLES.main).unwrap()
    stack.create_table(TABLE)
