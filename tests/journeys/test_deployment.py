"""`./deploy.sh` from end to end, with a stand-in for gcloud that keeps state: a program on the PATH."""

import json
import shlex
import sys
import threading
import time
from pathlib import Path

import pytest

from infra.deployment.smoke import new_deployment
from tests.support.gcloud_project import RECORDER, GcloudProject

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GcloudProject:
    """Bytecode is of no use here, and takes most of a deployment's time."""
    monkeypatch.setattr("infra.deployment.stage._compile", lambda staged: None)
    return GcloudProject(tmp_path)


@pytest.fixture
def deployed(project: GcloudProject, capsys: Captured) -> GcloudProject:
    """A project with one deployment behind it, and what that asked forgotten."""
    assert project.deploy() == 0
    project.change(calls=[])
    capsys.readouterr()
    return project


def drift(project: GcloudProject, capsys: Captured, **given: str) -> tuple[int, set[tuple[str, str]]]:
    """Exit status of `--status -o json`, and kind and subject of each difference."""
    capsys.readouterr()
    status = project.deploy("--status", "-o", "json", **given)
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == status
    return status, {(each["kind"], each["what"]) for each in told["drift"]}


def test_first_deployment_takes_over_from_the_server_that_terraform_has_made(
    project: GcloudProject, capsys: Captured
) -> None:
    assert drift(project, capsys) == (10, {("not_deployed", "release")})

    assert project.deploy() == 0

    [revision] = project.revisions()
    assert project.serving() == {revision: 100}
    assert project.state["services"][RECORDER]["args"] == []
    assert project.tags() == {}, "there is no way back to a server that refuses every event"
    assert project.canaries() == []
    assert drift(project, capsys) == (0, set())


def test_script_does_all_that_by_a_gcloud_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    project = GcloudProject(tmp_path, as_program=True)

    assert project.deploy("--verify", sys.executable) == 0

    assert list(project.serving().values()) == [100]
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("gcloud ")]
    assert [shlex.split(line)[1:] for line in said] == project.state["calls"]
    project.change(failures=["services list"])
    assert project.deploy("--status") == 3
    assert "services list does not work today" in capsys.readouterr().err


def test_second_deployment_of_the_same_has_nothing_to_do_and_only_asks(
    deployed: GcloudProject, capsys: Captured
) -> None:
    before = deployed.state | {"calls": []}

    assert deployed.deploy() == 0

    assert capsys.readouterr().out.splitlines()[-1] == "nothing to do: what is here runs"
    assert deployed.state | {"calls": []} == before


def test_change_of_a_setting_alone_is_shown_tried_without_traffic_and_then_given_it(
    deployed: GcloudProject, capsys: Captured
) -> None:
    [first] = deployed.revisions()
    code = deployed.newest()["metadata"]["labels"]["code"]

    assert deployed.deploy(DATASET_PREFIX="t1") == 0

    said = capsys.readouterr().out
    assert f"{RECORDER}: DATASET_PREFIX: nothing → 't1'" in said
    assert f"{RECORDER}: code" not in said
    _, second = deployed.revisions()
    assert deployed.newest()["metadata"]["labels"]["code"] == code
    [command] = deployed.called("run deploy")
    assert "--no-traffic" in command.split()
    assert deployed.serving() == {second: 100}
    assert deployed.tags() == {"previous": first}
    assert deployed.canaries() == []


def test_new_version_of_a_secret_is_a_difference_and_is_pinned(
    deployed: GcloudProject, capsys: Captured
) -> None:
    assert deployed.deploy(SLACK_WEBHOOK_URL_SECRET="slack") == 0
    deployed.change(secrets={"slack": 2})

    status, found = drift(deployed, capsys, SLACK_WEBHOOK_URL_SECRET="slack")
    assert (status, found) == (13, {("environment", "secret SLACK_WEBHOOK_URL")})
    assert deployed.deploy(SLACK_WEBHOOK_URL_SECRET="slack") == 0

    assert "--set-secrets=SLACK_WEBHOOK_URL=slack:2" in deployed.called("run deploy")[-1].split()


