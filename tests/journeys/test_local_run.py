"""The whole system on one machine, by its command: it plays, it judges, and it leaves nothing behind."""

import signal
import socket
from pathlib import Path

import pytest

from local.sabotage.catalogue import DEFECTS
from tests.support.local_run import WITHIN, local_run
from tests.support.polling import eventually


def test_a_slate_with_chaos_on_it_keeps_every_promise_and_leaves_nothing(tmp_path: Path) -> None:
    """Isolated by the prefix that its environment sets, too: a run without one is the next test's."""
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
    isolated = {"DATASET_PREFIX": "mine", "ENVIRONMENT": "staging"}
    with local_run(*arguments, folder=tmp_path, **isolated) as run:
        status = run.status()

        assert status == 0, run.said
        assert "✔ The crash was real" in run.said
        assert "✔ Each boundary dispatched once, for the right reason" in run.said
        assert "Every promise is kept." in run.said
        assert run.processes() == []
        assert list(run.temporary.iterdir()) == []


@pytest.mark.timeout(600)
def test_whatever_is_broken_on_purpose_is_named_mended_and_told_to_be_over(tmp_path: Path) -> None:
    with local_run("--players", "6", "--workers", "1", "--sabotage", folder=tmp_path) as run:
        status = run.status(within=6 * WITHIN)

        assert status == 0, run.said
        for defect in DEFECTS:
            (line,) = (each for each in run.said.splitlines() if f"✔ {defect.finding_class.value} " in each)
            assert line.split()[-1] == "resolved"
        assert f"All {len(DEFECTS)} classes were named, mended and told to be over." in run.said
        assert "Every promise is kept." in run.said


def test_a_run_that_is_out_of_time_names_who_is_missing_and_keeps_its_logs(tmp_path: Path) -> None:
    arguments = ("--players", "150", "--workers", "1", "--timeout", "1")
    with local_run(*arguments, folder=tmp_path, DUAL_WRITE_MODE="true") as run:
        status = run.status()

        assert status == 1, run.said
        assert "players are missing" in run.said
        assert "./local/run: out of time; broken: Counted once" in run.said
        assert "Traceback" not in run.said
        assert run.processes() == []
        assert list(run.temporary.glob("local-run-*/nba-completion-recorder.log"))


def test_a_run_that_is_killed_leaves_no_process_and_its_folder_goes_with_the_next(tmp_path: Path) -> None:
    with local_run(folder=tmp_path) as run:
        run.wait_for("✔ emulators")

        run.send(signal.SIGKILL)

        eventually(lambda: run.processes() == [])
        assert len(list(run.temporary.iterdir())) == 1
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        local_run("serve", "--pubsub-port", str(taken.getsockname()[1]), folder=tmp_path) as following,
    ):
        assert following.status() == 1
        assert list(following.temporary.iterdir()) == []


def test_a_run_that_is_terminated_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    with local_run(folder=tmp_path) as run:
        run.wait_for("players")

        run.send(signal.SIGTERM)

        assert run.status() == 130
        assert "stopped; nothing is left running" in run.said
        assert run.processes() == []
        assert list(run.temporary.iterdir()) == []


def test_a_setting_that_no_function_would_take_is_one_line(tmp_path: Path) -> None:
    with local_run("--players", "6", folder=tmp_path, ENVIRONMENT="PROD UCTION") as run:
        assert run.status() == 1

        assert "./local/run: settings: ENVIRONMENT='PROD UCTION'" in run.said
        assert "Traceback" not in run.said


def test_an_option_of_a_run_before_another_command_is_refused(tmp_path: Path) -> None:
    with local_run("--players", "3", "serve", folder=tmp_path) as run:
        assert run.status() == 2
        assert "--players is an option of a run; serve does not know it" in run.said


def test_one_port_for_two_emulators_is_one_line(tmp_path: Path) -> None:
    with local_run("serve", "--firestore-port", "18080", "--pubsub-port", "18080", folder=tmp_path) as run:
        assert run.status() == 1

        [line] = run.said.splitlines()
        assert "firestore and pubsub: port 18080 can serve only one of them" in line


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
