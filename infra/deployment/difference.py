"""What runs, against what the repository holds: pure, and one line for each thing that differs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from .release import Release
from .running import Revision, Service


class Drift(Enum):
    """Kinds of difference, the gravest first; the value is the exit status of `--status`."""

    NOT_DEPLOYED = 10
    """No revision of ours serves: Terraform's first one does, or somebody else's."""
    DELIVERY = 11
    """Pub/Sub cannot reach the function, or not as the registry says: binding, subscription, dead letters."""
    TRAFFIC = 12
    """Another revision serves than the newest one, or several do."""
    ENVIRONMENT = 13
    """A variable, or the version of a secret."""
    SETTINGS = 14
    CODE = 15


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that differs. `runs` and `wanted` are None where there is none of it."""

    service: str
    drift: Drift
    what: str
    runs: str | None
    wanted: str | None
    remedy: str | None = None
    """The command that mends it, where that is not to deploy."""

    def __str__(self) -> str:
        return f"{self.service}: {self.what}: {_shown(self.runs)} → {_shown(self.wanted)}"


def differences(release: Release, service: Service | None) -> list[Difference]:
    """Between the release and what serves, field by field; pure. Empty means: deploying would change nothing.

    A service that no deployment has filled yet is one difference: what Terraform's first revision says of
    settings and code is of no interest.
    """
    if service is None:
        return [_difference(release, Drift.NOT_DEPLOYED, what="service", runs=None, wanted=release.digest)]
    serving = service.serving
    if serving is None:
        return [
            _difference(
                release, Drift.TRAFFIC, what="traffic", runs=service.split or None, wanted="one revision"
            )
        ]
    # Terraform makes the service, so that address and bindings are there first; its revision has no labels.
    if not serving.digest:
        return [_difference(release, Drift.NOT_DEPLOYED, what="release", runs=None, wanted=release.digest)]
    found = [*_contents(release, serving, service.ingress)]
    # What no field shows, such as the entry point, which is a setting of the build.
    if not found and serving.digest != release.digest:
        found = [
            _difference(
                release, Drift.CODE, what="release", runs=serving.digest or None, wanted=release.digest
            )
        ]
    return found


def newer(release: Release, service: Service) -> list[Difference]:
    """The revision that was made after the one that serves, and serves nobody."""
    serving = service.serving
    if serving is None or service.latest in ("", serving.name):
        return []
    return [
        _difference(
            release,
            Drift.TRAFFIC,
            what="the newest revision serves",
            runs=serving.name,
            wanted=service.latest,
        )
    ]


def _contents(release: Release, serving: Revision, ingress: str) -> Iterator[Difference]:
    """Thing by thing: the hash alone would say that something differs, and not what."""
    yield from _maps(
        release, Drift.ENVIRONMENT, prefix="", runs=serving.environment, wanted=release.environment
    )
    yield from _maps(
        release, Drift.ENVIRONMENT, prefix="secret ", runs=serving.secrets, wanted=release.secrets
    )
    runs = {**serving.settings, "ingress": ingress}
    yield from _maps(release, Drift.SETTINGS, prefix="", runs=runs, wanted=release.settings)
    if serving.runtime != release.runtime:
        yield _difference(
            release, Drift.SETTINGS, what="runtime", runs=serving.runtime or None, wanted=release.runtime
        )
    if serving.code != release.code:
        yield _difference(release, Drift.CODE, what="code", runs=serving.code or None, wanted=release.code)


def _maps(
    release: Release, drift: Drift, *, prefix: str, runs: Mapping[str, str], wanted: Mapping[str, str]
) -> Iterator[Difference]:
    """One difference for each name that has another value on the two sides, or is on one of them only."""
    # Of both sides: what runs and is wanted no more differs as well.
    for name in sorted(runs.keys() | wanted.keys()):
        if runs.get(name) != wanted.get(name):
            yield _difference(
                release, drift, what=prefix + name, runs=runs.get(name), wanted=wanted.get(name)
            )


def _difference(
    release: Release, drift: Drift, *, what: str, runs: str | None, wanted: str | None
) -> Difference:
    """One difference that a deployment mends."""
    return Difference(service=release.service, drift=drift, what=what, runs=runs, wanted=wanted)


def _shown(value: str | None) -> str:
    return "nothing" if value is None else repr(value)
