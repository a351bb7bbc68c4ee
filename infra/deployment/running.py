"""What runs: a Cloud Run service and its revisions, read from what gcloud prints as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .release import CODE_LABEL, RELEASE_LABEL, RUNTIME_LABEL

PREVIOUS_TAG: Final = "previous"
"""The revision that served before the one that serves: whereto a rollback goes."""

_MIN, _MAX = "autoscaling.knative.dev/minScale", "autoscaling.knative.dev/maxScale"
_INGRESS = "run.googleapis.com/ingress"


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """One line of a service's traffic: a share, a tag, or both."""

    revision: str
    percent: int = 0
    tag: str | None = None
    url: str | None = None
    """That of the tag."""


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One revision; the fields are comparable with those of a Release."""

    name: str
    labels: Mapping[str, str]
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    settings: Mapping[str, str]
    """Without the ingress, which is the service's."""
    is_ready: bool

    @property
    def digest(self) -> str:
        """Of the release that it was made from; "" for one that no deployment has made."""
        return self.labels.get(RELEASE_LABEL, "")

    @property
    def code(self) -> str:
        """The hash of its code; "" as `digest`."""
        return self.labels.get(CODE_LABEL, "")

    @property
    def runtime(self) -> str:
        """The runtime that it was built for; "" as `digest`."""
        return self.labels.get(RUNTIME_LABEL, "")


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service and all its revisions, the newest first."""

    name: str
    url: str
    ingress: str
    traffic: Sequence[Traffic]
    latest: str
    """The revision that was made last, whether or not it is ready or serves: a deployment that failed
    leaves one."""
    revisions: Sequence[Revision]

    @property
    def serving(self) -> Revision | None:
        """The one revision that has all the traffic; None where it is split, or nothing serves."""
        # Lines of tags alone have no share.
        shares = {line.revision: line.percent for line in self.traffic if line.percent}
        return self.revision(next(iter(shares))) if list(shares.values()) == [100] else None

    @property
    def split(self) -> str:
        """Who serves, for people: `a 50 %, b 50 %`."""
        return ", ".join(f"{line.revision} {line.percent} %" for line in self.traffic if line.percent)

    def revision(self, name: str) -> Revision | None:
        """By its name; None where there is none."""
        return next((revision for revision in self.revisions if revision.name == name), None)

    def tagged(self, tag: str) -> Traffic | None:
        """The line of traffic with this tag; None where there is none."""
        return next((line for line in self.traffic if line.tag == tag), None)


def service(described: Mapping[str, Any], revisions: Sequence[Mapping[str, Any]]) -> Service:
    """From `gcloud run services list` and `gcloud run revisions list --service`, as JSON.

    Fields that Cloud Run leaves out have their defaults.
    """
    metadata, status = described["metadata"], described.get("status", {})
    latest = status.get("latestCreatedRevisionName", "")
    # A line of traffic without a name means this one.
    ready = status.get("latestReadyRevisionName", latest)
    return Service(
        name=metadata["name"],
        url=status.get("url", ""),
        ingress=metadata.get("annotations", {}).get(_INGRESS, "all"),
        traffic=tuple(_traffic(line, ready) for line in status.get("traffic", [])),
        latest=latest,
        # The names tell the time: each ends with when its deployment began, in digits that sort.
        revisions=tuple(sorted(map(_revision, revisions), key=lambda each: each.name, reverse=True)),
    )


def _traffic(line: Mapping[str, Any], latest_ready: str) -> Traffic:
    """A line without a name means the newest revision that is ready, whichever that is."""
    return Traffic(
        revision=line.get("revisionName") or latest_ready,
        percent=line.get("percent", 0),
        tag=line.get("tag"),
        url=line.get("url"),
    )


def _revision(described: Mapping[str, Any]) -> Revision:
    """One revision from gcloud's JSON; it is ready only where Cloud Run says so."""
    metadata, spec = described["metadata"], described["spec"]
    # A function has one.
    container = spec["containers"][0]
    # Secrets stand among the variables, told by where their value is from.
    variables = container.get("env", [])
    conditions = {each["type"]: each["status"] for each in described.get("status", {}).get("conditions", [])}
    return Revision(
        name=metadata["name"],
        labels=metadata.get("labels", {}),
        environment={each["name"]: each.get("value", "") for each in variables if "valueFrom" not in each},
        secrets={each["name"]: _secret(each["valueFrom"]) for each in variables if "valueFrom" in each},
        settings=_settings(spec, container, metadata.get("annotations", {})),
        is_ready=conditions.get("Ready") == "True",
    )


def _secret(value_from: Mapping[str, Any]) -> str:
    """`{secret}:{version}`, as a release spells it."""
    key = value_from["secretKeyRef"]
    return f"{key['name']}:{key['key']}"


def _settings(
    spec: Mapping[str, Any], container: Mapping[str, Any], annotations: Mapping[str, str]
) -> dict[str, str]:
    """In the spelling of `release.settings`. What Cloud Run leaves out has its default: no instance is
    kept warm."""
    limits = container.get("resources", {}).get("limits", {})
    return {
        "memory": str(limits.get("memory", "")),
        "cpu": _whole(str(limits.get("cpu", ""))),
        "timeout": str(spec.get("timeoutSeconds", "")),
        "concurrency": str(spec.get("containerConcurrency", "")),
        "min-instances": str(annotations.get(_MIN, "0")),
        "max-instances": str(annotations.get(_MAX, "")),
        "service-account": str(spec.get("serviceAccountName", "")),
    }


def _whole(cpu: str) -> str:
    """`1000m` → `1`: the service gives back both spellings."""
    return cpu.removesuffix("000m") if cpu.endswith("000m") else cpu
