"""Recorded completions through an edited graph: when a boundary would have started, and without whom."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from common.documents.document import Document
from common.messages import MessageStatus
from common.phases.graph import GRAPHS
from common.phases.mode import Mode
from common.phases.records import Day, DayKey, Dispatch, Report
from common.phases.shape import Boundary, Tier
from ops.simulating.replayed import replayed

GAME_DATE = date(2026, 1, 17)
KEY = DayKey(sport="nba", phase=4, game_date=GAME_DATE)
FIRST = datetime(2026, 1, 18, 9, 0, tzinfo=UTC)
PHASE_4 = GRAPHS["nba"].boundary("phase4_to_phase5")
RULES = PHASE_4.modes[Mode.OVERNIGHT]
EXPECTED = tuple(sorted(RULES.expected, key=lambda name: name not in RULES.critical))
"""The critical ones first: a tier does without the last."""


def after(minutes: float) -> datetime:
    return FIRST + timedelta(minutes=minutes)


def reported(processor: str, minutes: float, status: MessageStatus = MessageStatus.SUCCESS) -> Report:
    return Report(
        processor=processor,
        processor_name=processor,
        status=status,
        execution_id=processor,
        event_id=processor,
        recorded_at=after(minutes),
        first_recorded_at=after(minutes),
        sent_at=None,
        record_count=1,
        correlation_id=None,
    )


def day(reports: list[Report], *, dispatched: float | None, **fields: Any) -> Day:
    document: dict[str, Any] = {"state": "waiting", **fields}
    if dispatched is not None:
        dispatch = Dispatch(
            dispatch_id="d",
            generation=1,
            reason="all_complete",
            decided_at=after(dispatched),
            message={},
            claimed_by="c",
            claimed_at=after(dispatched),
            present=EXPECTED,
        )
        document |= {
            "state": "dispatched",
            "dispatch": dispatch.to_fields(),
            "dispatched_at": after(dispatched),
            "message_id": "m",
        }
    below = {
        each.processor: _document(f"{KEY.path}/processors/{each.processor}", each.to_fields())
        for each in reports
    }
    return Day.from_documents(KEY, _document(KEY.path, document), below)


def _document(path: str, data: dict[str, Any]) -> Document:
    return Document(path=path, data=data, update_time=after(0), read_time=after(0))


def with_tier(boundary: Boundary, tier: Tier) -> Boundary:
    rules = boundary.modes[Mode.OVERNIGHT].model_copy(update={"tiers": (tier,)})
    return boundary.model_copy(update={"modes": {**boundary.modes, Mode.OVERNIGHT: rules}})


ALL_IN_TURN = [reported(name, 10.0 * number) for number, name in enumerate(EXPECTED)]


def test_same_graph_would_have_done_what_was_done() -> None:
    found = replayed(PHASE_4, day(ALL_IN_TURN, dispatched=40), was_blocked=False)

    assert (found.would_at, found.would_reason, found.without) == (after(40), "all_complete", ())
    assert found.gained == timedelta()


def test_tier_that_comes_sooner_gains_time_and_says_who_would_have_been_left_out() -> None:
    reports = [*ALL_IN_TURN[:4], reported(EXPECTED[4], 300)]
    edited = with_tier(PHASE_4, Tier(reason="tier2_timeout", after_minutes=45, at_least=4))

    found = replayed(edited, day(reports, dispatched=300), was_blocked=False)

    assert (found.would_at, found.would_reason) == (after(45), "tier2_timeout")
    assert found.without == EXPECTED[4:]
    assert found.gained == timedelta(minutes=255)


def test_date_that_never_became_ready_would_not_have_started() -> None:
    found = replayed(PHASE_4, day(ALL_IN_TURN[:1], dispatched=None), was_blocked=False)

    assert (found.was_at, found.would_at, found.gained) == (None, None, None)


def test_date_that_was_blocked_would_have_waited_for_its_gate_too() -> None:
    found = replayed(PHASE_4, day(ALL_IN_TURN, dispatched=100), was_blocked=True)

    assert found.would_at == after(100)


def test_date_that_is_blocked_still_would_not_have_started() -> None:
    assert replayed(PHASE_4, day(ALL_IN_TURN, dispatched=None), was_blocked=True).would_at is None


def test_report_that_failed_does_not_make_a_date_ready() -> None:
    failed = [*ALL_IN_TURN[:4], replace(ALL_IN_TURN[4], status=MessageStatus.FAILED)]
    edited = with_tier(PHASE_4, Tier(reason="never", after_minutes=10, at_least=5))

    assert replayed(edited, day(failed, dispatched=None), was_blocked=False).would_at is None
