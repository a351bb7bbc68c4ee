"""Can Pub/Sub reach a function, as the registry says? Terraform makes what is looked at here; a binding
that is lost stops every delivery without an error on our side, so each deployment and each `--status`
looks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.topics import Subscription, Topic

from ..manifest import Function, heard
from . import commands
from .difference import Difference, Drift
from .gcloud import Gcloud
from .preflight import TERRAFORM, members
from .release import Release
from .target import Target

_ROLE = "roles/run.invoker"
_PUBLIC = ("allUsers", "allAuthenticatedUsers")


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a service is called, as it follows from its name: known before the service exists."""

    target: Target
    service: str
    project_number: str

    def endpoint(self, topic: str) -> str:
        """Where a subscription of the topic pushes.

        The path names the topic, for a push delivery does not tell it otherwise.
        """
        return f"{self.url}/projects/{self.target.project}/topics/{topic}"

    @property
    def url(self) -> str:
        """Cloud Run's address by project number: the same before and after the service is made."""
        return f"https://{self.service}-{self.project_number}.{self.target.region}.run.app"


def invokers(
    gcloud: Gcloud, release: Release, target: Target, held: Mapping[str, Any]
) -> Iterator[Difference]:
    """The binding that is missing, and every one that lets in strangers. `held`: the project's role →
    members."""
    own = members(gcloud.read(commands.service_policy(release.service, target))).get(_ROLE, frozenset())
    # Held by the project or by the service: either lets Pub/Sub in.
    wanted = f"serviceAccount:{target.invoker}"
    if wanted not in own | held.get(_ROLE, frozenset()):
        yield _difference(release, what="invoker", runs=None, wanted=wanted, remedy=TERRAFORM)
    # Whoever gets past the ingress would be let in by these.
    for stranger in sorted(own.intersection(_PUBLIC)):
        yield _difference(release, what="invoker", runs=stranger, wanted=None, remedy=TERRAFORM)


def subscriptions(
    release: Release, function: Function, address: Address, listed: Sequence[Mapping[str, Any]]
) -> Iterator[Difference]:
    """Each subscription that is missing, or does not deliver as the registry says."""
    found = {each["name"].rpartition("/")[2]: each for each in listed}
    for topic, subscription in heard(release.folder, function).items():
        name = topic.subscription_name(address.target.sport, release.folder)
        if name not in found:
            yield _difference(
                release, what=f"subscription {name}", runs=None, wanted="there", remedy=TERRAFORM
            )
            continue
        # Field by field, in the words of both sides: a person sees at once which one differs.
        wanted = _wanted(topic, subscription, address)
        for what, runs in _told(found[name]).items():
            if runs != wanted[what]:
                yield _difference(
                    release, what=f"{name}: {what}", runs=runs, wanted=wanted[what], remedy=TERRAFORM
                )


def _wanted(topic: Topic, subscription: Subscription, address: Address) -> dict[str, str | None]:
    """What the registry says of a subscription, in the words of `_told`."""
    sport, project = address.target.sport, address.target.project
    return {
        "push endpoint": address.endpoint(topic.name(sport)),
        "identity": address.target.invoker,
        "ack deadline": str(subscription.ack_deadline_seconds),
        "dead letters": f"projects/{project}/topics/{topic.dead_letter_name(sport)}",
        "delivery attempts": str(subscription.max_delivery_attempts),
    }


def _told(listed: Mapping[str, Any]) -> dict[str, str | None]:
    """What gcloud says of it; None where it says nothing."""
    push, dead = listed.get("pushConfig", {}), listed.get("deadLetterPolicy", {})
    return {
        "push endpoint": push.get("pushEndpoint"),
        "identity": push.get("oidcToken", {}).get("serviceAccountEmail"),
        # As text: gcloud gives numbers, the registry too, and a missing one reads as None.
        "ack deadline": str(listed.get("ackDeadlineSeconds")),
        "dead letters": dead.get("deadLetterTopic"),
        "delivery attempts": str(dead.get("maxDeliveryAttempts")),
    }


def _difference(
    release: Release, *, what: str, runs: str | None, wanted: str | None, remedy: str
) -> Difference:
    """One difference of delivery; `remedy` is the command that mends it."""
    return Difference(
        service=release.service, drift=Drift.DELIVERY, what=what, runs=runs, wanted=wanted, remedy=remedy
    )
