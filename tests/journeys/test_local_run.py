"""The whole system on one machine, by its command: it plays, it judges, and it leaves nothing behind."""

import signal
import socket
from pathlib import Path

import pytest

from tests.support.local_run import local_run
from tests.support.polling import eventually


def test_a_slate_with_chaos_on_it_keeps_every_promise_and_leaves_nothing(tmp_path: Path) -> None:
    arguments = (
        "--players",
        "12",
        "--workers",
        "2",
        "--duplicates",
        "0.5",
        "--shuffle",
        "--kill",
        "recorder",
    )
    with local_run(*arguments, folder=tmp_path) as run:
        status = run.status()

        assert status == 0, run.said
        assert "✔ The crash was real" in run.said
        assert "Every promise is kept." in run.said
        assert run.processes() == []
        assert list(run.temporary.iterdir()) == []


def test_a_run_that_is_out_of_time_names_who_is_missing_and_keeps_its_logs(tmp_path: Path) -> None:
    with local_run("--players", "450", "--workers", "1", "--timeout", "1", folder=tmp_path) as run:
        status = run.status()

        assert status == 1, run.said
        assert "players are missing" in run.said
        assert "./local/run: out of time; broken: Counted once" in run.said
        assert "Traceback" not in run.said
        assert run.processes() == []
        assert list(run.temporary.glob("local-run-*/nba-completion-recorder.log"))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "terminated"])
def test_a_run_that_is_ended_while_it_starts_leaves_no_process(how: signal.Signals, tmp_path: Path) -> None:
    with local_run(folder=tmp_path) as run:
        run.wait_for("✔ emulators")

        run.send(how)

        eventually(lambda: run.processes() == [])


def test_more_players_than_there_are_is_one_line(tmp_path: Path) -> None:
    with local_run("--players", "9999", folder=tmp_path) as run:
        assert run.status() == 1

        [line] = run.said.splitlines()
        assert "--players 9999: between 1 and" in line


def test_a_taken_port_is_one_line_that_says_who_can_be_asked(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with local_run("serve", "--pubsub-port", str(port), folder=tmp_path) as run:
            assert run.status() == 1

            [line] = run.said.splitlines()
            assert f"pubsub: port {port} is taken" in line
            assert f"lsof -i :{port}" in line
            assert list(run.temporary.iterdir()) == []