@pytest.mark.parametrize(
    ("step", "arguments", "broken", "told"),
    [
        pytest.param("preflight", (), {"apis": []}, "gcloud services enable", id="preflight"),
        pytest.param("stage and verify", ("--verify", "/bin/false"), {}, "would not start", id="verify"),
        pytest.param("difference", (), {"secrets": {}}, "has no enabled version", id="difference"),
        pytest.param(
            "deploy without traffic", (), {"failures": ["run deploy"]}, "does not work", id="deploy"
        ),
        pytest.param("smoke test", (), {"mute": True}, "has not answered a canary", id="no answer"),
        pytest.param(
            "smoke test", (), {"checks": {"firestore": "PermissionDenied: no"}}, "firestore: Perm", id="store"
        ),
        pytest.param("smoke test", (), {"checks": {}}, "it has tried no store", id="nothing tried"),
        pytest.param("smoke test", (), {"failures": ["topics publish"]}, "does not work", id="publish"),
        pytest.param("traffic", (), {"failures": ["to-revisions"]}, "does not work", id="traffic"),
    ],
)
def test_failure_names_its_step_moves_no_traffic_and_leaves_nothing_behind(
    deployed: GcloudProject,
    capsys: Captured,
    step: str,
    arguments: tuple[str, ...],
    broken: dict[str, object],
    told: str,
) -> None:
    [first] = deployed.revisions()
    deployed.change(**broken)

    assert deployed.deploy(*arguments, DATASET_PREFIX="t1", SLACK_WEBHOOK_URL_SECRET="slack") == 1

    error = capsys.readouterr().err
    assert error.startswith(f"deploy: {step}: ")
    assert told in error
    assert deployed.serving() == {first: 100}
    assert deployed.tags() == {}
    assert deployed.canaries() == []


def test_one_function_that_fails_keeps_the_traffic_of_all_where_it_is(
    project: GcloudProject, capsys: Captured
) -> None:
    both = ("--only", "consolidation_trigger")
    trigger = "nba-consolidation-trigger"
    before = project.serving(), project.serving(trigger)
    project.change(failures=[f"topics publish canary-{trigger}"])

    assert project.deploy(*both) == 1
    assert (project.serving(), project.serving(trigger)) == before
    assert {*project.tags(), *project.tags(trigger)} == set()
    project.change(failures=[])
    assert project.deploy(*both) == 0

    assert project.serving() == {project.revisions()[-1]: 100}
    assert project.serving(trigger) == {project.revisions(trigger)[-1]: 100}
    assert project.canaries() == []


def test_answer_of_another_revision_proves_nothing(deployed: GcloudProject, capsys: Captured) -> None:
    [first] = deployed.revisions()
    deployed.impostor = first

    assert deployed.deploy(DATASET_PREFIX="t1") == 1

    assert f"{first} has answered in place of {deployed.revisions()[-1]}" in capsys.readouterr().err
    assert deployed.serving() == {first: 100}


def test_value_that_the_function_would_not_start_with_is_never_deployed(
    deployed: GcloudProject, capsys: Captured
) -> None:
    assert deployed.deploy("--verify", sys.executable, ENVIRONMENT="PROD UCTION") == 1

    assert "deploy: stage and verify: completion_recorder: would not start" in capsys.readouterr().err
    assert deployed.called("run deploy") == []


def test_deployment_after_one_that_failed_deploys_anew_and_succeeds(deployed: GcloudProject) -> None:
    deployed.change(mute=True)
    assert deployed.deploy(DATASET_PREFIX="t1") == 1
    deployed.change(mute=False)

    assert deployed.deploy(DATASET_PREFIX="t1") == 0

    assert len(deployed.revisions()) == 3
    assert deployed.serving() == {deployed.revisions()[-1]: 100}


def test_first_deployment_that_fails_leaves_the_events_to_wait(project: GcloudProject) -> None:
    before = project.serving()
    project.change(mute=True)

    assert project.deploy() == 1

    assert project.serving() == before


def test_deployment_before_terraform_says_what_comes_first(project: GcloudProject, capsys: Captured) -> None:
    project.change(services={}, accounts=[])
    assert project.deploy() == 1
    assert "there is no such service account\n    mend it: terraform" in capsys.readouterr().err

    project.change(accounts=list(project.state["may_act"]))
    assert project.deploy() == 1
    assert f"{RECORDER}: there is no such service\n    mend it: terraform" in capsys.readouterr().err
    assert drift(project, capsys)[0] == 10


def test_subscription_that_terraform_has_not_made_fails_the_reading_back(
    deployed: GcloudProject, capsys: Captured
) -> None:
    deployed.change(subscriptions=[])

    assert deployed.deploy() == 1

    error = capsys.readouterr().err
    assert error.startswith("deploy: read back: ")
    assert "subscription nba-prediction-ready-completion-recorder-sub: nothing → 'there'" in error
    assert "mend it: terraform" in error
    assert drift(deployed, capsys)[0] == 11


def test_subscription_that_pushes_elsewhere_or_gives_up_early_is_delivery_drift(
    deployed: GcloudProject, capsys: Captured
) -> None:
    subscriptions = deployed.state["subscriptions"]
    for each in subscriptions:
        each["pushConfig"]["pushEndpoint"] = "https://elsewhere"
        each["ackDeadlineSeconds"] = 10
    deployed.change(subscriptions=subscriptions)

    status, found = drift(deployed, capsys)

    assert status == 11
    assert {what.partition(": ")[2] for _, what in found} >= {"push endpoint", "ack deadline"}


