"""A boundary on a date as it was, from its decisions and acts."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from common.documents.document import Document
from common.phases.decision import PhaseState
from common.phases.records import Day, DayKey, Dispatch
from ops.explaining.day_past import as_told

START = datetime(2026, 1, 18, 6, tzinfo=UTC)
KEY = DayKey(sport="nba", phase=4, game_date=date(2026, 1, 17))


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def decision(minutes: float, state: str) -> dict[str, Any]:
    return {
        "evaluated_at": at(minutes),
        "state": state,
        "mode": "overnight",
        "needed": ["one"],
        "present": [],
        "missing": ["one"],
        "failed": [],
        "gates": {},
        "reason": f"at {minutes:g}",
        "next_check": None,
    }


DECISIONS = [decision(0, "waiting"), decision(10, "blocked"), decision(30, "dispatching")]
ACTS = [
    {"act": "hold", "who": "ann", "why": "odds", "at": at(5), "generation": 1},
    {"act": "release", "who": "bob", "why": "in", "at": at(8), "generation": 1},
]
DISPATCH = Dispatch(
    dispatch_id="d",
    generation=1,
    reason="all_complete",
    decided_at=at(30),
    message={},
    claimed_by="c",
    claimed_at=at(30),
    present=("one",),
)
NOW = replace(
    Day.from_documents(
        KEY,
        Document(
            path=KEY.path,
            data={"state": "dispatched", "dispatch": DISPATCH.to_fields()},
            update_time=START,
            read_time=START,
        ),
        {},
    ),
    message_id="m7",
    dispatched_at=at(31),
)


@pytest.mark.parametrize(
    ("minutes", "state", "reason", "who"),
    [
        (1, PhaseState.WAITING, "at 0", None),
        (6, PhaseState.HELD, "at 0", "ann"),
        (9, PhaseState.WAITING, "at 0", "bob"),
        (20, PhaseState.BLOCKED, "at 10", "bob"),
        (30.5, PhaseState.DISPATCHING, "at 30", "bob"),
        (40, PhaseState.DISPATCHED, "at 30", "bob"),
    ],
)
def test_boundary_is_as_the_last_decision_or_act_by_then_left_it(
    minutes: float, state: PhaseState, reason: str, who: str | None
) -> None:
    found = as_told(NOW, DECISIONS, ACTS, at(minutes))

    assert (found.state, found.decision and found.decision.reason) == (state, reason)
    assert (found.by_hand and found.by_hand.who) == who
    assert (found.message_id is not None) is (state is PhaseState.DISPATCHED)
    assert (found.dispatch is not None) is (minutes >= 30)


def test_nothing_was_there_before_the_first_decision() -> None:
    assert as_told(NOW, DECISIONS, ACTS, at(-1)).document is None
