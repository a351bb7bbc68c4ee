"""Which system a command works on, and what is said where there is none."""

import json
from pathlib import Path

import pytest

from ops.where import LOCAL_FILE, from_environment, local


def served(root: Path, content: str) -> Path:
    file = root / LOCAL_FILE
    file.parent.mkdir()
    file.write_text(content, encoding="utf-8")
    return root


def test_local_stack_is_found_by_the_file_that_it_left(tmp_path: Path) -> None:
    environment = {"GCP_PROJECT": "local", "SPORT": "mlb", "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1"}

    found = local(served(tmp_path, json.dumps({"environment": environment}))).unwrap()

    assert found.name == "local stack (mlb)"
    assert found.environment == environment


@pytest.mark.parametrize("content", [None, "{", "[]", "{}"], ids=["no file", "cut", "a list", "empty"])
def test_stack_that_does_not_serve_is_said_with_the_command_that_starts_it(
    tmp_path: Path, content: str | None
) -> None:
    root = tmp_path if content is None else served(tmp_path, content)

    error = local(root).error

    assert error is not None and error.exception_class == "NotServed"
    assert "./local/run serve" in error.message


def test_project_is_named_by_the_environment_as_for_the_functions() -> None:
    found = from_environment({"GCP_PROJECT": "p", "SPORT": "nba", "DATASET_PREFIX": "test"}).unwrap()

    assert (found.name, found.is_local) == ("p (nba, prefix test)", False)


def test_missing_project_is_named() -> None:
    error = from_environment({"SPORT": "nba"}).error

    assert error is not None and "GCP_PROJECT" in error.message
