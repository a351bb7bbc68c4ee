"""All that differs between a target and the repository: what runs, who serves, and what reaches it."""

from collections.abc import Iterator, Mapping, Sequence

from ..manifest import Function
from . import commands, delivery
from .delivery import Address
from .difference import Difference, differences, newer
from .gcloud import Gcloud
from .inventory import Inventory
from .preflight import Facts
from .release import Release
from .target import Target


def drifts(
    gcloud: Gcloud,
    target: Target,
    *,
    facts: Facts,
    releases: Sequence[Release],
    functions: Mapping[str, Function],
) -> Iterator[Difference]:
    """Everything that makes a difference to what is served now, service by service. Changes nothing.

    A service that is not there has no binding to look at; its subscriptions are looked at all the same, for
    Terraform makes them by themselves. Raises DeployError where gcloud cannot look.
    """
    inventory = Inventory(gcloud, target)
    # Once for all services: a listing takes as long as one of them.
    listed = gcloud.read(commands.subscriptions(target))
    for release in releases:
        service = inventory.service(release.service)
        yield from differences(release, service)
        if service is not None:
            yield from delivery.invokers(gcloud, release, target, facts.policy)
        address = Address(target=target, service=release.service, project_number=facts.project_number)
        yield from delivery.subscriptions(release, functions[release.folder], address, listed)


def idle(gcloud: Gcloud, target: Target, releases: Sequence[Release]) -> Iterator[Difference]:
    """Newest revisions that serve nobody: after a rollback, a deployment that failed, a change by hand.

    Told by `--status` alone: a deployment makes a newer one anyway.
    """
    inventory = Inventory(gcloud, target)
    for release in releases:
        service = inventory.service(release.service)
        if service is not None:
            yield from newer(release, service)
