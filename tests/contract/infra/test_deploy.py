"""Deploying, with a program in place of gcloud that notes how it is called."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from infra.deploy import main
from tests.support.source_tree import FUNCTIONS, ROOT

ENVIRONMENT = {"GCP_PROJECT": "a-project", "SPORT": "nba", "REGION": "us-west2"}


class Gcloud:
    """Stands in for gcloud: notes how it was called, and fails when it is told to."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._notes = folder / "calls"
        self._program = folder / "gcloud"
        self.exits_with(0)
        monkeypatch.setenv("PATH", str(folder), prepend=":")

    def exits_with(self, status: int) -> None:
        note = f"open({str(self._notes)!r}, 'a').write(json.dumps(sys.argv[1:]) + chr(10))"
        self._program.write_text(f"#!{sys.executable}\nimport json, sys\n{note}\nsys.exit({status})\n")
        self._program.chmod(0o755)

    @property
    def calls(self) -> list[list[str]]:
        return (
            [json.loads(line) for line in self._notes.read_text().splitlines()]
            if self._notes.exists()
            else []
        )


@pytest.fixture
def gcloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gcloud:
    return Gcloud(tmp_path, monkeypatch)


def test_dry_run_prints_each_command_and_runs_none(
    gcloud: Gcloud, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--dry-run"], ENVIRONMENT) == 0

    printed = [shlex.split(line) for line in capsys.readouterr().out.splitlines()]
    assert {"nba-completion-recorder", "nba-consolidation-trigger"} <= {command[3] for command in printed}
    assert gcloud.calls == []


def test_deployment_runs_exactly_what_it_prints(gcloud: Gcloud, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion_recorder"], ENVIRONMENT) == 0

    (line,) = capsys.readouterr().out.splitlines()
    assert [["gcloud", *call] for call in gcloud.calls] == [shlex.split(line)]


def test_failure_of_gcloud_ends_the_deployment_with_its_status(
    gcloud: Gcloud, capsys: pytest.CaptureFixture[str]
) -> None:
    gcloud.exits_with(3)

    assert main([], ENVIRONMENT) == 3
    assert len(gcloud.calls) == 1
    assert "gcloud failed with status 3" in capsys.readouterr().err


def test_function_that_does_not_start_is_not_deployed(
    gcloud: Gcloud, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--verify", "/bin/false"], ENVIRONMENT) == 1

    assert gcloud.calls == []
    assert capsys.readouterr().err.startswith("deploy: completion_recorder: ")


def test_stage_is_made_where_it_is_asked_for_without_any_setting(tmp_path: Path, gcloud: Gcloud) -> None:
    assert main(["--stage", str(tmp_path / "out")], {}) == 0

    assert {path.name for path in (tmp_path / "out").iterdir()} == set(FUNCTIONS)
    assert gcloud.calls == []


def test_interpreter_that_is_not_there_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["--stage", str(tmp_path), "--verify", "/no/such/python"], {}) == 1
    assert capsys.readouterr().err == "deploy: /no/such/python: cannot be run\n"


def test_gcloud_that_is_not_installed_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert main(["completion_recorder"], ENVIRONMENT) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "deploy: gcloud: not found"


def test_help_names_every_mode() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "infra.deploy", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert all(mode in told for mode in ("--dry-run", "--stage", "--verify", "GCP_PROJECT"))


def test_script_stages_relative_to_where_it_is_called(tmp_path: Path) -> None:
    subprocess.run(
        [ROOT / "deploy.sh", "--stage", "out", "completion_recorder"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )

    assert (tmp_path / "out" / "completion_recorder" / "common" / "topics.json").is_file()
