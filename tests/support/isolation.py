"""What keeps a test away from the cloud and, where asked, from any network."""

import re
import socket
from collections.abc import Iterable
from typing import NoReturn

import pytest

_CLOUD_VARIABLE = re.compile(
    r"(GCP|GOOGLE|GCLOUD|SLACK|FUNCTION|K)_.*|.*_EMULATOR_HOST"
    r"|SPORT|ENVIRONMENT|DATASET_PREFIX|ENABLE_SUBCOLLECTION_COMPLETIONS|DUAL_WRITE_MODE|USE_SUBCOLLECTION_READS"
)
_NO_FILE = "/dev/null/tests-have-no-credentials"


class NetworkRefused(Exception):
    """A test that must need no network opened a connection."""


def remove_cloud_variables(names: Iterable[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of `names`, those that configure us or a Google client. Credentials of the user are not found either.

    A client that is built without its emulator then fails at once, and never reaches a real project.
    """
    for name in filter(_CLOUD_VARIABLE.fullmatch, list(names)):
        monkeypatch.delenv(name)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", _NO_FILE)


def refuse_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """`socketpair`, by which asyncio wakes itself, connects nothing and goes on working."""

    def refuse(self: socket.socket, address: object) -> NoReturn:
        raise NetworkRefused(f"a unit test connects to {address!r}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
