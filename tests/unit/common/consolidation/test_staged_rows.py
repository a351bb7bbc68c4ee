from types import SimpleNamespace
from typing import Any

import pytest

from common.batches.records import Batch, Completion
from common.consolidation.merge_sql import Slice
from common.consolidation.staged_rows import (
    STAGED_ROWS_DIFFER,
    Claim,
    Claims,
    Counted,
    claims_of,
    compare,
    droppable,
)
from common.messages import PlayerOutcome
from common.result import ErrorType


def _completion(player: str, **fields: Any) -> Completion:
    known = {"outcome": PlayerOutcome.COMPLETED, "predictions_count": 5, "event_id": "e"}
    staged = {"staging_table": "t1", "staged_rows": 5}
    return Completion(player_lookup=player, **{**known, **staged, **fields})


def _batch(consolidated_generation: int = 0) -> Batch:
    return SimpleNamespace(consolidated_generation=consolidated_generation)  # type: ignore[return-value]


def _counted(table: str, player: str, rows: int, *, claimed: bool = True, misdated: int = 0) -> Counted:
    return Counted(
        staging_table=table, player_lookup=player, is_claimed=claimed, found_rows=rows, misdated_rows=misdated
    )


CLAIMS = Claims(
    claims=(Claim(table="t1", player="a", rows=5), Claim(table="t2", player="b", rows=3)),
    finished_players=frozenset({"a", "b"}),
    unstaged_players=(),
)


def test_completed_players_claim_their_tables() -> None:
    completions = [
        _completion("a"),
        _completion("b", staging_table="t2"),
        _completion("c"),
        _completion("skipped", outcome=PlayerOutcome.SKIPPED, staging_table=None, staged_rows=None),
        _completion("timedout", outcome=PlayerOutcome.TIMED_OUT),
        _completion("empty", staged_rows=0, predictions_count=0),
    ]

    claims = claims_of(_batch(), completions, generation=1)

    assert claims.slices == (Slice(table="t1", players=("a", "c")), Slice(table="t2", players=("b",)))
    assert claims.rows == 15
    assert claims.finished_players == {"a", "b", "c", "empty"}
    assert claims.unstaged_players == ()


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

    claims = claims_of(_batch(consolidated), completions, generation)

    assert {claim.player for claim in claims.claims} == due


def test_predictions_without_a_staging_table_are_told() -> None:
    legacy = _completion("legacy", staging_table=None, staged_rows=None)

    claims = claims_of(_batch(), [legacy], generation=1)

    assert (claims.claims, claims.unstaged_players) == ((), ("legacy",))


def test_what_is_there_as_claimed_passes_whatever_else_is_there() -> None:
    counted = [_counted("t1", "a", 5), _counted("t2", "b", 3), _counted("t2", "a", 5, claimed=False)]

    assert compare(CLAIMS, counted).is_success


@pytest.mark.parametrize(
    ("counted", "problem"),
    [
        pytest.param([_counted("t1", "a", 4)], "t1: a: 5 rows claimed, 4 found", id="lost rows"),
        pytest.param([], "t1: a: 5 rows claimed, 0 found", id="no rows at all"),
        pytest.param([_counted("t1", "a", 10)], "t1: a: 5 rows claimed, 10 found", id="loaded twice"),
        pytest.param([_counted("t1", "a", 5, misdated=1)], "t1: a: 1 rows of another day", id="another day"),
    ],
)
def test_what_differs_from_its_claim_is_named(counted: list[Counted], problem: str) -> None:
    result = compare(CLAIMS, [*counted, _counted("t2", "b", 3)])

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

    assert droppable(CLAIMS, counted) == {"t2": 8}
