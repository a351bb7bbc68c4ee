"""Old batches go with all that is below them; what is not over never does."""

from datetime import UTC, date, datetime, timedelta

import pytest
from google.cloud import firestore

from common.audit.retention import Removed, Retention
from common.batches.batches import Batches
from common.batches.records import COLLECTION, batch_path
from common.documents.store import FirestoreDocuments

OLD, TODAY = date(2025, 10, 1), date(2026, 1, 17)
PLAYERS = [f"player{number:03}" for number in range(30)]


def make(batches: Batches, db: firestore.Client, batch_id: str, game_date: date, status: str) -> None:
    """A batch with 30 completions, one manifest and a few entries of its story."""
    deadline = datetime.now(UTC) + timedelta(hours=1)
    batches.open(batch_id, game_date, PLAYERS, deadline=deadline).unwrap()
    for name in PLAYERS:
        db.document(f"{batch_path(batch_id)}/completions/{name}").set({"player_lookup": name})
    db.document(batch_path(batch_id)).update({"status": status})


def left(db: firestore.Client) -> set[str]:
    return {each.id for each in db.collection(COLLECTION).get()}


def below(db: firestore.Client, batch_id: str) -> int:
    return sum(len(each.get()) for each in db.document(batch_path(batch_id)).collections())


@pytest.fixture
def db(batches: Batches, firestore_client: firestore.Client) -> firestore.Client:
    for batch_id, game_date, status in (
        ("old", OLD, "consolidated"),
        ("given-up", OLD, "abandoned"),
        ("stuck", OLD, "consolidating"),
        ("open", OLD, "open"),
        ("new", TODAY, "consolidated"),
    ):
        make(batches, firestore_client, batch_id, game_date, status)
    return firestore_client


def test_only_old_batches_that_are_over_are_removed_with_all_that_is_below(db: firestore.Client) -> None:
    removed = Retention(FirestoreDocuments(db)).remove(TODAY - timedelta(days=30)).unwrap()

    assert set(removed.batches) == {"old", "given-up"} and removed.is_complete
    assert left(db) == {"stuck", "open", "new"}
    assert (below(db, "old"), below(db, "given-up")) == (0, 0)
    assert below(db, "stuck") > 30 and below(db, "new") > 30
    again = Retention(FirestoreDocuments(db)).remove(TODAY - timedelta(days=30)).unwrap()
    assert again == Removed(batches=(), documents=0, is_complete=True)


def test_run_that_used_up_its_budget_leaves_the_batch_for_the_next(db: firestore.Client) -> None:
    retention = Retention(FirestoreDocuments(db), budget=20)
    before = TODAY - timedelta(days=30)

    first = retention.remove(before).unwrap()
    there_still = left(db)
    later = [retention.remove(before).unwrap() for _ in range(6)]

    assert (first.batches, first.documents, first.is_complete) == ((), 20, False)
    assert {"old", "given-up"} <= there_still
    assert {name for each in later for name in each.batches} == {"old", "given-up"}
    assert left(db) == {"stuck", "open", "new"}
