"""One suite for both stores of lock documents."""

import pytest
from google.cloud import firestore

from tests.support.lock_backends import Backend, FirestoreBackend, MemoryBackend


@pytest.fixture(params=["firestore", "memory"])
def backend(request: pytest.FixtureRequest, firestore_client: firestore.Client) -> Backend:
    return FirestoreBackend(firestore_client) if request.param == "firestore" else MemoryBackend()
