"""What `--dry-run` prints: every command of a deployment in its order, without asking anybody anything.

Two things only the project can tell: its number, and the versions of its secrets; placeholders stand for
them.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from . import commands, smoke
from .commands import Command
from .delivery import Address
from .release import Release
from .target import Target
from .workshop import Workshop

NUMBER: Final = "PROJECT_NUMBER"
"""Stands for the project's number, which is part of a service's address."""
VERSION: Final = "NEWEST"
"""Stands for the version of a secret."""
SERVING: Final = "serving"
"""End of the name of the revision that serves before."""

Step = tuple[str, list[Command]]
"""The step's name and its commands in their order."""


def plan(releases: Sequence[Release], workshop: Workshop, deployment: str) -> Iterator[Step]:
    """Step → its commands, for services that are there and differ. The sources and files that are named
    exist."""
    target = workshop.target
    accounts = {target.invoker, target.builder, *(each.settings["service-account"] for each in releases)}
    yield (
        "preflight",
        [*preflight(target), *(commands.account_policy(each, target) for each in sorted(accounts))],
    )
    # Each secret is asked for before any service: a release is whole before it is compared.
    yield "difference", [*_difference(releases, target)]
    yield "deploy without traffic", [_deploy(each, workshop, deployment) for each in releases]
    yield (
        "smoke test",
        [*sweep(target), *(each for one in releases for each in _smoke(one, target, deployment))],
    )
    yield "traffic", [command for each in releases for command in _traffic(each, target, deployment)]
    yield "read back", [*_read_back(releases, target)]


def preflight(target: Target) -> list[Command]:
    """Questions about the project and who is logged in."""
    return [
        commands.active_account(),
        commands.project_policy(target),
        commands.project(target),
        commands.enabled_apis(target),
        commands.accounts(target),
    ]


def sweep(target: Target) -> list[Command]:
    """Questions about what killed deployments have left, and the token by which answers are read."""
    return [commands.subscriptions(target), commands.topics(target), commands.access_token()]


def _looked_at(release: Release, target: Target) -> list[Command]:
    """What is asked whenever a service is looked at: the service, then its revisions."""
    return [commands.services(target), commands.revisions(release.service, target)]


def _difference(releases: Sequence[Release], target: Target) -> Iterator[Command]:
    """What is asked to find out which services differ."""
    for each in releases:
        # Spelt `{secret}:{version}`; the version is what is asked for here.
        for secret in each.secrets.values():
            yield commands.newest_version(secret.partition(":")[0], target)
    for each in releases:
        yield from _looked_at(each, target)
        yield commands.service_policy(each.service, target)


def _deploy(release: Release, workshop: Workshop, deployment: str) -> Command:
    """The one command that builds; file and folder of it were written by the staging of this very run."""
    source, env_file = workshop.upload(release)
    return commands.deploy(
        release,
        workshop.target,
        source=source,
        env_file=env_file,
        deployment=deployment,
    )


def _smoke(release: Release, target: Target, deployment: str) -> list[Command]:
    """One canary, from its topic to its removal."""
    address = Address(target=target, service=release.service, project_number=NUMBER)
    canary = smoke.canary(release.service, deployment)
    # As Cloud Run makes it: the tag and three hyphens before the service.
    tag_url = address.url.replace("https://", f"https://{deployment}---")
    return [
        *_looked_at(release, target),
        commands.create_topic(canary, target),
        commands.create_subscription(canary, target, tag_url=tag_url, service_url=address.url),
        commands.publish(canary, target, attributes=smoke.attributes(canary)),
        commands.delete_subscription(canary.name, target),
        commands.delete_topic(canary.name, target),
    ]


def _traffic(release: Release, target: Target, deployment: str) -> list[Command]:
    """All traffic to the new revision, the one before tagged for a rollback."""
    move = commands.move_traffic(
        release.service,
        target,
        to=f"{release.service}-{deployment}",
        previous=f"{release.service}-{SERVING}",
        untag=[deployment],
    )
    return [*_looked_at(release, target), move]


def _read_back(releases: Sequence[Release], target: Target) -> Iterator[Command]:
    """What is asked at the end: whether it is as it should be now."""
    yield commands.subscriptions(target)
    for each in releases:
        yield from _looked_at(each, target)
        yield commands.service_policy(each.service, target)