def test_lost_binding_is_seen_and_nothing_is_deployed_until_terraform_has_made_it_again(
    deployed: GcloudProject, capsys: Captured
) -> None:
    invokers = deployed.state["services"][RECORDER]["invokers"]
    deployed.change_service(invokers=[])
    assert drift(deployed, capsys) == (11, {("delivery", "invoker")})

    assert deployed.deploy(DATASET_PREFIX="t1") == 1
    error = capsys.readouterr().err
    assert error.startswith("deploy: difference: delivery") and "mend it: terraform" in error
    assert deployed.called("run deploy") == []
    deployed.change_service(invokers=invokers)

    assert deployed.deploy(DATASET_PREFIX="t1") == 0


def test_service_that_anybody_may_call_is_not_deployed_to(deployed: GcloudProject, capsys: Captured) -> None:
    invokers = deployed.state["services"][RECORDER]["invokers"]
    deployed.change_service(invokers=[*invokers, "allUsers"])

    assert deployed.deploy() == 1
    assert "invoker: 'allUsers' → nothing" in capsys.readouterr().err


def test_traffic_that_somebody_split_is_seen_and_put_right(deployed: GcloudProject, capsys: Captured) -> None:
    assert deployed.deploy(DATASET_PREFIX="t1") == 0
    old, new = deployed.revisions()
    deployed.change_service(
        traffic=[{"revisionName": old, "percent": 50}, {"revisionName": new, "percent": 50}]
    )
    assert drift(deployed, capsys, DATASET_PREFIX="t1") == (12, {("traffic", "traffic")})

    assert deployed.deploy(DATASET_PREFIX="t1") == 0

    assert list(deployed.serving().values()) == [100]
    assert drift(deployed, capsys, DATASET_PREFIX="t1") == (0, set())


def test_rollback_moves_traffic_back_once_and_the_next_deployment_undoes_it(
    deployed: GcloudProject, capsys: Captured
) -> None:
    assert deployed.deploy(DATASET_PREFIX="t1") == 0
    old, new = deployed.revisions()

    assert deployed.deploy("--rollback") == 0
    assert deployed.serving() == {old: 100}
    status, found = drift(deployed, capsys, DATASET_PREFIX="t1")
    assert status == 12
    assert ("traffic", "the newest revision serves") in found
    assert deployed.deploy("--rollback") == 1
    assert "no revision is known that served before" in capsys.readouterr().err
    assert deployed.deploy(DATASET_PREFIX="t1") == 0

    assert deployed.serving() == {deployed.revisions()[-1]: 100}
    assert deployed.revisions()[-1] not in (old, new)
    assert drift(deployed, capsys, DATASET_PREFIX="t1") == (0, set())


def test_rollback_after_a_failed_deployment_goes_to_what_served_and_not_to_what_failed(
    deployed: GcloudProject,
) -> None:
    assert deployed.deploy(DATASET_PREFIX="t1") == 0
    first, second = deployed.revisions()
    deployed.change(mute=True)
    assert deployed.deploy(DATASET_PREFIX="t2") == 1

    assert deployed.serving() == {second: 100}
    assert deployed.deploy("--rollback") == 0
    assert deployed.serving() == {first: 100}


def test_deployment_that_is_overtaken_moves_nothing_and_says_so(
    deployed: GcloudProject, capsys: Captured
) -> None:
    def overtake() -> None:
        deployed.before_answer = lambda: None
        assert deployed.deploy(DATASET_PREFIX="theirs") == 0

    deployed.before_answer = overtake

    assert deployed.deploy(DATASET_PREFIX="ours") == 1

    assert "another deployment has moved the traffic" in capsys.readouterr().err
    [serving] = deployed.serving()
    assert serving == deployed.newest()["metadata"]["name"]
    assert {"name": "DATASET_PREFIX", "value": "theirs"} in deployed.newest()["spec"]["containers"][0]["env"]
    assert deployed.canaries() == []
    assert deployed.tags().keys() == {"previous"}


