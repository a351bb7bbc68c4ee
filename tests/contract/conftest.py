"""Batches in the store and in the mode that a test asks for, and what works on them."""

from datetime import UTC, datetime

import pytest
from google.cloud import firestore

from common.batches.batches import Batches
from common.batches.trigger_outbox import TriggerOutbox
from common.documents.async_store import AsyncFirestoreDocuments
from common.documents.memory_store import AsyncMemoryDocuments, MemoryDocuments
from common.documents.port import AsyncDocuments, Documents
from common.documents.store import FirestoreDocuments
from common.maintenance.deadlines import OverdueBatches
from common.recorder.recorder import Recorder
from common.schema_mode import SchemaMode
from tests.support.batch_helpers import Published


@pytest.fixture
def mode() -> SchemaMode:
    return SchemaMode.SUBCOLLECTION


@pytest.fixture
def kind() -> str:
    """Which store: `emulator`, or `in-memory` where a folder asks for both."""
    return "emulator"


@pytest.fixture
def in_memory() -> MemoryDocuments:
    return MemoryDocuments(lambda: datetime.now(UTC))


@pytest.fixture
def documents(kind: str, firestore_client: firestore.Client, in_memory: MemoryDocuments) -> Documents:
    return in_memory if kind == "in-memory" else FirestoreDocuments(firestore_client)


@pytest.fixture
def async_documents(
    kind: str, async_firestore_client: firestore.AsyncClient, in_memory: MemoryDocuments
) -> AsyncDocuments:
    if kind == "in-memory":
        return AsyncMemoryDocuments(in_memory)
    return AsyncFirestoreDocuments(async_firestore_client)


@pytest.fixture
def batches(documents: Documents, mode: SchemaMode) -> Batches:
    return Batches(documents, mode=mode)


@pytest.fixture
def recorder(async_documents: AsyncDocuments, batches: Batches) -> Recorder:
    return Recorder(async_documents, batches)


@pytest.fixture
def another_recorder(async_documents: AsyncDocuments, batches: Batches) -> Recorder:
    """Another instance: it knows nothing of what the first has seen."""
    return Recorder(async_documents, batches)


@pytest.fixture
def published() -> Published:
    return Published()


@pytest.fixture
def outbox(batches: Batches, published: Published) -> TriggerOutbox:
    return TriggerOutbox(batches.store, lambda: published)


@pytest.fixture
def overdue(batches: Batches, outbox: TriggerOutbox) -> OverdueBatches:
    return OverdueBatches(batches, outbox)
