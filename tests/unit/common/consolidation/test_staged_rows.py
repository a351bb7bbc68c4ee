from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from common.batches.completion import Completion
from common.batches.records import Batch
from common.consolidation.merge_sql import Slice
from common.consolidation.staged_rows import (
    FOREIGN_TABLE,
    STAGED_ROWS_DIFFER,
    Counted,
    StagedBatch,
    StagedRows,
    check_names,
    droppable,
    has_repeated_keys,
    staged_of,
    still_unstaged,
    verify,
)
from common.messages import PlayerOutcome
from common.result import ErrorType
from common.staging.table_names import staging_table


def _completion(player: str, **fields: Any) -> Completion:
    known = {"outcome": PlayerOutcome.COMPLETED, "predictions_count": 5, "event_id": "e"}
    staged = {"staging_table": "t1", "staged_rows": 5}
    return Completion(player_lookup=player, **{**known, **staged, **fields})


def _batch(consolidated_generation: int = 0) -> Batch:
    return SimpleNamespace(consolidated_generation=consolidated_generation)  # type: ignore[return-value]


def _counted(
    table: str,
    player: str,
    rows: int,
    *,
    claimed: bool = True,
    misdated: int = 0,
    keys: int | None = None,
) -> Counted:
    return Counted(
        staging_table=table,
        player_lookup=player,
        is_claimed=claimed,
        found_rows=rows,
        misdated_rows=misdated,
        found_keys=rows if keys is None else keys,
    )


STAGED = StagedBatch(
    staged=(StagedRows(table="t1", player="a", rows=5), StagedRows(table="t2", player="b", rows=3)),
    finished_players=frozenset({"a", "b"}),
    unstaged_players=(),
)


def test_completed_players_say_where_their_rows_are() -> None:
    completions = [
        _completion("a"),
        _completion("b", staging_table="t2"),
        _completion("c"),
        _completion("skipped", outcome=PlayerOutcome.SKIPPED, staging_table=None, staged_rows=None),
        _completion("timedout", outcome=PlayerOutcome.TIMED_OUT),
        _completion("empty", staged_rows=0, predictions_count=0),
    ]

    staged = staged_of(_batch(), completions, generation=1)

    assert staged.slices == (Slice(table="t1", players=("a", "c")), Slice(table="t2", players=("b",)))
    assert sum(one.rows for one in staged.staged) == 15
    assert staged.finished_players == {"a", "b", "c", "empty"}
    assert staged.unstaged_players == ()


@pytest.mark.parametrize(
    ("consolidated", "generation", "due"),
    [
        pytest.param(0, 1, {"first"}, id="the first generation leaves the late ones to the next"),
        pytest.param(1, 2, {"second"}, id="the next takes only what is new"),
        pytest.param(0, 2, {"first", "second"}, id="overtaking, the second takes in the first"),
    ],
)
def test_a_generation_claims_what_no_earlier_one_has_merged(
    consolidated: int, generation: int, due: set[str]
) -> None:
    completions = [
        _completion("first"),
        _completion("second", generation=2),
        _completion("third", generation=3),
    ]

    staged = staged_of(_batch(consolidated), completions, generation)

    assert {one.player for one in staged.staged} == due


def test_predictions_without_a_staging_table_are_told() -> None:
    legacy = _completion("legacy", staging_table=None, staged_rows=None)

    staged = staged_of(_batch(), [legacy], generation=1)

    assert (staged.staged, staged.unstaged_players) == ((), ("legacy",))


def test_what_is_there_as_claimed_passes_whatever_else_is_there() -> None:
    counted = [_counted("t1", "a", 5), _counted("t2", "b", 3), _counted("t2", "a", 5, claimed=False)]

    assert verify(STAGED, counted).is_success