def test_two_deployments_at_once_end_with_one_tried_revision_that_serves(deployed: GcloudProject) -> None:
    both = threading.Barrier(2)
    deployed.before_answer = lambda: _meet(both)
    ended: list[int] = []
    threads = [
        threading.Thread(target=lambda prefix=prefix: ended.append(deployed.deploy(DATASET_PREFIX=prefix)))
        for prefix in ("ours", "theirs")
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 0 in ended or ended == [1, 1]
    assert list(deployed.serving().values()) == [100]
    assert set(deployed.serving()) < set(deployed.revisions())
    assert deployed.canaries() == []


def test_variable_that_runs_is_not_lost_because_nobody_mentions_it(
    deployed: GcloudProject, capsys: Captured
) -> None:
    flags = {"ENABLE_SUBCOLLECTION_COMPLETIONS": "true", "DUAL_WRITE_MODE": "true"}
    assert deployed.deploy(**flags) == 0

    assert deployed.deploy() == 1
    assert "DUAL_WRITE_MODE='true'" in capsys.readouterr().err
    assert deployed.deploy(**dict.fromkeys(flags, "")) == 0

    names = {each["name"] for each in deployed.newest()["spec"]["containers"][0]["env"]}
    assert not names & flags.keys()


def test_ctrl_c_takes_away_what_was_made_and_moves_no_traffic(
    deployed: GcloudProject, capsys: Captured
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    before = deployed.serving()
    deployed.before_answer = interrupt

    assert deployed.deploy(DATASET_PREFIX="t1") == 130

    assert deployed.serving() == before
    assert deployed.canaries() == []
    assert deployed.tags() == {}


def test_what_a_killed_deployment_left_is_removed_by_the_next_and_a_living_one_keeps_its_own(
    deployed: GcloudProject,
) -> None:
    old, new = (new_deployment(time.time() - hours * 3600, b"\1") for hours in (5, 0))
    left = [f"projects/a-project/topics/canary-{RECORDER}-{each}" for each in (old, new)]
    deployed.change(topics=[*deployed.state["topics"], *left])
    [first] = deployed.revisions()
    deployed.change_service(
        traffic=[{"revisionName": first, "percent": 100}]
        + [{"revisionName": first, "tag": each, "url": f"https://{each}---x"} for each in (old, new)]
    )

    assert deployed.deploy(DATASET_PREFIX="t1") == 0

    assert left[0] not in deployed.state["topics"] and left[1] in deployed.state["topics"]
    assert deployed.tags().keys() == {"previous", new}


@pytest.mark.parametrize(
    ("change", "status", "kind"),
    [
        pytest.param({"DATASET_PREFIX": "t1"}, 13, ("environment", "DATASET_PREFIX"), id="environment"),
        pytest.param({"ingress": "all"}, 14, ("settings", "ingress"), id="settings"),
        pytest.param({"code": "another"}, 15, ("code", "code"), id="code"),
    ],
)
def test_status_tells_the_kind_of_drift_by_its_exit_status(
    deployed: GcloudProject, capsys: Captured, change: dict[str, str], status: int, kind: tuple[str, str]
) -> None:
    given = {name: value for name, value in change.items() if name.isupper()}
    if "ingress" in change:
        deployed.change_service(ingress="all")
    if "code" in change:
        revisions = deployed.state["services"][RECORDER]["revisions"]
        revisions[-1]["metadata"]["labels"]["code"] = "another"
        deployed.change_service(revisions=revisions)

    assert drift(deployed, capsys, **given) == (status, {kind})


def test_status_that_cannot_look_is_no_all_clear(deployed: GcloudProject, capsys: Captured) -> None:
    deployed.change(failures=["run services list"])

    assert deployed.deploy("--status") == 3
    assert "does not work today" in capsys.readouterr().err


def test_status_changes_nothing(deployed: GcloudProject, capsys: Captured) -> None:
    before = deployed.state | {"calls": []}

    assert deployed.deploy("--status", DATASET_PREFIX="t1") == 13

    assert deployed.state | {"calls": []} == before
    assert f"environment   {RECORDER}: DATASET_PREFIX: nothing → 't1'" in capsys.readouterr().out


def test_dry_run_prints_what_a_deployment_does_in_its_order(
    deployed: GcloudProject, capsys: Captured
) -> None:
    assert deployed.deploy("--dry-run", DATASET_PREFIX="t1", SLACK_WEBHOOK_URL_SECRET="slack") == 0
    assert deployed.calls == []
    planned = [line for line in capsys.readouterr().out.splitlines() if line.startswith("gcloud ")]

    assert deployed.deploy(DATASET_PREFIX="t1", SLACK_WEBHOOK_URL_SECRET="slack") == 0

    done = [line for line in capsys.readouterr().out.splitlines() if line.startswith("gcloud ")]
    # The token is asked for by what the stand-in for Firestore replaces.
    planned = [line for line in planned if "print-access-token" not in line]
    assert [_comparable(line) for line in planned] == [_comparable(line) for line in done]


def _meet(barrier: threading.Barrier) -> None:
    barrier.wait(timeout=60)


def _comparable(command: str) -> list[str]:
    """Words without the values that differ from call to call: names of the deployment, paths, versions."""
    return [word.partition("=")[0] for word in command.split() if not word.startswith("canary-")]
