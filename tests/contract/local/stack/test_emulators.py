"""The emulators start, say in one line why they do not, and leave nothing behind."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.machine import MissingTool
from local.stack.emulators import BIGQUERY, FIRESTORE, KINDS, PUBSUB, Emulators, Kind
from local.stack.ports import LOOPBACK, BusyPort
from tests.support.fake_tools import install
from tests.support.polling import eventually
from tests.support.process_marks import ProcessMark

_OWNER = """
import json, sys, time
from pathlib import Path
from local.stack.emulators import Emulators
with Emulators.start(Path(sys.argv[1]), project="tests") as emulators:
    print(json.dumps(emulators.environment), flush=True)
    sys.stdin.readline()
"""


def listens(host: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, int(host.rpartition(":")[2]))) == 0


@pytest.mark.parametrize("is_killed", [False, True], ids=["the owner ends", "the owner is killed"])
def test_no_process_and_no_port_is_left(is_killed: bool, tmp_path: Path) -> None:
    mark = ProcessMark()
    command = [sys.executable, "-c", _OWNER, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=os.environ | mark.variable, stdin=pipe, stdout=pipe, text=True
    ) as owner:
        assert owner.stdin is not None and owner.stdout is not None
        hosts = list(json.loads(owner.stdout.readline()).values())
        assert len(hosts) == len(KINDS) and all(map(listens, hosts))

        if is_killed:
            owner.kill()
        else:
            owner.stdin.close()

    eventually(lambda: mark.alive() == [])
    assert not any(map(listens, hosts))


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(BusyPort, match=f"^firestore: port {port} is taken.*$"):
            Emulators.start(tmp_path, "tests", kinds=[FIRESTORE], ports={"firestore": port})


@pytest.mark.parametrize("kind", [FIRESTORE, PUBSUB], ids=lambda kind: kind.name)
def test_without_gcloud_the_user_is_told_where_to_get_it(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "java", says='openjdk version "21"')
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(MissingTool, match=r"^gcloud is not installed: see https.*$"):
        Emulators.start(tmp_path / "run", "tests", kinds=[kind])


def test_without_the_spatial_extension_setup_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    with pytest.raises(MissingTool, match=r"spatial extension.*: \./local/setup$"):
        Emulators.start(tmp_path / "run", "tests", kinds=[BIGQUERY])
