"""Everything that a project lacks is named at once, each with the command that mends it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from infra.deployment.preflight import APIS, ROLES, Facts, members, obstacles
from infra.deployment.target import target
from tests.support.a_function import a_function
from tests.support.gcloud_project import GIVEN, NUMBER, PERSON

TARGET = target(GIVEN)
TODAY = date(2026, 11, 26)
READY = Facts(
    account=PERSON.removeprefix("user:"),
    project_number=NUMBER,
    apis=frozenset(APIS),
    policy={role: frozenset({PERSON}) for role in ROLES},
    accounts=frozenset({TARGET.invoker, TARGET.builder, TARGET.account("recorder")}),
)
MAY_ACT = {account: frozenset({PERSON}) for account in READY.accounts}


def told(
    facts: Facts,
    *,
    folder: str = "recorder",
    runtime: str = "python311",
    may_act: Mapping[str, frozenset[str]] = MAY_ACT,
) -> list[str]:
    functions = {folder: a_function()}
    found = obstacles(facts, TARGET, functions, may_act=may_act, runtime=runtime, today=TODAY)
    return [str(each) for each in found]


def test_project_that_is_ready_lacks_nothing() -> None:
    assert told(READY) == []


def test_apis_that_are_off_are_one_command() -> None:
    [line] = told(replace(READY, apis=READY.apis - {"run.googleapis.com", "pubsub.googleapis.com"}))

    assert "pubsub.googleapis.com, run.googleapis.com" in line
    assert "gcloud services enable pubsub.googleapis.com run.googleapis.com --project=a-project" in line


@pytest.mark.parametrize("role", ROLES)
def test_role_that_is_missing_is_named_with_the_command_that_gives_it(role: str) -> None:
    [line] = told(replace(READY, policy={held: who for held, who in READY.policy.items() if held != role}))

    assert f"ann@example.com lacks {role}" in line
    assert f"gcloud projects add-iam-policy-binding a-project --member={PERSON} --role={role}" in line


def test_owner_needs_no_other_role_and_may_act_as_every_account() -> None:
    nobody: dict[str, frozenset[str]] = dict.fromkeys(MAY_ACT, frozenset())

    assert told(replace(READY, policy={"roles/owner": frozenset({PERSON})}), may_act=nobody) == []


def test_account_as_which_one_may_not_act_is_named_with_the_command_that_allows_it() -> None:
    [line] = told(READY, may_act={**MAY_ACT, TARGET.builder: frozenset({"user:bob@example.com"})})

    assert f"ann@example.com may not act as {TARGET.builder}" in line
    assert f"gcloud iam service-accounts add-iam-policy-binding {TARGET.builder}" in line


def test_role_that_a_group_holds_is_taken_as_held() -> None:
    policy = {**READY.policy, "roles/run.sourceDeveloper": frozenset({"group:deployers@example.com"})}

    assert told(replace(READY, policy=policy)) == []


def test_role_held_under_a_condition_is_not_counted() -> None:
    policy = {"bindings": [{"role": "roles/run.admin", "members": [PERSON], "condition": {"title": "x"}}]}

    assert members(policy) == {}


def test_account_that_terraform_has_not_made_is_named() -> None:
    [line] = told(replace(READY, accounts=READY.accounts - {TARGET.account("recorder")}))

    assert "recorder@a-project.iam.gserviceaccount.com: there is no such service account" in line
    assert "terraform -chdir=infra apply" in line


def test_name_whose_address_google_would_shorten_is_refused() -> None:
    assert told(READY, folder="a" * 34) == []
    [line] = told(READY, folder="a" * 35)
    assert "of 63 at most" in line


def test_runtime_is_looked_at() -> None:
    [line] = told(READY, runtime="python399")

    assert line.startswith("runtime python399")


def test_everything_is_told_at_once() -> None:
    nobody: dict[str, frozenset[str]] = dict.fromkeys(MAY_ACT, frozenset())

    found = told(replace(READY, apis=frozenset(), policy={}), may_act=nobody, runtime="python399")

    assert len(found) == 1 + len(ROLES) + len(MAY_ACT) + 1
    assert all("mend it: " in line for line in found)
