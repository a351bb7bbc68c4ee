"""What a locally served function gets to see: what the manifest says, and nothing of whoever serves it."""

import pytest

from common.sport import Sport
from infra.manifest import Function, load
from local.problem import Problem
from local.stack.serving import ROOT, deployments, environment

VALUES = {"GCP_PROJECT": "local", "SPORT": "nba", "LOCK_LEASE_SECONDS": "20", "UNKNOWN": "x"}


def function(**fields: object) -> Function:
    stated = {
        "timeout_seconds": 60,
        "concurrency": 80,
        "fixed_env": {"FUNCTION_USE_ASGI": "true"},
        "required_env": ("GCP_PROJECT", "SPORT"),
        "optional_env": ("LOCK_LEASE_SECONDS", "DATASET_PREFIX"),
        **fields,
    }
    return load(ROOT).functions["completion_recorder"].model_copy(update=stated)


def test_a_function_gets_what_its_manifest_names_and_the_emulators() -> None:
    made = environment(
        function(),
        VALUES,
        emulators={"PUBSUB_EMULATOR_HOST": "127.0.0.1:1"},
        machine={"PATH": "/bin", "PYTHONPATH": str(ROOT), "GOOGLE_APPLICATION_CREDENTIALS": "key.json"},
    )

    assert made == {
        "PATH": "/bin",
        "CLOUD_RUN_TIMEOUT_SECONDS": "60",
        "THREADS": "80",
        "PYTHONUNBUFFERED": "1",
        "PUBSUB_EMULATOR_HOST": "127.0.0.1:1",
        "GCP_PROJECT": "local",
        "SPORT": "nba",
        "LOCK_LEASE_SECONDS": "20",
        "FUNCTION_USE_ASGI": "true",
    }


def test_a_required_variable_without_a_local_value_is_named() -> None:
    with pytest.raises(Problem, match="no local value for SLACK_CHANNEL"):
        environment(function(required_env=("SLACK_CHANNEL",)), VALUES, emulators={}, machine={})


def test_every_function_of_the_manifest_is_served_each_on_a_port_of_its_own() -> None:
    served = deployments(Sport.NBA)

    assert {"completion_recorder", "consolidation_trigger"} <= {one.folder for one in served}
    assert len({one.port for one in served}) == len(served)
