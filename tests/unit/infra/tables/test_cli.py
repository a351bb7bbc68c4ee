"""The command's exit status says what a person has to do."""

import pytest
from google.api_core.exceptions import Forbidden
from google.auth.exceptions import DefaultCredentialsError

from infra.tables import cli
from infra.tables.applying import MissingDatasets
from infra.tables.difference import Change

COMMAND = ["--project", "a-project", "--sport", "nba"]
MENDED = Change(what="d.t: column x is missing", sql="ALTER TABLE `d.t`\nADD COLUMN x INT64")
DECIDED = Change(what="d.t: column y is INT64, not STRING")


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "connect", lambda *_: None)
    monkeypatch.setattr(cli, "apply", lambda _, planned: [each for each in planned if each.sql is None])


def differing(monkeypatch: pytest.MonkeyPatch, *changes: Change) -> None:
    monkeypatch.setattr(cli, "plan", lambda *_: list(changes))


@pytest.mark.parametrize(
    ("changes", "flags", "status"),
    [
        pytest.param((), [], 0, id="nothing to do"),
        pytest.param((), ["--dry-run"], 0, id="nothing would be done"),
        pytest.param((MENDED,), [], 0, id="mended"),
        pytest.param((MENDED,), ["--dry-run"], 1, id="would be mended"),
        pytest.param((MENDED, DECIDED), [], 1, id="something is left to a person"),
    ],
)
def test_status_tells_whether_anything_is_left(
    monkeypatch: pytest.MonkeyPatch, changes: tuple[Change, ...], flags: list[str], status: int
) -> None:
    differing(monkeypatch, *changes)

    assert cli.main([*COMMAND, *flags], {}) == status


def test_difference_is_told_with_its_statement_or_as_left_to_a_person(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    differing(monkeypatch, MENDED, DECIDED)

    cli.main(COMMAND, {})

    assert capsys.readouterr().out == (
        "+ d.t: column x is missing\n    ALTER TABLE `d.t`\n    ADD COLUMN x INT64\n"
        "! d.t: column y is INT64, not STRING\n"
    )


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (DefaultCredentialsError("…"), "gcloud auth application-default login"),
        (MissingDatasets("nba_raw: not there; run terraform apply first"), "terraform apply"),
        (Forbidden("no"), "403 no"),
    ],
    ids=["no account", "no datasets", "no right"],
)
def test_whoever_could_not_look_is_told_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fault: Exception, told: str
) -> None:
    def plan(*_: object) -> list[Change]:
        raise fault

    monkeypatch.setattr(cli, "plan", plan)

    assert cli.main(COMMAND, {}) == 3
    assert told in capsys.readouterr().err
