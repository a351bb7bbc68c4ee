"""What a locally served function gets to see: what the manifest says, and nothing of whoever serves it."""

from pathlib import Path

import pytest

from common.sport import Sport
from infra.manifest import Function, load
from local.problem import Problem
from local.stack.lives import EARLY_DEATHS
from local.stack.service import Service, ServiceFailed
from local.stack.serving import ROOT, Server, deployments, environment

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


class Dead(Service):
    """A server that has ended."""

    def __init__(self) -> None:
        """Without a process."""

    @property
    def is_running(self) -> bool:
        return False


def a_server_that_will_not_stay_alive(log: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    log.write_text("SyntaxError\n")
    monkeypatch.setattr(Service, "start", lambda *_, **__: Dead())
    server = Server(deployment=deployments(Sport.NBA)[0], environment={}, staged=log.parent, log=log)
    server.start()
    server.lives.early_deaths = EARLY_DEATHS
    return server


def test_a_server_that_will_not_stay_alive_ends_a_run_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = a_server_that_will_not_stay_alive(tmp_path / "log", monkeypatch)
    monkeypatch.setattr("time.monotonic", lambda: 10**9)
    server.lives.begin(10**9)
    server.lives.may_start(10**9)
    monkeypatch.setattr("time.monotonic", lambda: 10**9 + 60)

    with pytest.raises(ServiceFailed, match=r"died 6 times in a row\. .*SyntaxError"):
        server.revive(gives_up=True)


def test_while_serving_it_is_started_again_for_ever_only_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = a_server_that_will_not_stay_alive(tmp_path / "log", monkeypatch)
    now = 10**9
    monkeypatch.setattr("time.monotonic", lambda: now)

    server.lives.begin(now)
    assert not server.revive(gives_up=False)
    now += 60
    assert server.revive(gives_up=False)


def test_every_function_of_the_manifest_is_served_each_on_a_port_of_its_own() -> None:
    served = deployments(Sport.NBA)

    assert {"completion_recorder", "consolidation_trigger"} <= {one.folder for one in served}
    assert len({one.port for one in served}) == len(served)
