# grpc's own functions carry no types.
# mypy: disable-error-code="no-untyped-call, no-any-return"
"""The commit that goes past the client's layers and its public twin say, do and answer the same."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from google.cloud import firestore

from common.batches import recording
from common.batches.batches import Batches
from common.batches.completion import Completion
from common.batches.recording import Committed
from common.batches.records import Batch
from common.documents.async_store import AsyncFirestoreDocuments
from common.documents.port import is_refused
from common.documents.store import FirestoreDocuments
from common.documents.wire_commit import WireCommit
from common.messages import PlayerOutcome
from common.schema_mode import SchemaMode
from tests.support.batch_documents import ended
from tests.support.batch_helpers import opened
from tests.support.grpc_server import serving
from tests.support.io_steps import IoSteps

OF_THE_CONNECTION = {"user-agent", "grpc-accept-encoding", "grpc-timeout"}
WITH_DOCUMENTS = [mode for mode in SchemaMode if mode.writes_subcollection]
COMPLETIONS = [
    ended("player00000", staging_table="t", staged_rows=5),
    ended("player00001", PlayerOutcome.SKIPPED, reason="injured"),
    ended("player00002", PlayerOutcome.FAILED, reason="no features"),
]


@pytest.fixture
def kind() -> str:
    return "emulator"


class Listening(IoSteps):
    """Notes the headers of every call."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.headers: list[dict[str, str | bytes]] = []

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        self.headers.append(dict(handler_call_details.invocation_metadata))
        return super().service(handler_call_details)


async def test_headers_are_those_of_the_clients_own_call(
    firestore_host: str, project_id: str, batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = opened(batches, 2)
    listening = Listening(firestore_host)
    with serving(listening) as address:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address)
        documents = AsyncFirestoreDocuments(firestore.AsyncClient(project=project_id))
        blocking = FirestoreDocuments(firestore.Client(project=project_id))
        committed = await documents.commit(recording.writes(batch, [ended("player00000")]))
        blocking.commit(recording.writes(batch, [ended("player00001")])).unwrap()

    ours, theirs = (_without(headers, OF_THE_CONNECTION) for headers in listening.headers)
    assert recording.committed(committed.unwrap()).counts.completed == 1
    assert ours.keys() == theirs.keys()
    assert ours["x-goog-request-params"] == theirs["x-goog-request-params"]
    assert "google-cloud-resource-prefix" in ours


@pytest.mark.parametrize("mode", WITH_DOCUMENTS, ids=lambda mode: mode.value)
async def test_both_ways_leave_the_same_documents_and_give_the_same_answer(
    mode: SchemaMode, batches: Batches, async_firestore_client: firestore.AsyncClient
) -> None:
    wire, public = (opened(batches, 3, batch_id=name) for name in ("wire", "public"))
    documents, twin = AsyncFirestoreDocuments(async_firestore_client), _public(async_firestore_client)

    by_wire = await _record(documents, wire)
    by_twin = await _record(twin, public)
    again = [
        await each.commit(recording.writes(batch, COMPLETIONS))
        for each, batch in ((documents, wire), (twin, public))
    ]

    assert _timeless(by_wire) == _timeless(by_twin)
    assert _stored(batches, wire) == _stored(batches, public)
    assert all(map(is_refused, again))
    for batch, answer in ((wire, by_wire), (public, by_twin)):
        now = batches.get(batch.batch_id).unwrap()
        assert answer.written_at == now.update_time
        found = batches.store.completions(batch.batch_id).unwrap()
        assert {one.completed_at for one in found.values()} == {answer.completed_at}


async def test_a_client_of_another_shape_is_served_by_the_public_twin(
    batches: Batches, async_firestore_client: firestore.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = opened(batches, 1)
    monkeypatch.setattr(type(async_firestore_client), "_database_string", property(_gone))

    assert WireCommit.over(async_firestore_client, retry=lambda call: call, timeout_seconds=1) is None  # type: ignore[arg-type]
    monkeypatch.undo()
    committed = await _record(_public(async_firestore_client), batch, COMPLETIONS[:1])

    assert committed.counts.ended == 1


async def _record(
    documents: AsyncFirestoreDocuments, batch: Batch, completions: list[Completion] = COMPLETIONS
) -> Committed:
    written = await documents.commit(recording.writes(batch, completions))
    return recording.committed(written.unwrap())


def _gone(_: object) -> str:
    raise AttributeError("_database_string")


def _public(client: firestore.AsyncClient) -> AsyncFirestoreDocuments:
    """As it is where the wire commit found another shape."""
    documents = AsyncFirestoreDocuments(client)
    documents.__dict__["_wire"] = None
    return documents


def _timeless(committed: Committed) -> Committed:
    moment = datetime.min.replace(tzinfo=UTC)
    return replace(committed, written_at=moment, completed_at=moment)


def _stored(batches: Batches, batch: Batch) -> tuple[Any, list[Completion]]:
    """Without what differs between any two batches."""
    now = batches.get(batch.batch_id).unwrap()
    found = batches.store.completions(batch.batch_id).unwrap().values()
    in_array = {name: replace(one, completed_at=None) for name, one in now.in_array.items()}
    counted = (now.counts, now.counter, now.total_predictions, in_array)
    return counted, [replace(one, completed_at=None) for one in found]


def _without(headers: dict[str, str | bytes], names: set[str]) -> dict[str, str | bytes]:
    return {name: value for name, value in headers.items() if name not in names}
