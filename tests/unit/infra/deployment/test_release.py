"""What a revision is made of, and the hash over all of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.deployment.problem import DeployError
from infra.deployment.release import Release, digest, environment, release, secret_names, unsaid
from infra.deployment.target import target
from tests.support.a_function import a_function
from tests.support.gcloud_project import GIVEN

FUNCTION = a_function(optional_env=["DATASET_PREFIX", "DUAL_WRITE_MODE"], secrets=["SLACK_WEBHOOK_URL"])


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    (tmp_path / "common").mkdir()
    (tmp_path / "main.py").write_text("main")
    (tmp_path / "common" / "result.py").write_text("result")
    return tmp_path


def made(staged: Path, **given: str) -> Release:
    return release(
        "recorder",
        FUNCTION,
        runtime="python311",
        staged=staged,
        target=target(GIVEN),
        given={**GIVEN, **given},
        version_of=lambda secret: "3",
    )


def test_release_says_all_that_the_manifest_and_the_environment_say(staged: Path) -> None:
    found = made(staged, SLACK_WEBHOOK_URL_SECRET="slack", DATASET_PREFIX="t1", UNHEARD_OF="x")

    assert found.service == "nba-recorder"
    assert found.environment == {
        "GCP_PROJECT": "a-project",
        "SPORT": "nba",
        "DATASET_PREFIX": "t1",
        "FUNCTION_USE_ASGI": "true",
    }
    assert found.secrets == {"SLACK_WEBHOOK_URL": "slack:3"}
    assert found.settings == {
        "memory": "512Mi",
        "cpu": "1",
        "timeout": "60",
        "concurrency": "80",
        "min-instances": "0",
        "max-instances": "4",
        "service-account": "recorder@a-project.iam.gserviceaccount.com",
        "ingress": "internal",
    }
    assert found.labels == {"release": found.digest, "code": found.code, "runtime": "python311"}
    assert all(len(value) <= 63 for value in found.labels.values())


@pytest.mark.parametrize(
    "change",
    [
        {"code": "another"},
        {"runtime": "python313"},
        {"entry_point": "another"},
        {"environment": {}},
        {"secrets": {"SLACK_WEBHOOK_URL": "slack:4"}},
        {"settings": {}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_hash_changes_with_all_that_a_revision_is_made_of(staged: Path, change: dict[str, Any]) -> None:
    found = made(staged)

    assert replace(found, **change).digest != found.digest
    assert made(staged).digest == found.digest


def test_digest_changes_with_a_name_and_with_a_content_and_not_with_bytecode(staged: Path) -> None:
    before = digest(staged)
    (staged / "main.pyc").write_text("bytecode")
    assert digest(staged) == before

    (staged / "common" / "result.py").write_text("another")
    changed = digest(staged)
    (staged / "common" / "result.py").rename(staged / "common" / "results.py")

    assert len({before, changed, digest(staged)}) == 3


def test_required_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(DeployError, match=r"^set GCP_PROJECT, SPORT$"):
        environment(FUNCTION, {})


def test_function_whose_secrets_nobody_names_does_without() -> None:
    assert secret_names(FUNCTION, {"SLACK_WEBHOOK_URL_SECRET": ""}) == {}


def test_variable_that_runs_is_unsaid_unless_it_is_set_or_set_to_nothing() -> None:
    runs = {"DATASET_PREFIX": "t1", "DUAL_WRITE_MODE": "true", "GONE_FROM_THE_MANIFEST": "x"}

    assert unsaid(FUNCTION, {"DATASET_PREFIX": ""}, runs) == {"DUAL_WRITE_MODE": "true"}
    assert unsaid(FUNCTION, {"DATASET_PREFIX": "t2", "DUAL_WRITE_MODE": "false"}, runs) == {}
