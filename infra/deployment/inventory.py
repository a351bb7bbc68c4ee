"""What is there in a target: read anew at each question, for another deployment may be at work."""

from collections.abc import Mapping
from typing import Any

from . import commands, running
from .gcloud import Gcloud
from .preflight import TERRAFORM
from .problem import DeployError
from .running import Service
from .target import Target


class Inventory:
    """The services of one target, and the secrets that they may use.

    Raises DeployError where gcloud cannot look. Nothing is kept: what was read before a build of minutes may
    have changed.
    """

    def __init__(self, gcloud: Gcloud, target: Target) -> None:
        self._gcloud = gcloud
        self._target = target

    def services(self) -> dict[str, Mapping[str, Any]]:
        """Every service of the region by name, as gcloud describes it."""
        listed = self._gcloud.read(commands.services(self._target))
        return {each["metadata"]["name"]: each for each in listed}

    def service(self, name: str) -> Service | None:
        """With its revisions; None where there is none."""
        # Asked for by listing: `describe` ends with an error where there is none, as it does for a refusal.
        described = self.services().get(name)
        if described is None:
            return None
        return running.service(described, self._gcloud.read(commands.revisions(name, self._target)))

    def existing(self, name: str) -> Service:
        """As `service`, for one that has to be there: raises DeployError, for Terraform makes services."""
        found = self.service(name)
        if found is None:
            raise DeployError(f"{name}: there is no such service", remedy=TERRAFORM)
        return found

    def newest_version(self, secret: str) -> str:
        """Its number. The deployed revision is pinned to it: `latest` would change what runs without a
        trace."""
        versions = self._gcloud.read(commands.newest_version(secret, self._target))
        if not versions:
            add = f"gcloud secrets versions add {secret} --project={self._target.project} --data-file=-"
            raise DeployError(f"secret {secret}: has no enabled version", remedy=add)
        return str(versions[0]["name"]).rpartition("/")[2]
