"""What differs between a release and what serves, thing by thing."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from infra.deployment.difference import Difference, Drift, differences, newer
from infra.deployment.release import Release
from infra.deployment.running import Revision, Service, Traffic
from infra.deployment.status import as_text, exit_status

RELEASE = Release(
    folder="recorder",
    service="nba-recorder",
    entry_point="recorder",
    runtime="python311",
    code="c1",
    environment={"SPORT": "nba"},
    secrets={"URL": "slack:1"},
    settings={"memory": "512Mi", "ingress": "internal"},
)
REVISION = Revision(
    name="r1",
    labels=RELEASE.labels,
    environment=RELEASE.environment,
    secrets=RELEASE.secrets,
    settings={"memory": "512Mi"},
    is_ready=True,
)


def running(revision: Revision = REVISION, *, ingress: str = "internal", latest: str = "r1") -> Service:
    return Service(
        name="nba-recorder",
        url="https://x",
        ingress=ingress,
        traffic=[Traffic(revision=revision.name, percent=100)],
        latest=latest,
        revisions=[revision],
    )


def kinds(found: list[Difference]) -> list[tuple[Drift, str]]:
    return [(each.drift, each.what) for each in found]


def test_what_runs_as_it_is_here_does_not_differ() -> None:
    assert differences(RELEASE, running()) == []
    assert newer(RELEASE, running()) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"environment": {}}, (Drift.ENVIRONMENT, "SPORT")),
        ({"environment": {"SPORT": "nba", "LEFT": "behind"}}, (Drift.ENVIRONMENT, "LEFT")),
        ({"secrets": {"URL": "slack:2"}}, (Drift.ENVIRONMENT, "secret URL")),
        ({"settings": {"memory": "1Gi"}}, (Drift.SETTINGS, "memory")),
        ({"labels": {**RELEASE.labels, "runtime": "python313"}}, (Drift.SETTINGS, "runtime")),
        ({"labels": {**RELEASE.labels, "code": "c0"}}, (Drift.CODE, "code")),
        ({"labels": {**RELEASE.labels, "release": "r0"}}, (Drift.CODE, "release")),
        ({"labels": {}}, (Drift.NOT_DEPLOYED, "release")),
    ],
)
def test_each_thing_that_differs_is_one_line(
    change: Mapping[str, Mapping[str, str]], found: tuple[Drift, str]
) -> None:
    revision = replace(REVISION, **change)  # type: ignore[arg-type]

    assert kinds(differences(RELEASE, running(revision))) == [found]


def test_ingress_that_lets_others_in_is_a_difference() -> None:
    assert kinds(differences(RELEASE, running(ingress="all"))) == [(Drift.SETTINGS, "ingress")]


def test_service_that_is_not_there_and_one_that_nobody_serves_are_differences() -> None:
    split = replace(running(), traffic=[])

    assert kinds(differences(RELEASE, None)) == [(Drift.NOT_DEPLOYED, "service")]
    assert kinds(differences(RELEASE, split)) == [(Drift.TRAFFIC, "traffic")]


def test_newest_revision_that_serves_nobody_is_told() -> None:
    [found] = newer(RELEASE, running(latest="r2"))

    assert str(found) == "nba-recorder: the newest revision serves: 'r1' → 'r2'"


def test_exit_status_is_that_of_the_gravest_kind() -> None:
    code = differences(RELEASE, running(replace(REVISION, labels={**RELEASE.labels, "code": "c0"})))

    assert exit_status([]) == 0
    assert exit_status(code) == 15
    assert exit_status([*code, *differences(RELEASE, None)]) == 10


def test_every_line_is_followed_by_what_mends_it() -> None:
    [difference] = differences(RELEASE, None)

    first, second = as_text([difference]).splitlines()
    assert first == f"not_deployed  nba-recorder: service: nothing → '{RELEASE.digest}'"
    assert second.strip() == "mend it: ./deploy.sh"
