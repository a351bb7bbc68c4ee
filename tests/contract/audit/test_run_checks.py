"""What the audit reads of the documents that others leave."""

from datetime import UTC, datetime, timedelta

import pytest
from google.cloud import firestore

from common.audit import run_checks
from common.audit.run_checks import RunReader
from common.documents.store import FirestoreDocuments
from common.entrypoint.dead_letters import COLLECTION

AT = datetime(2026, 1, 17, 6, tzinfo=UTC)


def keep(db: firestore.Client, event_id: str, at: datetime, **more: datetime) -> None:
    fields = {"topic": "nba-prediction-ready", "error_class": "InvalidMessage", "dead_lettered_at": at}
    db.collection(COLLECTION).document(event_id).set({**fields, **more})


def test_letters_that_were_handled_long_ago_hide_none_that_waits(
    firestore_client: firestore.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_checks, "MAX_DEAD_LETTERS", 2)
    for number in range(3):
        keep(firestore_client, f"100{number}", AT + timedelta(hours=number), replayed_at=AT)
    keep(firestore_client, "1003", AT + timedelta(days=1))

    seen = RunReader(FirestoreDocuments(firestore_client)).dead_letters().unwrap()

    assert seen.counts == {("nba-prediction-ready", "InvalidMessage"): 1}
