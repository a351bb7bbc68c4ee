"""A service and all that it started end with the process that wanted it, however that one ends."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from local.stack.service import Service, ServiceFailed
from tests.support.polling import eventually
from tests.support.process_marks import ProcessMark

# As gcloud and gunicorn do: it starts others, which stay when only it is ended.
_SERVER = ["sh", "-c", "sleep 600 & sleep 600 & wait"]
_OWNER = f"""
import sys, time
from pathlib import Path
from local.stack.service import Service
service = Service.start("server", {_SERVER!r}, log=Path(sys.argv[1]))
time.sleep(600)
"""
_PROCESSES = 4  # the guard, the shell, two sleeps


@pytest.fixture
def mark() -> ProcessMark:
    return ProcessMark()


def start(command: list[str], mark: ProcessMark, log: Path) -> Service:
    return Service.start("server", command, log=log, environment=os.environ | mark.variable)


def test_after_stop_nothing_of_it_is_left(mark: ProcessMark, tmp_path: Path) -> None:
    service = start(_SERVER, mark, tmp_path / "log")
    eventually(lambda: len(mark.alive()) == _PROCESSES)

    service.stop()

    assert mark.alive() == []
    assert not service.is_running


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "terminated"])
def test_when_its_owner_dies_nothing_of_it_is_left(
    how: signal.Signals, mark: ProcessMark, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", _OWNER, str(tmp_path / "log")]
    with subprocess.Popen(command, env=os.environ | mark.variable) as owner:
        eventually(lambda: len(mark.alive()) == 1 + _PROCESSES)

        owner.send_signal(how)

    eventually(lambda: mark.alive() == [])


def test_within_its_grace_it_may_finish(mark: ProcessMark, tmp_path: Path) -> None:
    log = tmp_path / "log"
    service = start(["sh", "-c", "trap 'echo finished; exit' TERM; echo up; sleep 600 & wait"], mark, log)
    eventually(lambda: "up" in log.read_text())

    service.stop(grace=timedelta(seconds=20))

    assert log.read_text().split() == ["up", "finished"]
    assert mark.alive() == []


def test_what_ignores_the_request_is_killed_after_its_grace(mark: ProcessMark, tmp_path: Path) -> None:
    log = tmp_path / "log"
    service = start(["sh", "-c", "trap '' TERM; echo up; sleep 600"], mark, log)
    eventually(lambda: "up" in log.read_text())

    service.stop(grace=timedelta(milliseconds=200))

    assert mark.alive() == []


def test_a_server_that_ends_while_it_starts_says_so_with_its_last_words(
    mark: ProcessMark, tmp_path: Path
) -> None:
    service = start(["sh", "-c", "echo starting; echo out of memory; exit 3"], mark, tmp_path / "log")

    with pytest.raises(ServiceFailed, match=r"server ended while it was starting.*: out of memory$"):
        service.wait_until(lambda: False, within=timedelta(seconds=20))

    service.stop()


def test_a_server_that_never_answers_is_given_up(mark: ProcessMark, tmp_path: Path) -> None:
    service = start(_SERVER, mark, tmp_path / "log")

    with pytest.raises(ServiceFailed, match="not ready"):
        service.wait_until(lambda: False, within=timedelta(milliseconds=100))

    service.stop()
    assert mark.alive() == []
