"""Batches on the Firestore emulator, in the mode that a test asks for, and what works on them."""

import pytest
from google.cloud import firestore

from common.batches.batches import Batches
from common.batches.closing import TriggerOutbox
from common.maintenance.deadlines import OverdueBatches
from common.recorder.recorder import Recorder
from common.schema_mode import SchemaMode
from tests.support.batch_helpers import Published


@pytest.fixture
def mode() -> SchemaMode:
    return SchemaMode.SUBCOLLECTION


@pytest.fixture
def batches(firestore_client: firestore.Client, mode: SchemaMode) -> Batches:
    return Batches(firestore_client, mode=mode)


@pytest.fixture
def recorder(async_firestore_client: firestore.AsyncClient, batches: Batches) -> Recorder:
    return Recorder(async_firestore_client, batches)


@pytest.fixture
def another_recorder(async_firestore_client: firestore.AsyncClient, batches: Batches) -> Recorder:
    """Another instance: it knows nothing of what the first has seen."""
    return Recorder(async_firestore_client, batches)


@pytest.fixture
def published() -> Published:
    return Published()


@pytest.fixture
def outbox(batches: Batches, published: Published) -> TriggerOutbox:
    return TriggerOutbox(batches.store, lambda: published)


@pytest.fixture
def overdue(batches: Batches, outbox: TriggerOutbox) -> OverdueBatches:
    return OverdueBatches(batches, outbox)
