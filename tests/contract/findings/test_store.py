"""One suite for both stores of findings."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from google.cloud import firestore

from common.documents.memory_store import MemoryDocuments
from common.documents.store import FirestoreDocuments
from common.findings import Looked, Repair, Silence, rules, telling
from common.findings.reporter import Reporter
from common.findings.store import FindingStore
from tests.support.findings import Heard, finding
from tests.support.wall_clock import WallClock

STORES: dict[str, Callable[[firestore.Client], FindingStore]] = {
    "firestore": lambda client: FindingStore(FirestoreDocuments(client)),
    "memory": lambda _: FindingStore(MemoryDocuments(lambda: datetime.now(UTC))),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, firestore_client: firestore.Client) -> FindingStore:
    return STORES[request.param](firestore_client)


def test_what_was_put_is_read_again_with_its_version(store: FindingStore, clock: WallClock) -> None:
    one = finding(ids=("ann", "ben"), repair=Repair.REDRIVE_MISSING, depends_on=frozenset({"firestore"}))
    tracked = telling.silenced(
        rules.found(None, one, clock()), Silence(who="ann", why="known", until=clock())
    )

    written = store.put(tracked).unwrap()

    assert written is not None
    read = store.get([one.finding_id, "unknown"]).unwrap()
    assert read == {one.finding_id: tracked}
    assert read[one.finding_id].version == written.version
    assert store.put(replace(read[one.finding_id], clean_runs=1)).unwrap() is not None


def test_of_two_who_read_the_same_version_one_writes(store: FindingStore, clock: WallClock) -> None:
    tracked = rules.found(None, finding(), clock())

    first, second = store.put(tracked).unwrap(), store.put(tracked).unwrap()

    assert first is not None and second is None
    again = [store.put(replace(first, clean_runs=runs)).unwrap() for runs in (1, 2)]
    assert [each is not None for each in again] == [True, False]
    assert store.unsettled().unwrap()[first.finding_id].clean_runs == 1


def test_what_is_over_and_told_is_not_read_by_every_run(store: FindingStore, clock: WallClock) -> None:
    settled = replace(rules.found(None, finding(), clock()), is_open=False)
    open_ = rules.found(None, finding(subject="another"), clock())
    for each in (settled, open_):
        store.put(each).unwrap()

    assert store.unsettled().unwrap().keys() == {open_.finding_id}
    assert store.get([]).unwrap() == {}


def test_two_auditors_at_once_tell_each_change_once(store: FindingStore, clock: WallClock) -> None:
    heard = Heard()
    found = [finding(subject=str(number)) for number in range(6)]
    looked = Looked(by_check={"batch_counts": None})

    def audit(run: int) -> None:
        Reporter(store, heard, now=clock, teller=f"run{run}").conclude(found, looked, clock()).unwrap()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(audit, range(8)))

    told = "\n".join(heard.messages)
    assert told.count("*lost_increment* opened") == 6
    assert [each.told.value for each in store.unsettled().unwrap().values()] == ["opened"] * 6
