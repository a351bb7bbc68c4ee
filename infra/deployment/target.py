"""Where a deployment goes: project, region, sport. Checked here: gcloud checks names of flags, not values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from common.sport import Sport, SportNames

from .problem import DeployError

INVOKER: Final = "event-invoker"
"""The service account in whose name Pub/Sub calls the functions; Terraform makes it, and the next."""
BUILDER: Final = "function-build"
"""Builds the functions, in place of the project's default account, which may edit everything."""

_VALID: Final = {
    "GCP_PROJECT": re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]"),
    "REGION": re.compile(r"[a-z]+-[a-z]+\d+"),
    "SPORT": re.compile("|".join(sport.value for sport in Sport)),
}


@dataclass(frozen=True, kw_only=True)
class Target:
    """One sport's functions in one region of one project."""

    project: str
    region: str
    sport: Sport

    def service(self, folder: str) -> str:
        """Name of the Cloud Run service of `functions/{folder}`."""
        return SportNames(sport=self.sport).service(folder)

    def account(self, name: str) -> str:
        """Full name of a service account of the project. `example.com:p` is written `p.example.com` there."""
        # A project of an organisation may still have a domain before its name.
        domain, _, project = self.project.rpartition(":")
        return f"{name}@{project}{'.' + domain if domain else ''}.iam.gserviceaccount.com"

    @property
    def invoker(self) -> str:
        """The account in whose name Pub/Sub pushes."""
        return self.account(INVOKER)

    @property
    def builder(self) -> str:
        """The account that builds images."""
        return self.account(BUILDER)


def target(environment: Mapping[str, str]) -> Target:
    """From GCP_PROJECT, REGION and SPORT; raises DeployError with every one that is missing or malformed."""
    # Missing ones are told first, as they are usually all missing at once.
    missing = [name for name in sorted(_VALID) if not environment.get(name)]
    if missing:
        raise DeployError(f"set {', '.join(missing)}")
    wrong = [name for name, valid in _VALID.items() if not valid.fullmatch(environment[name])]
    if wrong:
        raise DeployError("; ".join(f"{name}={environment[name]!r}: {_EXPECTED[name]}" for name in wrong))
    return Target(
        project=environment["GCP_PROJECT"], region=environment["REGION"], sport=Sport(environment["SPORT"])
    )


_EXPECTED: Final = {
    "GCP_PROJECT": "no project id: 6 to 30 lower-case letters, digits and hyphens",
    "REGION": "no region such as us-west2",
    "SPORT": f"none of {', '.join(sport.value for sport in Sport)}",
}
