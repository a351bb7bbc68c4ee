"""Project, region and sport are checked before anything is asked."""

import pytest

from infra.deployment.problem import DeployError
from infra.deployment.target import target
from tests.support.gcloud_project import GIVEN


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(DeployError, match=r"^set GCP_PROJECT, REGION, SPORT$"):
        target({"SPORT": ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GCP_PROJECT", "a b"),
        ("GCP_PROJECT", "Upper-case"),
        ("GCP_PROJECT", "short"),
        ("GCP_PROJECT", "ends-with-"),
        ("REGION", "us west2"),
        ("REGION", "--flag"),
        ("SPORT", "cricket"),
        ("SPORT", "nba\n"),
    ],
)
def test_value_that_gcloud_would_pass_on_is_refused(name: str, value: str) -> None:
    with pytest.raises(DeployError, match=f"^{name}="):
        target({**GIVEN, name: value})


def test_names_follow_from_the_target() -> None:
    found = target(GIVEN)

    assert found.service("completion_recorder") == "nba-completion-recorder"
    assert found.invoker == "event-invoker@a-project.iam.gserviceaccount.com"


def test_account_of_a_project_in_a_domain_is_spelt_as_google_spells_it() -> None:
    found = target({**GIVEN, "GCP_PROJECT": "example.com:a-project"})

    assert found.account("x") == "x@a-project.example.com.iam.gserviceaccount.com"
