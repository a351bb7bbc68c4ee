from pathlib import Path

import pytest

from infra.deploy import command, main
from tests.support.a_function import a_function

ENVIRONMENT = {"GCP_PROJECT": "a-project", "SPORT": "nba", "REGION": "us-west2"}


def flags_of(command: list[str]) -> dict[str, str]:
    return dict(part.removeprefix("--").partition("=")[::2] for part in command if part.startswith("--"))


def the_command(environment: dict[str, str] = ENVIRONMENT, **changes: object) -> dict[str, str]:
    call = command("recorder", a_function(**changes), "python311", environment, Path("/stage/recorder"))
    assert call[:4] == ["gcloud", "functions", "deploy", "nba-recorder"]
    return flags_of(call)


def test_command_says_all_that_the_manifest_says() -> None:
    flags = the_command(
        {**ENVIRONMENT, "SLACK_WEBHOOK_URL_SECRET": "slack-webhook"}, secrets=["SLACK_WEBHOOK_URL", "ANOTHER"]
    )

    assert flags == {
        "gen2": "",
        "trigger-http": "",
        "no-allow-unauthenticated": "",
        "quiet": "",
        "project": "a-project",
        "region": "us-west2",
        "runtime": "python311",
        "source": "/stage/recorder",
        "entry-point": "recorder",
        "ingress-settings": "internal-only",
        "run-service-account": "recorder@a-project.iam.gserviceaccount.com",
        "memory": "512Mi",
        "cpu": "1",
        "timeout": "60s",
        "concurrency": "80",
        "min-instances": "0",
        "max-instances": "4",
        "update-env-vars": "^|^GCP_PROJECT=a-project|SPORT=nba|FUNCTION_USE_ASGI=true",
        "update-secrets": "SLACK_WEBHOOK_URL=slack-webhook:latest",
    }


def test_optional_setting_is_taken_over_when_it_is_set_and_others_never() -> None:
    flags = the_command({**ENVIRONMENT, "DATASET_PREFIX": "t1", "AWS_SECRET": "x"})

    assert flags["update-env-vars"].removeprefix("^|^").split("|") == [
        "GCP_PROJECT=a-project",
        "SPORT=nba",
        "DATASET_PREFIX=t1",
        "FUNCTION_USE_ASGI=true",
    ]


def test_function_whose_secrets_nobody_names_does_without() -> None:
    assert "update-secrets" not in the_command(secrets=["SLACK_WEBHOOK_URL"])


def test_variables_that_somebody_set_by_hand_survive() -> None:
    assert not {"set-env-vars", "clear-env-vars", "set-secrets"} & the_command().keys()


def test_everything_that_is_not_set_is_named_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--dry-run"], {}) == 1
    assert capsys.readouterr().err == "deploy: set GCP_PROJECT, REGION, SPORT\n"


def test_unknown_sport_and_unknown_function_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--dry-run"], ENVIRONMENT | {"SPORT": "cricket"}) == 1
    assert main(["--dry-run", "no_such_function"], ENVIRONMENT) == 1

    sport, function = capsys.readouterr().err.splitlines()
    assert sport == "deploy: SPORT=cricket: none of nba, mlb"
    assert function == "deploy: no_such_function: not in functions/manifest.json"


def test_value_that_would_tear_the_list_of_variables_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--dry-run"], ENVIRONMENT | {"DATASET_PREFIX": "a|b"}) == 1
    assert capsys.readouterr().err.startswith("deploy: DATASET_PREFIX: must not contain |")
