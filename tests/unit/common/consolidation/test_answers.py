from datetime import UTC, datetime, timedelta

import pytest

from common.consolidation.answers import claimed_answers, has_surplus
from common.consolidation.merge_sql import Answer
from common.consolidation.staged_rows import Counted, StagedBatch, StagedRows

FIRST = datetime(2026, 1, 17, 22, 0, tzinfo=UTC)
SECOND = FIRST + timedelta(minutes=20)
THIRD = SECOND + timedelta(minutes=20)
STAGED = StagedBatch(
    staged=(StagedRows(table="t1", player="a", rows=5), StagedRows(table="t1", player="b", rows=3)),
    finished_players=frozenset({"a", "b"}),
    unstaged_players=(),
    legacy_tables=("old",),
)


def _counted(player: str, rows: int, *, table: str = "t1", claimed: bool = True) -> Counted:
    return Counted(
        staging_table=table,
        player_lookup=player,
        is_claimed=claimed,
        found_rows=rows,
        misdated_rows=0,
        found_keys=rows,
    )


def _answer(player: str, answered_at: datetime, rows: int, *, table: str = "t1") -> Answer:
    return Answer(staging_table=table, player_lookup=player, answered_at=answered_at, found_rows=rows)


@pytest.mark.parametrize(
    ("counted", "surplus"),
    [
        pytest.param([_counted("a", 5), _counted("b", 3)], False, id="as claimed"),
        pytest.param([_counted("a", 4)], False, id="fewer: no answer could be left out"),
        pytest.param([_counted("a", 5), _counted("b", 6)], True, id="more, of one player"),
        pytest.param([_counted("a", 10, claimed=False)], False, id="more, and out of the merge already"),
        pytest.param([_counted("c", 10, table="old")], False, id="in a legacy table nothing is claimed"),
    ],
)
def test_answers_are_told_apart_only_where_there_are_more_rows_than_claimed(
    counted: list[Counted], surplus: bool
) -> None:
    assert has_surplus(STAGED, counted) is surplus


@pytest.mark.parametrize(
    ("answers", "claimed"),
    [
        pytest.param([_answer("a", FIRST, 5), _answer("a", SECOND, 5)], [SECOND], id="the newer of two"),
        pytest.param([_answer("a", SECOND, 5), _answer("a", FIRST, 5)], [SECOND], id="in any order"),
        pytest.param([_answer("a", FIRST, 5), _answer("a", SECOND, 6)], [FIRST], id="of as many rows"),
        pytest.param(
            [_answer("a", FIRST, 5), _answer("a", SECOND, 5), _answer("a", THIRD, 4)],
            [SECOND],
            id="the newest of those",
        ),
        pytest.param([_answer("a", FIRST, 2), _answer("a", SECOND, 3)], [], id="both are the claim together"),
        pytest.param([_answer("a", FIRST, 10)], [], id="loaded twice: no answer has as many"),
        pytest.param([_answer("a", FIRST, 4), _answer("a", SECOND, 2)], [], id="neither has as many"),
        pytest.param([_answer("a", FIRST, 5, table="old")], [], id="of a table in which nothing is claimed"),
    ],
)
def test_the_newest_answer_of_as_many_rows_as_claimed_is_the_claim(
    answers: list[Answer], claimed: list[datetime]
) -> None:
    assert [one.answered_at for one in claimed_answers(STAGED, answers)] == claimed


def test_each_player_has_a_claim_of_his_own() -> None:
    answers = [_answer(player, at, rows) for player, rows in [("b", 3), ("a", 5)] for at in (FIRST, SECOND)]

    chosen = [(one.player_lookup, one.answered_at) for one in claimed_answers(STAGED, answers)]

    assert chosen == [("a", SECOND), ("b", SECOND)]
