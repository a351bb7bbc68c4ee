"""What keeps a test away from the cloud and, where asked, from any network."""

import re
import socket
from collections.abc import Callable, Iterable

import pytest

_CLOUD_VARIABLE = re.compile(
    r"(GCP|GOOGLE|GCLOUD|SLACK|FUNCTION|K)_.*|.*_EMULATOR_HOST"
    r"|SPORT|ENVIRONMENT|DATASET_PREFIX|ENABLE_SUBCOLLECTION_COMPLETIONS|DUAL_WRITE_MODE|USE_SUBCOLLECTION_READS"
)
_NO_FILE = "/dev/null/tests-have-no-credentials"

Connect = Callable[[socket.socket, object], object]


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
    """To all but Unix sockets, by which the processes of one machine talk. Servers may still be bound."""
    for method in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, method, _local_only(getattr(socket.socket, method)))


def _local_only(connect: Connect) -> Connect:
    def refuse_network(self: socket.socket, address: object) -> object:
        if self.family != socket.AF_UNIX:
            raise NetworkRefused(f"a unit test connects to {address!r}")
        return connect(self, address)

    return refuse_network
