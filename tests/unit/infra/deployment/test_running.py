"""What gcloud prints of a service, read."""

from typing import Any

import pytest

from infra.deployment.running import service

NAME = "nba-recorder"


def described(**status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": NAME, "annotations": {"run.googleapis.com/ingress": "internal"}},
        "status": {"latestCreatedRevisionName": "r2", "latestReadyRevisionName": "r2", **status},
    }


def revision(name: str) -> dict[str, Any]:
    secret = {"secretKeyRef": {"name": "slack", "key": "3"}}
    return {
        "metadata": {"name": name, "labels": {"release": "abc", "code": "def", "runtime": "python311"}},
        "spec": {
            "timeoutSeconds": 60,
            "containerConcurrency": 80,
            "serviceAccountName": "recorder@p.iam.gserviceaccount.com",
            "containers": [
                {
                    "env": [
                        {"name": "SPORT", "value": "nba"},
                        {"name": "EMPTY"},
                        {"name": "SLACK_WEBHOOK_URL", "valueFrom": secret},
                    ],
                    "resources": {"limits": {"cpu": "1000m", "memory": "512Mi"}},
                }
            ],
        },
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


def test_revision_is_read_in_the_spelling_of_a_release() -> None:
    found = service(described(), [revision("r1")]).revision("r1")

    assert found is not None
    assert found.environment == {"SPORT": "nba", "EMPTY": ""}
    assert found.secrets == {"SLACK_WEBHOOK_URL": "slack:3"}
    assert found.settings == {
        "memory": "512Mi",
        "cpu": "1",
        "timeout": "60",
        "concurrency": "80",
        "min-instances": "0",
        "max-instances": "",
        "service-account": "recorder@p.iam.gserviceaccount.com",
    }
    assert (found.digest, found.code, found.runtime, found.is_ready) == ("abc", "def", "python311", True)


@pytest.mark.parametrize(
    ("traffic", "serving"),
    [
        pytest.param([{"revisionName": "r1", "percent": 100}], "r1", id="by its name"),
        pytest.param([{"latestRevision": True, "percent": 100}], "r2", id="the latest"),
        pytest.param(
            [{"revisionName": "r1", "percent": 100}, {"revisionName": "r2", "tag": "t", "url": "u"}],
            "r1",
            id="beside a tag",
        ),
        pytest.param(
            [{"revisionName": "r1", "percent": 50}, {"revisionName": "r2", "percent": 50}], None, id="split"
        ),
        pytest.param([], None, id="none"),
    ],
)
def test_one_revision_serves_if_it_has_all_the_traffic(
    traffic: list[dict[str, Any]], serving: str | None
) -> None:
    found = service(described(traffic=traffic), [revision("r1"), revision("r2")])

    assert (found.serving.name if found.serving else None) == serving


def test_service_that_never_became_ready_is_read() -> None:
    found = service({"metadata": {"name": NAME}}, [])

    assert (found.serving, found.latest, found.ingress) == (None, "", "all")
