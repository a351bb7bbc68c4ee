"""One verdict for each state of a boundary."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from common.documents.document import Document
from common.phases.decision import Closed, Decision, PhaseState
from common.phases.mode import Mode
from common.phases.records import Day, DayKey, Dispatch
from ops.explaining.phase_verdict import verdict
from ops.explaining.verdict import State

NOW = datetime(2026, 1, 18, 6, 0, tzinfo=UTC)
KEY = DayKey(sport="nba", phase=4, game_date=date(2026, 1, 17))
NEEDED = ("ml_feature_store", "player_daily_cache", "player_shot_zone_analysis")


def minutes_ago(number: float) -> datetime:
    return NOW - timedelta(minutes=number)


def decision(**fields: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "evaluated_at": minutes_ago(5),
        "state": PhaseState.WAITING,
        "mode": Mode.OVERNIGHT,
        "needed": NEEDED,
        "present": NEEDED[:2],
        "missing": NEEDED[2:],
        "failed": (),
        "gates": (),
        "reason": "tier2_timeout",
        "next_check": NOW + timedelta(minutes=25),
    }
    return Decision(**{**usual, **fields}).to_fields()


CLOSED = Closed(
    name="feature_rows",
    value=2,
    limit=3,
    reason="2 of 3 tables have rows",
    next_check=NOW + timedelta(minutes=5),
)
DISPATCH = Dispatch(
    dispatch_id="nba-phase5-2026-01-17-1",
    generation=1,
    reason="all_complete",
    decided_at=minutes_ago(3),
    message={},
    claimed_by="c",
    claimed_at=minutes_ago(3),
    present=NEEDED,
).to_fields()
BY_HAND = {"who": "ann", "why": "odds are late", "at": minutes_ago(60)}


def day(**fields: Any) -> Day:
    if not fields:
        return Day.from_documents(KEY, None, {})
    state = fields.pop("state")
    document = Document(path=KEY.path, data={"state": state.value, **fields}, update_time=NOW, read_time=NOW)
    return Day.from_documents(KEY, document, {})


CASES = [
    pytest.param(
        day(),
        State.SILENT,
        "no event of phase 4 was seen for 2026-01-17 so far.",
        "./ops/run phases 2026-01-17",
        True,
        id="no event: whether that is wrong, the schedule tells the auditor",
    ),
    pytest.param(
        day(state=PhaseState.WAITING, decision=decision()),
        State.WAITING,
        "2 of 3 processors done; missing: player_shot_zone_analysis. Looked at again at 06:25:00.",
        "./ops/run phases 2026-01-17",
        True,
        id="waiting, naming who is missing",
    ),
    pytest.param(
        day(state=PhaseState.WAITING, decision=decision(failed=NEEDED[2:])),
        State.WAITING,
        "2 of 3 processors done; missing: player_shot_zone_analysis; failed: player_shot_zone_analysis. "
        "Looked at again at 06:25:00.",
        "./ops/run replay 2026-01-17 --from 4",
        False,
        id="waiting for a processor that failed",
    ),
    pytest.param(
        day(
            state=PhaseState.READY,
            decision=decision(state=PhaseState.READY, reason="all, but no gate"),
        ),
        State.READY,
        "enough processors are done (all, but no gate). Looked at again at 06:25:00.",
        "./ops/run dispatch 4 2026-01-17",
        False,
        id="a gate could not be evaluated",
    ),
    pytest.param(
        day(
            state=PhaseState.BLOCKED,
            stuck_since=minutes_ago(90),
            decision=decision(state=PhaseState.BLOCKED, gates=(CLOSED,)),
        ),
        State.BLOCKED,
        "blocked for 90 min: 2 of 3 tables have rows, value 2, limit 3. Looked at again at 06:25:00.",
        "./ops/run dispatch 4 2026-01-17",
        False,
        id="blocked at a gate, with value, limit and next check",
    ),
    pytest.param(
        day(state=PhaseState.HELD, by_hand=BY_HAND),
        State.HELD,
        "held by ann since 2026-01-18 05:00:00 (odds are late); what arrives is recorded.",
        "./ops/run release 4 2026-01-17",
        True,
        id="held by a person",
    ),
    pytest.param(
        day(state=PhaseState.DISPATCHING, dispatch=DISPATCH),
        State.DISPATCHING,
        "its trigger has been on its way for 3 min.",
        "./ops/run phases 2026-01-17",
        True,
        id="dispatching",
    ),
    pytest.param(
        day(
            state=PhaseState.DISPATCHED,
            dispatch=DISPATCH,
            message_id="m7",
            dispatched_at=minutes_ago(2),
            late=["extra"],
        ),
        State.DISPATCHED,
        "dispatched at 2026-01-18 05:58:00 (all_complete) as message m7. Late since then: extra.",
        None,
        True,
        id="dispatched",
    ),
    pytest.param(
        day(state=PhaseState.ABANDONED, by_hand=BY_HAND),
        State.ABANDONED,
        "given up by ann since 2026-01-18 05:00:00 (odds are late): it is never dispatched.",
        "./ops/run replay 2026-01-17 --from 5",
        True,
        id="abandoned",
    ),
]


@pytest.mark.parametrize(("seen", "state", "sentence", "command", "is_well"), CASES)
def test_verdict_says_why_the_boundary_stands_there(
    seen: Day, state: State, sentence: str, command: str | None, is_well: bool
) -> None:
    found = verdict(seen, NOW)

    assert (found.state, found.sentence, found.command) == (state, sentence, command)
    assert found.is_well is is_well


def test_dispatch_that_no_sweep_resumed_needs_a_person() -> None:
    stuck = {**DISPATCH, "claimed_at": minutes_ago(40)}

    found = verdict(day(state=PhaseState.DISPATCHING, dispatch=stuck), NOW)

    assert (found.is_well, found.command) == (False, "./ops/run dispatch 4 2026-01-17")
