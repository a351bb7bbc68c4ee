from common.consolidation import merge_sql
from common.consolidation.fenced_merge import COMPARE_SECONDS, MERGE_SECONDS
from common.consolidation.gathering import GATHER_SECONDS, runs
from common.consolidation.merge_sql import MAX_SQL_CHARS, MAX_TABLES, Slice, Tables
from common.warehouse.warehouse import Limits

FUNCTION_SECONDS = 540
TABLES = Tables(predictions="nba_predictions")


def _slices(number: int, players_each: int = 1) -> list[Slice]:
    return [
        Slice(
            table=f"_staging_batch_worker{table:06}",
            players=tuple(f"player{player:020}" for player in range(players_each)),
        )
        for table in range(number)
    ]


def test_few_tables_are_one_run() -> None:
    slices = _slices(MAX_TABLES)

    assert runs(slices) == [slices]


def test_many_tables_are_cut_where_a_statement_would_take_too_many() -> None:
    slices = _slices(2 * MAX_TABLES + 1)

    cut = runs(slices)

    assert [len(run) for run in cut] == [MAX_TABLES, MAX_TABLES, 1]
    assert [part for run in cut for part in run] == slices


def test_many_players_are_cut_where_a_statement_would_be_too_long() -> None:
    cut = runs(_slices(400, players_each=200))

    assert len(cut) > 1
    for run in cut:
        statement = merge_sql.gather_more(TABLES, run, "_gathered_batch_1_1")
        assert len(statement) < 1_000_000
    assert all(sum(len(part.players) for part in run) * 24 < MAX_SQL_CHARS for run in cut)


def test_a_consolidation_of_one_run_ends_before_its_function_is_cut_off() -> None:
    limits = Limits()
    queries = 3 * limits.query_seconds
    jobs = GATHER_SECONDS + MERGE_SECONDS + COMPARE_SECONDS

    assert queries + jobs + limits.timeouts.cancel_seconds < FUNCTION_SECONDS
    assert limits.load_seconds < FUNCTION_SECONDS
