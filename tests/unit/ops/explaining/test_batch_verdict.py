"""One verdict for each state of a batch: the words are held as they are, for people paste their commands."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.batches.expected_end import ExpectedEnd
from common.batches.records import BatchStatus, Counts
from ops.exit_status import ExitStatus
from ops.explaining.batch_facts import BatchFacts, LockHolder, Refusal
from ops.explaining.batch_verdict import verdict
from ops.explaining.verdict import State
from tests.support.batch_documents import batch_of

NOW = datetime(2026, 1, 18, 6, 0, tzinfo=UTC)
LOCK = "consolidation_locks/consolidation_2026-01-17"


def minutes_ago(number: float) -> datetime:
    return NOW - timedelta(minutes=number)


def facts(
    batch: dict[str, Any],
    *,
    missing: Sequence[str] | None = (),
    failed: Sequence[str] = (),
    unstaged: Sequence[str] = (),
    asked_again: datetime | None = None,
    last: datetime | None = None,
    holder: LockHolder | None = None,
    refusals: Sequence[Refusal] = (),
    expected_end: ExpectedEnd | None = None,
) -> BatchFacts:
    defaults: dict[str, Any] = {
        "batch_id": "b1",
        "expected_players": 4,
        "deadline": NOW + timedelta(hours=1),
        "min_completion_pct": 95.0,
        "update_time": minutes_ago(1),
    }
    return BatchFacts(
        batch=replace(batch_of(), **{**defaults, **batch}),
        now=NOW,
        missing=missing,
        failed=failed,
        unstaged=unstaged,
        asked_again_at=asked_again,
        last_completion_at=last,
        holder=holder,
        refusals=refusals,
        expected_end=expected_end,
    )


def holder(batch_id: str, *, alive: bool = True) -> LockHolder:
    expires_at = NOW + timedelta(minutes=5 if alive else -5)
    return LockHolder(lock=LOCK, operation_id=batch_id, fence=7, expires_at=expires_at, is_alive=alive)


def refusal(error_class: str, reason: str) -> Refusal:
    return Refusal(
        event_id="e9",
        function="consolidation_trigger",
        error_class=error_class,
        reason=reason,
        details={},
        at=minutes_ago(2),
    )


OPEN = {"status": BatchStatus.OPEN, "counts": Counts(completed=3)}
CLOSED = {
    "status": BatchStatus.COMPLETE,
    "counts": Counts(completed=4),
    "closed_at": minutes_ago(30),
    "trigger_generation": 1,
}
MERGED = {
    **CLOSED,
    "status": BatchStatus.CONSOLIDATED,
    "consolidated_generation": 1,
    "phase_generation": 1,
    "total_predictions": 1_234,
}
CONSOLIDATING = {**CLOSED, "status": BatchStatus.CONSOLIDATING, "update_time": minutes_ago(20)}
END = ExpectedEnd(
    earliest=NOW + timedelta(minutes=1), likely=NOW + timedelta(minutes=2), latest=NOW + timedelta(minutes=9)
)

CASES = [
    pytest.param(
        facts(OPEN, missing=["dee"], last=minutes_ago(1), expected_end=END),
        State.RUNNING,
        "3 of 4 players have ended. The last is expected at 06:02:00 (between 06:01:00 and 06:09:00).",
        "./ops/run watch b1",
        id="open and running, with its expected end",
    ),
    pytest.param(
        facts(OPEN, missing=["dee"], last=minutes_ago(30)),
        State.STALLED,
        "3 of 4 players have ended; nothing came for 30 min. Missing: dee.",
        "./ops/run redrive b1 --missing",
        id="open and stalled, naming who is missing and since when",
    ),
    pytest.param(
        facts(OPEN, missing=["dee"], last=minutes_ago(30), asked_again=minutes_ago(3)),
        State.RUNNING,
        "3 of 4 players have ended. Asked for again 3 min ago.",
        "./ops/run watch b1",
        id="open, and who is missing was asked for again",
    ),
    pytest.param(
        facts(OPEN, missing=None, last=minutes_ago(30)),
        State.STALLED,
        "3 of 4 players have ended; nothing came for 30 min.",
        "./ops/run missing b1",
        id="open and stalled, and nobody knows who is missing",
    ),
    pytest.param(
        facts({**OPEN, "deadline": minutes_ago(15)}, missing=["dee"], last=minutes_ago(30)),
        State.OVERDUE,
        "3 of 4 players have ended; the deadline passed 15 min ago, and no sweep has closed it. "
        "Missing: dee.",
        "./ops/run close b1",
        id="overdue",
    ),
    pytest.param(
        facts({**OPEN, "counts": Counts(completed=4)}),
        State.UNTRIGGERED,
        "all players have ended (4), and nobody has closed the batch.",
        "./ops/run close b1",
        id="all ended, and not closed",
    ),
    pytest.param(
        facts({**CLOSED, "trigger_generation": 0}),
        State.UNTRIGGERED,
        "closed as complete 30 min ago, and its trigger was not published.",
        "./ops/run close b1",
        id="complete without trigger",
    ),
    pytest.param(
        facts(CLOSED, holder=holder("b0")),
        State.WAITING_FOR_LOCK,
        f"closed as complete; its consolidation waits for {LOCK}, held for b0 until 06:05:00.",
        "./ops/run explain b0",
        id="waiting for the lock, naming its holder",
    ),
    pytest.param(
        facts(CLOSED),
        State.TRIGGERED,
        "closed as complete; triggered 30 min ago, and its consolidation has not begun.",
        "./ops/run close b1",
        id="triggered, and nothing happened",
    ),
    pytest.param(
        facts({**CLOSED, "generation": 2, "trigger_generation": 2, "consolidated_generation": 1}),
        State.LATE_GENERATION,
        "generation 1 is merged; closed as complete, generation 2, for who came late; triggered 30 min ago, "
        "and its consolidation has not begun.",
        "./ops/run close b1",
        id="a late generation waits",
    ),
    pytest.param(
        facts(CONSOLIDATING, holder=holder("b1")),
        State.CONSOLIDATING,
        "its rows are being merged under fence 7.",
        "./ops/run watch b1",
        id="consolidating",
    ),
    pytest.param(
        facts(CONSOLIDATING, holder=holder("b1", alive=False)),
        State.INTERRUPTED,
        "its consolidation began 20 min ago, and nobody holds the lock: it was cut short.",
        "./ops/run close b1",
        id="consolidating, and nobody works on it",
    ),
    pytest.param(
        facts(CONSOLIDATING, refusals=[refusal("StagedRowsDiffer", "_staging_b1_w1: 2 rows, 3 claimed")]),
        State.STAGED_ROWS_DIFFER,
        "its consolidation was refused at 2026-01-18 05:58:00 (StagedRowsDiffer): _staging_b1_w1: 2 rows, 3 "
        "claimed",
        "./ops/run redrive b1 --refused",
        id="staged rows differ, naming the tables",
    ),
    pytest.param(
        facts(CONSOLIDATING, refusals=[refusal("SchemaDiffers", "_staging_b1_w1: confidence is STRING")]),
        State.SCHEMA_DIFFERS,
        "its consolidation was refused at 2026-01-18 05:58:00 (SchemaDiffers): _staging_b1_w1: confidence is "
        "STRING",
        "./ops/run dead-letters replay e9",
        id="schema differs",
    ),
    pytest.param(
        facts(MERGED),
        State.CONSOLIDATED,
        "1,234 predictions are merged and announced.",
        "./ops/run verify 2026-01-17",
        id="consolidated",
    ),
    pytest.param(
        facts(MERGED, failed=["dee"]),
        State.PARTIAL,
        "1,234 predictions are merged and announced, without 1 player (dee).",
        "./ops/run redrive b1 --failed",
        id="consolidated without a player whose worker gave up",
    ),
    pytest.param(
        facts(MERGED, unstaged=["dee"]),
        State.PARTIAL,
        "1,234 predictions are merged and announced, without 1 player (dee).",
        None,
        id="consolidated without a player whose rows nobody knows the place of",
    ),
    pytest.param(
        facts(MERGED, missing=["dee"], asked_again=minutes_ago(3)),
        State.PARTIAL,
        "1,234 predictions are merged and announced, without 1 player (dee). Asked for again 3 min ago.",
        "./ops/run watch b1",
        id="consolidated without a player who was asked for again",
    ),
    pytest.param(
        facts(MERGED, missing=["dee"], unstaged=["eve"]),
        State.PARTIAL,
        "1,234 predictions are merged and announced, without 2 players (dee, eve).",
        "./ops/run redrive b1 --missing",
        id="consolidated without some players",
    ),
    pytest.param(
        facts({**MERGED, "phase_generation": 0, "update_time": minutes_ago(5)}),
        State.UNANNOUNCED,
        "1,234 predictions are merged, and the next phase was not told.",
        "./ops/run close b1",
        id="consolidated, and nobody was told",
    ),
    pytest.param(
        facts(
            {**OPEN, "status": BatchStatus.FAILED, "counts": Counts(completed=1, timed_out=3)},
            missing=["bea", "cas", "dee"],
        ),
        State.FAILED,
        "closed at its deadline with 25.0 % of the players heard of, below 95 %: not consolidated. Missing: "
        "bea, cas, dee.",
        "./ops/run redrive b1 --missing",
        id="failed",
    ),
    pytest.param(
        facts(
            {**OPEN, "status": BatchStatus.FAILED, "counts": Counts(failed=1, timed_out=3)},
            missing=["bea", "cas", "dee"],
            asked_again=minutes_ago(3),
        ),
        State.FAILED,
        "closed at its deadline with 25.0 % of the players heard of, below 95 %: not consolidated. Missing: "
        "bea, cas, dee. Asked for again 3 min ago.",
        "./ops/run watch b1",
        id="failed, and who is missing was asked for again",
    ),
    pytest.param(
        facts({**OPEN, "status": BatchStatus.ABANDONED}),
        State.ABANDONED,
        "given up by a person: it is never merged.",
        None,
        id="abandoned",
    ),
]


@pytest.mark.parametrize(("known", "state", "sentence", "command"), CASES)
def test_verdict_says_how_the_batch_stands_and_what_to_do_next(
    known: BatchFacts, state: State, sentence: str, command: str | None
) -> None:
    found = verdict(known)

    assert (found.state, found.sentence, found.command) == (state, sentence, command)


WELL = {
    State.RUNNING,
    State.WAITING_FOR_LOCK,
    State.CONSOLIDATING,
    State.CONSOLIDATED,
    State.PARTIAL,
    State.ABANDONED,
}


@pytest.mark.parametrize(("known", "state", "sentence", "command"), CASES)
def test_exit_status_tells_whether_a_person_is_needed(
    known: BatchFacts, state: State, sentence: str, command: str | None
) -> None:
    assert verdict(known).status is (ExitStatus.WELL if state in WELL else ExitStatus.FOUND)


def test_trigger_that_is_being_published_right_now_needs_nobody() -> None:
    just_closed = {**CLOSED, "trigger_generation": 0, "closed_at": minutes_ago(0.5)}

    assert verdict(facts(just_closed)).is_well


def test_refusal_before_the_batch_was_closed_again_is_history() -> None:
    closed_again = {**CONSOLIDATING, "closed_at": minutes_ago(1)}
    earlier = [refusal("StagedRowsDiffer", "then")]

    assert verdict(facts(closed_again, refusals=earlier, holder=holder("b1"))).state is State.CONSOLIDATING
