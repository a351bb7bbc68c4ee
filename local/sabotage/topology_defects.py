"""Topics and subscriptions that are not as the registry says. Nobody publishes on these while it lasts."""

from typing import TYPE_CHECKING, Any, Final

from common.findings import FindingClass
from common.topics import CONSISTENCY_AUDIT, PREDICTION_REQUEST, Topic, topic

from ..stack.topology import TIMEOUT_SECONDS, Names
from .defect import Defect, Expected, Otherwise
from .world import World

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import SubscriberClient

_TERRAFORM: Final = "terraform apply (here: made again)"
_EXPORTED: Final = topic("PHASE6_EXPORT_COMPLETE")
"""Heard by nobody of ours."""
_SCRAPED: Final = topic("PHASE1_SCRAPERS_COMPLETE")
"""Published by nobody here."""
_ELSEWHERE: Final = "http://127.0.0.1:1/elsewhere"
"""An address at which nobody listens."""


def _names(world: World) -> Names:
    """Full names of the stack's topics and subscriptions."""
    settings = world.wiring.settings
    return Names(project=settings.gcp_project, sport=settings.sport)


def _subscriber(world: World) -> "SubscriberClient":
    """The client of the wiring."""
    return world.wiring.subscriber_client()


def _delete_a_topic(world: World) -> Expected:
    """A topic of the registry is gone; whoever published there would fail."""
    name = _EXPORTED.name(world.wiring.settings.sport)
    world.wiring.publisher_client().delete_topic(topic=_names(world).topic(name), timeout=TIMEOUT_SECONDS)
    return {name: None}


def _make_the_topic(world: World) -> None:
    """As Terraform would; its subscriptions, if it had any, would have to be made, too."""
    name = _names(world).topic(_EXPORTED.name(world.wiring.settings.sport))
    world.wiring.publisher_client().create_topic(name=name, timeout=TIMEOUT_SECONDS)


def _delete_a_subscription(world: World) -> Expected:
    """The subscription of a dead-letter topic: without it the next dead letter is lost."""
    path = _names(world).dead_letters(_SCRAPED)
    _subscriber(world).delete_subscription(subscription=path, timeout=TIMEOUT_SECONDS)
    return {path.rpartition("/")[2]: None}


def _make_the_subscription(world: World) -> None:
    """As Terraform would make it."""
    names = _names(world)
    on = names.topic(_SCRAPED.dead_letter_name(names.sport))
    request = {"name": names.dead_letters(_SCRAPED), "topic": on}
    _subscriber(world).create_subscription(request=request, timeout=TIMEOUT_SECONDS)


def _point_elsewhere(world: World) -> Expected:
    """One pushes to an address at which nobody listens, another has no dead-letter policy."""
    pushed, pulled = (
        CONSISTENCY_AUDIT.subscriptions["consistency_auditor"],
        PREDICTION_REQUEST.subscriptions["workers"],
    )
    scopes = (
        _change(world, CONSISTENCY_AUDIT, pushed.subscriber, push_config={"push_endpoint": _ELSEWHERE}),
        _change(world, PREDICTION_REQUEST, pulled.subscriber, dead_letter_policy=None),
    )
    return dict.fromkeys(scopes)


def _change(world: World, of: Topic, subscriber: str, **fields: Any) -> str:
    """Change a subscription; returns its name. As it was is kept for `_as_it_was`."""
    name = of.subscription_name(world.wiring.settings.sport, subscriber)
    path = _names(world).subscription(name)
    client = _subscriber(world)
    # Read before it is changed: what the registry says and what the emulator bears differ in the back-off.
    world.kept.append(client.get_subscription(subscription=path, timeout=TIMEOUT_SECONDS))
    _update(client, {"name": path, **fields}, list(fields))
    return name


def _as_it_was(world: World) -> None:
    """Push address and dead-letter policy of each subscription that was changed."""
    for before in world.kept:
        _update(_subscriber(world), before, ["push_config", "dead_letter_policy"])


def _update(client: "SubscriberClient", subscription: Any, paths: list[str]) -> None:
    """Change only the fields that are named."""
    # By a mask: what is not named stays as it is.
    request = {"subscription": subscription, "update_mask": {"paths": paths}}
    client.update_subscription(request=request, timeout=TIMEOUT_SECONDS)


DEFECTS: Final = (
    Defect(
        finding_class=FindingClass.MISSING_TOPIC,
        how="a topic is deleted",
        make=_delete_a_topic,
        mended=Otherwise(what=_TERRAFORM, undo=_make_the_topic),
    ),
    Defect(
        finding_class=FindingClass.MISSING_SUBSCRIPTION,
        how="a subscription is deleted",
        make=_delete_a_subscription,
        mended=Otherwise(what=_TERRAFORM, undo=_make_the_subscription),
    ),
    Defect(
        finding_class=FindingClass.WRONG_SUBSCRIPTION,
        how="another push address; no dead-letter policy",
        make=_point_elsewhere,
        mended=Otherwise(what=_TERRAFORM, undo=_as_it_was),
    ),
)
