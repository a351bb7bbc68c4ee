"""The dates of the phases in either store: events, sweep and people at once, and the same story told."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud import firestore

from common.documents.memory_store import MemoryDocuments
from common.documents.port import Documents
from common.documents.store import FirestoreDocuments
from common.phases.decision import PhaseState
from tests.support.batch_helpers import GAME_DATE
from tests.support.phase_world import PRECOMPUTE, PhaseWorld

DAY = "phase4_completion/2026-01-17"
NOW = datetime(2026, 1, 18, 10, tzinfo=UTC)


@pytest.fixture(params=["memory", "firestore"])
def documents(request: pytest.FixtureRequest, firestore_client: firestore.Client) -> Documents:
    if request.param == "memory":
        return MemoryDocuments(lambda: datetime.now(UTC))
    return FirestoreDocuments(firestore_client)


def raced(action: Callable[[int], object], number: int = 8) -> list[object]:
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(action, range(number)))


def test_all_processors_at_once_each_three_times_start_the_phase_once(documents: Documents) -> None:
    world = PhaseWorld(documents=documents)

    results = raced(lambda index: world.report(PRECOMPUTE[index % 5]), number=15)

    assert world.reasons == ["all_complete"]
    assert world.day().message_id is not None
    retried = [result for result in results if result.is_failure]  # type: ignore[attr-defined]
    assert all(result.error.is_expected for result in retried)  # type: ignore[attr-defined]


def test_world_is_the_same_in_both_stores(documents: Documents) -> None:
    """A day with a closed gate, a tier, a late report and an act by hand."""
    world = PhaseWorld(documents=documents)
    world.warehouse.rows["player_daily_cache"] = 0
    for name in PRECOMPUTE[1:]:
        world.report(name).unwrap()
    world.clock.advance(timedelta(hours=1))
    world.sweep().unwrap()
    world.operations.hold(world.boundary(), world.day().key.game_date, who="ann", why="odds").unwrap()
    world.warehouse.rows.clear()
    world.operations.release(world.boundary(), world.day().key.game_date, who="ann", why="fine").unwrap()
    world.clock.advance(timedelta(minutes=1))
    world.report(PRECOMPUTE[0]).unwrap()

    reasons = [document["reason"].split(",")[0] for document in world.below("decisions").values()]
    assert reasons == [
        "waiting for critical player_daily_cache",
        "waiting for critical player_daily_cache",
        "waiting for critical ml_feature_store (3 of 5 present)",
        "waiting for team_defense_zone_analysis (4 of 5 present)",
        "tier2_timeout",
        "held by ann: odds; else: tier2_timeout",
        "tier2_timeout",
    ]
    assert world.reasons == ["tier2_timeout"]
    assert world.day().late == (PRECOMPUTE[0],)


def test_held_and_released_while_events_pour_in_starts_once_and_not_before(documents: Documents) -> None:
    world = PhaseWorld(documents=documents)
    by = {"who": "ann", "why": "odds"}

    def act(index: int) -> object:
        boundary, game_date = world.boundary(), GAME_DATE
        if index % 4 == 3:
            return world.operations.hold(boundary, game_date, **by)
        return world.report(PRECOMPUTE[index % 5])

    world.operations.hold(world.boundary(), GAME_DATE, **by).unwrap()
    raced(act, number=20)
    started_while_held, day = len(world.started), world.day()
    raced(lambda _: world.operations.release(world.boundary(), GAME_DATE, **by), number=4)

    assert (started_while_held, day.state, len(day.reports)) == (0, PhaseState.HELD, 5)
    assert world.reasons == ["all_complete"]
    assert [act["act"] for act in world.below("acts").values()] == ["hold", "release"]


class Counting:
    """Counts what the documents are asked."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        self.calls[name] += 1
        return getattr(self._documents, name)


def test_report_costs_one_commit_without_a_reading_then_one_reading_and_the_decision(
    documents: Documents,
) -> None:
    counting = Counting(documents)
    world = PhaseWorld(documents=counting)

    world.report(PRECOMPUTE[0]).unwrap()
    first = dict(counting.calls)
    counting.calls.clear()
    world.report(PRECOMPUTE[0]).unwrap()

    assert first == {"commit": 2, "get": 1}
    assert counting.calls == {"commit": 1, "get": 2}
