"""Firestore that refuses or is away: no completion is "not complete yet", and nobody is "not missing"."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import grpc
import pytest
from google.cloud import firestore

from common.batches import batches as batches_module
from common.batches import store as batch_store
from common.batches.batches import Batches
from common.batches.closing import TriggerOutbox
from common.batches.dual_write_check import ConsistencyCheck, slack
from common.maintenance.deadlines import OverdueBatches
from common.recorder import subcollection_commit as marker_commit
from common.recorder.answers import RecordOutcome
from common.recorder.recorder import Recorder
from common.result import ErrorType
from common.schema_mode import SchemaMode
from local.stack.ports import free_port
from tests.support.batch_helpers import AFTER_DEADLINE, Published, completion, names, opened
from tests.support.firestore_proxy import FirestoreProxy
from tests.support.firestore_relay import COMMIT, READ
from tests.support.grpc_server import serving
from tests.support.results import error_of

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
    for module, name in ((batch_store, "RETRY"), (batches_module, "RETRY"), (marker_commit, "ASYNC_RETRY")):
        monkeypatch.setattr(module, name, getattr(module, name).with_timeout(0.3))
    with serving(proxy) as address:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address)
        db, async_db = firestore.Client(project=project_id), firestore.AsyncClient(project=project_id)
        through = Batches(db)
        yield through, Recorder(async_db, through)
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
    assert error.details == {"batch_id": "batch2"}
    assert redelivered.unwrap().outcome is RecordOutcome.RECORDED
    assert through.get("batch2").unwrap().counts.completed == 1


async def test_a_marker_that_nobody_can_read_fails_its_own_player_and_no_neighbour(
    stores: tuple[Batches, Recorder],
) -> None:
    through, recorder = stores
    opened(through, 2)
    markers = through.store.ref("batch1").collection("completions")
    markers.document("player00000").set({"outcome": "completed"})

    broken = await recorder.record(completion("player00000"), event_id="e0")
    sound = await recorder.record(completion("player00001"), event_id="e1")

    error = error_of(broken)
    assert (error.type, error.exception_class) == (PERMANENT, "KeyError")
    assert error.details is not None
    assert error.details["completion"].endswith("batch1/completions/player00000")
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
    assert error.details["batch_id"] == "batch1"


async def test_a_batch_whose_players_were_never_stored_has_no_list_of_missing_ones(
    stores: tuple[Batches, Recorder],
) -> None:
    through, _ = stores
    through.store.ref("batch1").set({"game_date": "2026-01-17", "expected_players": 3})

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
    through.store.ref("batch1").collection(collection).document("0").set(document)

    error = error_of(through.progress("batch1"))

    assert (error.type, error.exception_class) == (PERMANENT, exception_class)


async def test_a_batch_that_nobody_can_read_is_named_and_keeps_no_other_from_its_deadline(
    stores: tuple[Batches, Recorder],
) -> None:
    through, _ = stores
    published = Published()
    opened(through, 1, min_completion_pct=0)
    through.store.ref("broken").set({"is_complete": False, "expected_players": 3})
    sweep = OverdueBatches(through, TriggerOutbox(through.store, lambda: published))

    swept = sweep.close_overdue(AFTER_DEADLINE)

    assert swept.is_partial
    assert swept.error is not None
    assert (swept.error.exception_class, swept.error.message) == ("KeyError", "broken: 'game_date'")
    assert published.triggers == [("batch1", 1)]


@contextmanager
def slack_channel(*statuses: int) -> Iterator[tuple[str, list[bytes]]]:
    """A webhook that answers with these statuses, one after the other; its address, and what it was told."""
    told: list[bytes] = []
    left = iter(statuses)

    class Channel(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(next(left))
            self.end_headers()
            self.wfile.write(b"no_service")

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on the test's screen."""

    server = HTTPServer(("127.0.0.1", 0), Channel)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def mismatched(firestore_client: firestore.Client) -> Batches:
    """A batch that writes both schemas, with a player in one of them only."""
    found = Batches(firestore_client, mode=SchemaMode.DUAL_WRITE)
    opened(found, names(2))
    found.store.ref("batch1").update({"completed_players": ["player00000"]})
    return found


@pytest.mark.parametrize(
    ("status", "error_type"), [(404, PERMANENT), (429, TRANSIENT), (500, TRANSIENT)], ids=str
)
def test_an_alert_that_nobody_got_is_a_failure_and_is_sent_the_next_time(
    firestore_client: firestore.Client, status: int, error_type: ErrorType
) -> None:
    found = mismatched(firestore_client)
    with slack_channel(status, 200) as (address, told):
        check = ConsistencyCheck(found.store, slack(address))

        unsent = check.check("batch1")
        sent = check.check("batch1")
        sent_before = check.check("batch1")

    error = error_of(unsent)
    assert (error.type, error.exception_class) == (error_type, "SlackError")
    assert error.message == f"Slack answered {status}: no_service"
    assert sent.unwrap() is not None
    assert sent_before.unwrap() is not None
    assert len(told) == 2


def test_a_channel_out_of_reach_is_a_failure(firestore_client: firestore.Client) -> None:
    found = mismatched(firestore_client)

    unsent = ConsistencyCheck(found.store, slack(f"http://127.0.0.1:{free_port()}/")).check("batch1")

    assert error_of(unsent).exception_class == "URLError"
    assert unsent.is_retryable
