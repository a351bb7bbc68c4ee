# grpc's own functions carry no types.
# mypy: disable-error-code="no-untyped-call, no-any-return"
"""The call that goes past the library's layers says to the server what the library's own call says."""

import grpc
import pytest
from google.cloud import firestore

from common.batches.batches import Batches
from common.recorder.commit_request import Commits, build, send_blocking
from common.recorder.subcollection_commit import ASYNC_RETRY
from tests.support.batch_documents import ended
from tests.support.batch_helpers import opened
from tests.support.grpc_server import serving
from tests.support.io_steps import IoSteps

OF_THE_CONNECTION = {"user-agent", "grpc-accept-encoding", "grpc-timeout"}


class Listening(IoSteps):
    """Notes the headers of every call."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.headers: list[dict[str, str | bytes]] = []

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        self.headers.append(dict(handler_call_details.invocation_metadata))
        return super().service(handler_call_details)


async def test_headers_are_those_of_the_librarys_own_call(
    firestore_host: str, project_id: str, batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = opened(batches, 2)
    listening = Listening(firestore_host)
    with serving(listening) as address:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address)
        client = firestore.AsyncClient(project=project_id)
        blocking = firestore.Client(project=project_id)
        committed = await Commits(client, retry=ASYNC_RETRY).send(
            build(client, batch, [ended("player00000")])
        )
        send_blocking(blocking, build(blocking, batch, [ended("player00001")]))

    ours, theirs = (_without(headers, OF_THE_CONNECTION) for headers in listening.headers)
    assert committed.counts.completed == 1
    assert ours.keys() == theirs.keys()
    assert ours["x-goog-request-params"] == theirs["x-goog-request-params"]
    assert "google-cloud-resource-prefix" in ours


def _without(headers: dict[str, str | bytes], names: set[str]) -> dict[str, str | bytes]:
    return {name: value for name, value in headers.items() if name not in names}
