"""Firestore that refuses or is away: no completion is "not complete yet", and nobody is "not missing"."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.cloud import firestore
from structlog.testing import capture_logs

from common.batches.batches import Batches
from common.batches.dual_write_check import ConsistencyCheck
from common.batches.trigger_outbox import TriggerOutbox
from common.documents import async_store, store
from common.documents.async_store import AsyncFirestoreDocuments
from common.documents.store import FirestoreDocuments
from common.findings import FindingClass
from common.findings.channel import Channel
from common.findings.reporter import Reporter
from common.findings.slack import SlackChannel
from common.findings.store import FindingStore
from common.maintenance.deadlines import OverdueBatches
from common.recorder.answers import RecordOutcome
from common.recorder.recorder import Recorder
from common.result import ErrorType
from common.schema_mode import SchemaMode
from tests.support.batch_helpers import (
    AFTER_DEADLINE,
    Published,
    alter,
    client_of,
    completion,
    names,
    opened,
    put,
)
from tests.support.findings import Heard
from tests.support.firestore_proxy import FirestoreProxy
from tests.support.firestore_relay import COMMIT, READ
from tests.support.grpc_server import serving
from tests.support.results import error_of
from tests.support.webhook import OK, Answer, webhook

PERMANENT, TRANSIENT = ErrorType.PERMANENT, ErrorType.TRANSIENT
QUERY = "RunQuery"

FAULTS = [
    pytest.param(grpc.StatusCode.PERMISSION_DENIED, PERMANENT, "PermissionDenied", id="not allowed"),
    pytest.param(grpc.StatusCode.UNAUTHENTICATED, PERMANENT, "Unauthenticated", id="not known"),
    pytest.param(grpc.StatusCode.UNAVAILABLE, TRANSIENT, "ServiceUnavailable", id="away"),
    pytest.param(grpc.StatusCode.RESOURCE_EXHAUSTED, TRANSIENT, "ResourceExhausted", id="quota used up"),
    pytest.param(grpc.StatusCode.ABORTED, TRANSIENT, "Aborted", id="contention"),
    pytest.param(grpc.StatusCode.DATA_LOSS, ErrorType.UNKNOWN, "DataLoss", id="nobody knows"),
]


@pytest.fixture
async def stores(
    proxy: FirestoreProxy, project_id: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Batches, Recorder]]:
    """Through the proxy, and soon tired of calling."""
    for module, name in ((store, "RETRY"), (async_store, "ASYNC_RETRY")):
        monkeypatch.setattr(module, name, getattr(module, name).with_timeout(0.3))
    with serving(proxy) as address:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address)
        db, async_db = firestore.Client(project=project_id), firestore.AsyncClient(project=project_id)
        through = Batches(FirestoreDocuments(db))
        yield through, Recorder(AsyncFirestoreDocuments(async_db), through)
        db.close()


@pytest.mark.parametrize(("status", "error_type", "exception_class"), FAULTS)
@pytest.mark.parametrize("method", [READ, COMMIT], ids=["when the batch is read", "when it is written"])
async def test_a_completion_that_was_not_recorded_is_not_one_that_did_not_complete_the_batch(
    stores: tuple[Batches, Recorder],
    proxy: FirestoreProxy,
    method: str,
    status: grpc.StatusCode,
    error_type: ErrorType,
    exception_class: str,
) -> None:
    through, recorder = stores
    opened(through, 2)
    opened(through, 2, batch_id="batch2")
    incomplete = await recorder.record(completion("player00000"), event_id="e0")
    proxy.refuse(method, status)

    refused = await recorder.record(completion("player00000", batch_id="batch2"), event_id="e1")
    proxy.accept(method)
    redelivered = await recorder.record(completion("player00000", batch_id="batch2"), event_id="e1")

    assert not incomplete.unwrap().completes_batch
    error = error_of(refused)
    assert (error.type, error.exception_class) == (error_type, exception_class)
    assert error.details == {"document": "prediction_batches/batch2"}
    assert redelivered.unwrap().outcome is RecordOutcome.RECORDED
    assert through.get("batch2").unwrap().counts.completed == 1


async def test_a_marker_that_nobody_can_read_fails_its_own_player_and_no_neighbour(
    stores: tuple[Batches, Recorder],
) -> None:
    through, recorder = stores
    opened(through, 2)
    put(through, "completions/player00000", {"outcome": "completed"})

    broken = await recorder.record(completion("player00000"), event_id="e0")
    sound = await recorder.record(completion("player00001"), event_id="e1")

    error = error_of(broken)
    assert (error.type, error.exception_class) == (PERMANENT, "KeyError")
    assert error.details is not None
    assert error.details["document"].endswith("batch1/completions/player00000")
    assert sound.unwrap().outcome is RecordOutcome.RECORDED


@pytest.mark.parametrize(("status", "error_type", "exception_class"), FAULTS)
@pytest.mark.parametrize("method", [READ, QUERY], ids=["the batch", "its completions"])
async def test_progress_that_could_not_be_read_is_neither_nobody_missing_nor_nobody_counted(
    stores: tuple[Batches, Recorder],
    proxy: FirestoreProxy,
    method: str,
    status: grpc.StatusCode,
    error_type: ErrorType,
    exception_class: str,
) -> None:
    through, recorder = stores
    opened(through, 1)
    before = through.progress("batch1").unwrap()
    await recorder.record(completion("player00000"), event_id="e0")
    after = through.progress("batch1").unwrap()
    proxy.refuse(method, status)

    asked = through.progress("batch1")

    assert (before.missing, before.batch.counts.ended) == (("player00000",), 0)
    assert (after.missing, after.batch.counts.ended) == ((), 1)
    error = error_of(asked)
    assert (error.type, error.exception_class) == (error_type, exception_class)
    assert error.details is not None
    assert error.details["document"].startswith("prediction_batches/batch1")


async def test_a_batch_whose_players_were_never_stored_has_no_list_of_missing_ones(
    stores: tuple[Batches, Recorder],
) -> None:
    through, _ = stores
    put(through, "", {"game_date": "2026-01-17", "expected_players": 3})

    assert through.progress("batch1").unwrap().missing is None
    assert error_of(through.progress("batch2")).is_expected


@pytest.mark.parametrize(
    ("collection", "document", "exception_class"),
    [
        ("completions", {"predictions_count": 5}, "KeyError"),
        ("completions", {"player_lookup": "player00000", "outcome": "lost"}, "ValueError"),
        ("manifest", {}, "KeyError"),
        ("manifest", {"players": []}, "ManifestDamaged"),
    ],
    ids=["completion without a player", "unknown outcome", "manifest without players", "players lost"],
)
async def test_documents_that_make_no_sense_are_a_permanent_failure_and_nobody_is_forgotten(
    stores: tuple[Batches, Recorder], collection: str, document: dict[str, Any], exception_class: str
) -> None:
    through, _ = stores
    opened(through, 2)
    put(through, f"{collection}/0", document)

    error = error_of(through.progress("batch1"))

    assert (error.type, error.exception_class) == (PERMANENT, exception_class)


async def test_a_batch_that_nobody_can_read_is_named_and_keeps_no_other_from_its_deadline(
    stores: tuple[Batches, Recorder],
) -> None:
    through, _ = stores
    published = Published()
    opened(through, 1, min_completion_pct=0)
    put(through, "", {"is_complete": False, "expected_players": 3}, batch_id="broken")
    sweep = OverdueBatches(through, TriggerOutbox(through.store, lambda: published))

    swept = sweep.close_overdue(AFTER_DEADLINE)

    assert swept.is_partial
    assert swept.error is not None
    assert (swept.error.exception_class, swept.error.message) == ("KeyError", "broken: 'game_date'")
    assert published.triggers == [("batch1", 1)]


def mismatched(firestore_client: firestore.Client) -> Batches:
    """A batch that writes both schemas, with a player in one of them only."""
    found = Batches(FirestoreDocuments(firestore_client), mode=SchemaMode.DUAL_WRITE)
    opened(found, names(2))
    alter(found, completed_players=["player00000"])
    return found


def checking(found: Batches, channel: Channel) -> ConsistencyCheck:
    findings = FindingStore(found.store.documents)
    reporter = Reporter(findings, channel, now=lambda: datetime.now(UTC), teller="test")
    return ConsistencyCheck(found.store, reporter.report)


@pytest.mark.parametrize("status", [404, 429, 500], ids=str)
def test_an_alert_that_nobody_got_is_told_so_and_is_sent_the_next_time(
    firestore_client: firestore.Client, status: int
) -> None:
    found = mismatched(firestore_client)
    with webhook(Answer(status=status, body=b"no_service"), OK) as hook, capture_logs() as lines:
        check = checking(found, SlackChannel(hook.address, time_limit=timedelta(0)))

        checked = [check.check("batch1").unwrap() for _ in range(3)]

    assert [[each.finding_class for each in found] for found in checked] == [
        [FindingClass.MISSING_MARKER, FindingClass.LOST_INCREMENT]
    ] * 3
    assert "findings_undelivered" in [line["action"] for line in lines]
    assert sum("missing_marker" in text for text in hook.texts) == 2


def test_findings_that_cannot_be_remembered_are_a_failure(
    stores: tuple[Batches, Recorder], proxy: FirestoreProxy
) -> None:
    found = mismatched(client_of(stores[0]))
    proxy.refuse(COMMIT, grpc.StatusCode.PERMISSION_DENIED)

    failed = checking(found, Heard()).check("batch1")

    assert error_of(failed).exception_class == "PermissionDenied"
