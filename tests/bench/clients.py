"""Clients of an emulator at another address than the environment names."""

import pytest
from google.cloud import firestore

from local.stack.emulators import FIRESTORE


def firestore_at(host: str, project: str) -> firestore.Client:
    """Of the emulator at HOST:PORT; the environment is afterwards as before."""
    with pytest.MonkeyPatch.context() as meanwhile:
        meanwhile.setenv(FIRESTORE.variable, host)
        return firestore.Client(project=project)