@pytest.mark.parametrize(
    ("counted", "problem"),
    [
        pytest.param([_counted("t1", "a", 4)], "t1: a: 5 rows claimed, 4 found", id="lost rows"),
        pytest.param([], "t1: a: 5 rows claimed, 0 found", id="no rows at all"),
        pytest.param([_counted("t1", "a", 10)], "t1: a: 5 rows claimed, 10 found", id="loaded twice"),
        pytest.param([_counted("t1", "a", 5, misdated=1)], "t1: a: 1 row of another day", id="another day"),
    ],
)
def test_what_differs_from_its_claim_is_named(counted: list[Counted], problem: str) -> None:
    result = verify(STAGED, [*counted, _counted("t2", "b", 3)])

    assert result.error is not None
    assert (result.error.type, result.error.exception_class) == (ErrorType.PERMANENT, STAGED_ROWS_DIFFER)
    assert result.error.message == problem


def test_a_table_may_go_when_all_its_rows_are_of_finished_players() -> None:
    counted = [
        _counted("t1", "a", 5),
        _counted("t1", "late", 5, claimed=False),
        _counted("t2", "b", 3),
        _counted("t2", "a", 5, claimed=False),
    ]

    assert droppable(STAGED, counted) == {"t2": 8}


@pytest.mark.parametrize("predictions", [0, 5])
def test_of_whom_the_name_alone_is_known_it_is_not_known_that_there_are_no_rows(predictions: int) -> None:
    """As the arrays of the system before have it: no event, no count."""
    named = _completion(
        "legacy", event_id="", predictions_count=predictions, staging_table=None, staged_rows=None
    )
    nothing = _completion("nothing", predictions_count=0, staging_table=None, staged_rows=None)

    staged = staged_of(_batch(), [named, nothing], generation=1)

    assert staged.unstaged_players == ("legacy",)


def test_legacy_tables_are_searched_for_those_whose_rows_are_missing() -> None:
    staged = replace(STAGED, unstaged_players=("c", "d")).with_legacy(["old2", "old1"])
    counted = [
        _counted("t1", "a", 5),
        _counted("t2", "b", 3),
        _counted("old1", "c", 2),
        _counted("old1", "a", 5, claimed=False),
    ]

    assert staged.slices[2:] == (
        Slice(table="old1", players=("c", "d")),
        Slice(table="old2", players=("c", "d")),
    )
    assert verify(staged, counted).is_success
    assert still_unstaged(staged, counted) == ("d",)
    assert "another day" in str(verify(staged, [*counted, _counted("old2", "d", 2, misdated=2)]).error)


@pytest.mark.parametrize(
    "table",
    [
        "player_prop_predictions",
        "player_prop_predictions_backup",
        "_gathered_batch1_1_1",
        staging_table("batch2", "w1"),
    ],
)
def test_a_table_that_is_none_of_the_batchs_is_refused_by_name(table: str) -> None:
    own = StagedRows(table=staging_table("batch1", "w1"), player="a", rows=1)
    foreign = StagedRows(table=table, player="b", rows=1)

    assert check_names(replace(STAGED, staged=(own,)), "batch1").is_success
    refused = check_names(replace(STAGED, staged=(own, foreign)), "batch1")

    assert refused.error is not None
    assert (refused.error.type, refused.error.exception_class) == (ErrorType.PERMANENT, FOREIGN_TABLE)
    assert refused.error.message.endswith(f": {table}")


@pytest.mark.parametrize(
    ("counted", "is_so"),
    [
        pytest.param([_counted("t1", "a", 5), _counted("t1", "b", 5)], False, id="a key for each row"),
        pytest.param([_counted("t1", "a", 5, keys=4)], True, id="one key twice in a table"),
        pytest.param([_counted("t1", "a", 5), _counted("t2", "a", 5)], True, id="a player in two tables"),
        pytest.param(
            [_counted("t1", "a", 5), _counted("t2", "a", 5, claimed=False)],
            False,
            id="the other is not merged",
        ),
        pytest.param([], False, id="nothing"),
    ],
)
def test_keys_can_only_repeat_among_the_rows_of_one_player(counted: list[Counted], is_so: bool) -> None:
    assert has_repeated_keys(counted) is is_so
