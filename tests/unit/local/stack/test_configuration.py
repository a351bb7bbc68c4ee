"""What the functions are told locally: what one would deploy them with, and nothing that reaches out."""

import pytest

from common.schema_mode import SchemaMode
from common.sport import DatasetRole, Sport
from infra.manifest import Manifest
from local.problem import Problem
from local.stack.configuration import settings, values
from tests.support.a_function import a_function

MANIFEST = Manifest(
    runtime="python311",
    functions={
        "recorder": a_function(
            optional_env=["DATASET_PREFIX", "ENVIRONMENT", "DUAL_WRITE_MODE", "USE_SUBCOLLECTION_READS"],
            secrets=["SLACK_WEBHOOK_URL"],
        ),
        "trigger": a_function(optional_env=["LOCK_LEASE_SECONDS"]),
    },
)
OURS = {"GCP_PROJECT": "local", "SPORT": "mlb", "ENVIRONMENT": "local", "LOCK_LEASE_SECONDS": "20"}


def test_without_a_choice_it_is_local_with_a_short_lease() -> None:
    assert values(Sport.MLB, MANIFEST, {}) == OURS


def test_what_a_deployment_may_set_is_taken_from_the_environment() -> None:
    chosen = {
        "DATASET_PREFIX": "mine",
        "ENVIRONMENT": "staging",
        "DUAL_WRITE_MODE": "true",
        "LOCK_LEASE_SECONDS": "60",
    }

    assert values(Sport.MLB, MANIFEST, chosen) == {**OURS, **chosen}


def test_project_secrets_empty_values_and_everything_else_are_not() -> None:
    chosen = {"GCP_PROJECT": "real", "SLACK_WEBHOOK_URL": "https://x", "DATASET_PREFIX": "", "HOME": "/root"}

    assert values(Sport.MLB, MANIFEST, chosen) == OURS


def test_settings_of_the_run_are_those_of_its_functions() -> None:
    chosen = {"DATASET_PREFIX": "mine", "DUAL_WRITE_MODE": "true"}

    read = settings(values(Sport.NBA, MANIFEST, chosen))

    assert read.names.dataset(DatasetRole.PREDICTIONS) == "mine_nba_predictions"
    assert read.schema_mode is SchemaMode.SUBCOLLECTION_READS


def test_wrong_value_is_a_problem_that_names_it() -> None:
    with pytest.raises(Problem, match="ENVIRONMENT='PROD UCTION'"):
        settings(values(Sport.NBA, MANIFEST, {"ENVIRONMENT": "PROD UCTION"}))
