"""Back to the revision that served before. Only traffic moves; the next deployment moves it on from there."""

from collections.abc import Callable, Sequence

from . import commands
from .gcloud import Gcloud
from .inventory import Inventory
from .problem import DeployError
from .running import PREVIOUS_TAG, Service
from .target import Target


def rollback(gcloud: Gcloud, target: Target, services: Sequence[str], say: Callable[[str], None]) -> None:
    """Give the traffic back to the revision that served before; all services or, where one has nowhere to go,
    none.

    Raises DeployError naming the service. Called again it refuses: the revision before the one before is not
    remembered. Nothing is built, so it takes seconds.
    """
    inventory = Inventory(gcloud, target)
    # All are looked at before any is moved.
    goals = {name: _previous(inventory.existing(name)) for name in services}
    for name, revision in goals.items():
        # The tag goes in the same step: a second rollback would else go back and forth.
        gcloud.run(commands.move_traffic(name, target, to=revision, previous=None, untag=[PREVIOUS_TAG]))
    for name, revision in goals.items():
        found = inventory.existing(name)
        if found.serving is None or found.serving.name != revision:
            raise DeployError(f"{name}: {found.split} serves, not {revision}")
        say(f"{name}: {revision} has the traffic again")


def _previous(service: Service) -> str:
    """The revision to go back to; raises DeployError where none is known, or it would not serve."""
    tagged = service.tagged(PREVIOUS_TAG)
    if tagged is None:
        raise DeployError(f"{service.name}: no revision is known that served before {service.split}")
    revision = service.revision(tagged.revision)
    if revision is None or not revision.is_ready:
        raise DeployError(f"{service.name}: {tagged.revision}, which served before, is not ready")
    return revision.name
