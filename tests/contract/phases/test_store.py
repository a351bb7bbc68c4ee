"""The stores of the phases: the one in memory and Firestore keep the same promises."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud import firestore

from common.phases.documents import Create, Fill, Merge, Store, Update
from common.phases.memory_store import MemoryStore
from common.phases.records import PhaseState
from common.phases.store import FirestoreStore
from tests.support.batch_helpers import GAME_DATE
from tests.support.phase_world import PRECOMPUTE, PhaseWorld

DAY = "phase4_completion/2026-01-17"
NOW = datetime(2026, 1, 18, 10, tzinfo=UTC)


@pytest.fixture(params=["memory", "firestore"])
def store(request: pytest.FixtureRequest, firestore_client: firestore.Client) -> Store:
    return MemoryStore() if request.param == "memory" else FirestoreStore(firestore_client)


def test_document_is_created_once_and_a_refused_commit_leaves_nothing(store: Store) -> None:
    first = store.commit(
        [Create(path=f"{DAY}/processors/a", fields={"n": 1}), Merge(path=DAY, fields={"x": 1})]
    )
    second = store.commit(
        [Merge(path=DAY, fields={"x": 2}), Create(path=f"{DAY}/processors/a", fields={"n": 2})]
    )

    found = store.read([DAY, f"{DAY}/processors/a", f"{DAY}/processors/b"]).unwrap()
    assert (first.unwrap(), second.unwrap()) == (True, False)
    assert {path: dict(document.fields) for path, document in found.items()} == {
        DAY: {"x": 1},
        f"{DAY}/processors/a": {"n": 1},
    }


def test_update_is_refused_once_the_document_has_changed(store: Store) -> None:
    store.commit([Create(path=DAY, fields={"state": "waiting", "n": 0})]).unwrap()
    seen = store.read([DAY]).unwrap()[DAY]

    mine = store.commit([Update(document=seen, fields={"n": 1})]).unwrap()
    theirs = store.commit([Update(document=seen, fields={"n": 2})]).unwrap()

    assert (mine, theirs) == (True, False)
    assert store.read([DAY]).unwrap()[DAY].fields == {"state": "waiting", "n": 1}


def test_merge_makes_a_document_out_of_date_for_who_has_read_it(store: Store) -> None:
    store.commit([Create(path=DAY, fields={"n": 0})]).unwrap()
    seen = store.read([DAY]).unwrap()[DAY]
    store.commit([Merge(path=DAY, fields={"other": 1})]).unwrap()

    assert store.commit([Update(document=seen, fields={"n": 1})]).unwrap() is False


def test_map_takes_the_place_of_the_one_before(store: Store) -> None:
    store.commit([Merge(path=DAY, fields={"decision": {"a": 1, "b": 2}})]).unwrap()
    store.commit([Merge(path=DAY, fields={"decision": {"c": 3}})]).unwrap()

    assert store.read([DAY]).unwrap()[DAY].fields == {"decision": {"c": 3}}


def test_store_fills_in_its_own_time(store: Store) -> None:
    store.commit([Merge(path=DAY, fields={"updated_at": Fill.SERVER_TIME})]).unwrap()

    filled = store.read([DAY]).unwrap()[DAY].fields["updated_at"]
    assert abs(filled - datetime.now(UTC)) < timedelta(minutes=1)


def test_what_is_due_comes_earliest_first_and_page_by_page(store: Store) -> None:
    for index, minutes in enumerate((3, 1, 2, -1, 0, 0)):
        fields = {"next_check": NOW - timedelta(minutes=minutes)}
        store.commit([Create(path=f"phase4_completion/2026-01-0{index + 1}", fields=fields)]).unwrap()
    for path, never in (("2026-02-01", {"next_check": None}), ("2026-02-02", {"state": "waiting"})):
        store.commit([Create(path=f"phase4_completion/{path}", fields=never)]).unwrap()
    store.commit([Create(path="phase3_completion/2026-01-01", fields={"next_check": NOW})]).unwrap()

    pages, after = [], None
    while page := store.due("phase4_completion", NOW, limit=2, after=after).unwrap():
        pages.append([document.id for document in page])
        after = page[-1]

    assert pages == [["2026-01-01", "2026-01-03"], ["2026-01-02", "2026-01-05"], ["2026-01-06"]]


def test_collection_is_listed_in_the_order_of_its_ids(store: Store) -> None:
    for name in ("b", "c", "a"):
        store.commit([Create(path=f"{DAY}/decisions/{name}", fields={"n": name})]).unwrap()

    assert [each.id for each in store.listed(f"{DAY}/decisions").unwrap()] == ["a", "b", "c"]


def raced(action: Callable[[int], object], number: int = 8) -> list[object]:
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(action, range(number)))


def test_of_many_that_create_or_update_at_once_one_wins(store: Store) -> None:
    created = raced(lambda index: store.commit([Create(path=DAY, fields={"by": index})]).unwrap())
    seen = store.read([DAY]).unwrap()[DAY]
    updated = raced(
        lambda index: store.commit([Update(document=seen, fields={"by": f"update {index}"})]).unwrap()
    )

    assert (created.count(True), updated.count(True)) == (1, 1)


def test_all_processors_at_once_each_three_times_start_the_phase_once(store: Store) -> None:
    world = PhaseWorld(store=store)

    results = raced(lambda index: world.report(PRECOMPUTE[index % 5]), number=15)

    assert world.reasons == ["all_complete"]
    assert world.day().message_id is not None
    retried = [result for result in results if result.is_failure]  # type: ignore[attr-defined]
    assert all(result.error.is_expected for result in retried)  # type: ignore[attr-defined]


def test_world_is_the_same_in_both_stores(store: Store) -> None:
    """A day with a closed gate, a tier, a late report and an act by hand."""
    world = PhaseWorld(store=store)
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


def test_held_and_released_while_events_pour_in_starts_once_and_not_before(store: Store) -> None:
    world = PhaseWorld(store=store)
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
    """A store that counts what it is asked."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        self.calls[name] += 1
        return getattr(self._store, name)


def test_report_costs_one_commit_without_a_reading_one_reading_and_the_decision_kept(store: Store) -> None:
    counting = Counting(store)
    world = PhaseWorld(store=counting)

    world.report(PRECOMPUTE[0]).unwrap()
    first = dict(counting.calls)
    counting.calls.clear()
    world.report(PRECOMPUTE[0]).unwrap()

    assert first == {"commit": 2, "read": 1}
    assert counting.calls == {"commit": 1, "read": 2}
