"""The documents in Firestore, for the tasks of an event loop."""

from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property
from typing import Final, TypeVar

from google.api_core.retry import AsyncRetry
from google.cloud import firestore

from ..result import Result, is_transient
from .document import Document
from .port import Written
from .store import CALL_TIMEOUT_SECONDS, FAULTS, PRECONDITION, RETRY_TIMEOUT_SECONDS, failure_of
from .translation import add, answers, document_of
from .wire_commit import WireCommit
from .writes import Write

T = TypeVar("T")

# As the synchronous one. Aborted and DeadlineExceeded are repeated, too, which the library's own predicate
# leaves out.
ASYNC_RETRY: Final = AsyncRetry(
    predicate=is_transient, initial=0.05, maximum=2.0, timeout=RETRY_TIMEOUT_SECONDS
)


class AsyncFirestoreDocuments:
    """Made anywhere, used in the event loop of its client: the first call binds the connection to that
    loop.
    """

    def __init__(self, client: firestore.AsyncClient) -> None:
        self.client = client

    async def get(self, paths: Sequence[str]) -> Result[dict[str, Document]]:
        """As `Documents.get`; one BatchGetDocuments request, so that all of it is of one moment."""
        references = [self.client.document(path) for path in paths]

        async def read() -> dict[str, Document]:
            stream = self.client.get_all(references, retry=ASYNC_RETRY, timeout=CALL_TIMEOUT_SECONDS)
            found = [document_of(snapshot) async for snapshot in stream if snapshot.exists]
            return {document.path: document for document in found}

        return await _caught(paths[0], read)

    async def commit(self, writes: Sequence[Write]) -> Result[Sequence[Written]]:
        """As `Documents.commit`: by the wire commit, or by the client's public API where a release of it has
        another shape inside. Both give the same answers; a contract test compares them.
        """
        # By the wire wherever it is known: the builder of the client is a third of a recording.
        wire = self._wire
        if wire is None:
            return await self._commit_by_client(writes)
        try:
            return Result.success(await wire.send(writes))
        except (*PRECONDITION, *FAULTS) as exc:
            return Result.failure(failure_of(exc, writes[0].path))

    async def _commit_by_client(self, writes: Sequence[Write]) -> Result[Sequence[Written]]:
        batch = self.client.batch()
        for each in writes:
            add(self.client, batch, each)

        async def send() -> Sequence[Written]:
            return answers(writes, await batch.commit(retry=ASYNC_RETRY, timeout=CALL_TIMEOUT_SECONDS))

        return await _caught(writes[0].path, send)

    @cached_property
    def _wire(self) -> WireCommit | None:
        """Made at the first commit, as it needs the event loop; None where the client has changed inside."""
        return WireCommit.over(self.client, retry=ASYNC_RETRY, timeout_seconds=CALL_TIMEOUT_SECONDS)


async def _caught(path: str, call: Callable[[], Awaitable[T]]) -> Result[T]:
    """As in `store`: faults and refusals become failures that name the path."""
    try:
        return Result.success(await call())
    except (*PRECONDITION, *FAULTS) as exc:
        return Result.failure(failure_of(exc, path))
