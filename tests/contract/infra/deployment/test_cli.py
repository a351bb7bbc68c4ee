"""The command line: what it refuses before anything is asked, what it stages, what it tells."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra.deployment.cli import main
from infra.deployment.difference import Drift
from tests.support.gcloud_project import GIVEN
from tests.support.source_tree import FUNCTIONS, ROOT

PYTHON = str(ROOT / ".venv" / "functions" / "bin" / "python")
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def no_gcloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here asks gcloud: if something did, it would say that it is not installed."""
    monkeypatch.setenv("PATH", str(tmp_path))


RECORDER, TRIGGER = "completion_recorder", "consolidation_trigger"


@pytest.mark.parametrize(
    ("function", "name", "value", "told"),
    [
        pytest.param(RECORDER, "ENVIRONMENT", "PROD UCTION", "ENVIRONMENT='PROD UCTION'", id="name"),
        pytest.param(RECORDER, "DUAL_WRITE_MODE", "maybe", "DUAL_WRITE_MODE='maybe'", id="flag"),
        pytest.param(RECORDER, "USE_SUBCOLLECTION_READS", "false", "no valid combination", id="flags"),
        pytest.param(TRIGGER, "LOCK_LEASE_SECONDS", "1", "LOCK_LEASE_SECONDS='1'", id="lease"),
    ],
)
def test_value_that_would_stop_a_function_at_its_start_is_refused_before_anything_is_deployed(
    capsys: Captured, function: str, name: str, value: str, told: str
) -> None:
    assert main(["--dry-run", "--only", function, "--verify", PYTHON], {**GIVEN, name: value}) == 1

    said = capsys.readouterr()
    assert f"deploy: {function}: would not start: " in said.err and told in said.err
    assert "gcloud run deploy" not in said.out


def test_project_that_is_none_is_refused_before_anything_is_staged(capsys: Captured) -> None:
    assert main(["--dry-run", "--project", "a b"], GIVEN) == 1

    said = capsys.readouterr()
    assert said.err.startswith("deploy: GCP_PROJECT='a b': no project id")
    assert said.out == ""


def test_options_say_what_the_environment_does_not(capsys: Captured) -> None:
    place = ["--project", "a-project", "--region", "us-west2", "--sport", "mlb"]

    assert main(["--dry-run", "--verify", "/bin/true", "--only", "completion_recorder", *place], {}) == 0

    said = capsys.readouterr().out
    assert "gcloud run deploy mlb-completion-recorder --project=a-project --region=us-west2" in said


def test_everything_that_is_not_set_is_named_at_once(capsys: Captured) -> None:
    assert main(["--dry-run"], {}) == 1
    assert capsys.readouterr().err == "deploy: set GCP_PROJECT, REGION, SPORT\n"


def test_unknown_function_is_named(capsys: Captured) -> None:
    assert main(["--dry-run", "--only", "no_such_function"], GIVEN) == 1
    assert capsys.readouterr().err == "deploy: no_such_function: not in functions/manifest.json\n"


def test_stage_is_made_where_it_is_asked_for_without_any_setting(tmp_path: Path) -> None:
    assert main(["--stage", str(tmp_path / "out"), "--verify", PYTHON], {}) == 0

    assert {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()} == set(FUNCTIONS)


def test_stage_onto_the_sources_or_onto_a_file_is_one_line(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.chdir(ROOT)

    assert main(["--stage", "functions"], {}) == 1
    assert main(["--stage", str(tmp_path / "file")], {}) == 1

    sources, file = capsys.readouterr().err.splitlines()
    assert sources.startswith("deploy: functions: lies in the tree that is staged")
    assert file == f"deploy: {tmp_path / 'file'}: is not a folder"
    assert (ROOT / "functions" / "completion_recorder" / "main.py").is_file()


def test_interpreter_that_is_not_there_is_told_in_one_line(capsys: Captured, tmp_path: Path) -> None:
    assert main(["--stage", str(tmp_path / "out"), "--verify", "/no/such/python"], {}) == 1
    assert capsys.readouterr().err == "deploy: /no/such/python: cannot be run\n"


def test_gcloud_that_is_not_installed_is_told_with_where_to_get_it(capsys: Captured) -> None:
    assert main(["--only", "completion_recorder"], GIVEN) == 1

    told = capsys.readouterr().err
    assert told.startswith("deploy: preflight: gcloud is not installed")
    assert "https://cloud.google.com/sdk" in told


def test_help_names_every_mode_and_every_exit_status() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "infra.deployment", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    modes = ("--dry-run", "--only", "--status", "--rollback", "--stage", "--project", "--region", "--sport")
    assert all(mode in told for mode in modes)
    assert all(str(kind.value) in told for kind in Drift)


def test_script_stages_relative_to_where_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    subprocess.run(
        [ROOT / "deploy.sh", "--stage", "out", "--only", "completion_recorder"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )

    assert (tmp_path / "out" / "completion_recorder" / "common" / "topics.json").is_file()
