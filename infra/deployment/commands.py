"""Every gcloud command of a deployment, as a list of words: pure, so that all of them can be tried on
gcloud's own parser. What only reads asks for JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .release import Release
from .running import PREVIOUS_TAG
from .target import Target

Command = list[str]

_JSON: Final = "--format=json"


@dataclass(frozen=True, kw_only=True)
class Canary:
    """What a smoke test makes and removes again: a topic and its push subscription, of one name."""

    name: str
    canary_id: str


# What is asked. Lists rather than `describe`: that something is not there is an answer then, and not an error
# whose wording one would have to know.


def active_account() -> Command:
    """Who is logged in."""
    return ["gcloud", "auth", "list", "--filter=status:ACTIVE", _JSON]


def access_token() -> Command:
    """A token of whoever is logged in, for Firestore."""
    return ["gcloud", "auth", "print-access-token", _JSON]


def project(target: Target) -> Command:
    """The project, for its number."""
    return ["gcloud", "projects", "describe", target.project, _JSON]


def project_policy(target: Target) -> Command:
    """Roles in the project → their members."""
    return ["gcloud", "projects", "get-iam-policy", target.project, _JSON]


def enabled_apis(target: Target) -> Command:
    """Services of Google's that may be called in the project."""
    return ["gcloud", "services", "list", "--enabled", f"--project={target.project}", _JSON]


def accounts(target: Target) -> Command:
    """Service accounts of the project."""
    return ["gcloud", "iam", "service-accounts", "list", f"--project={target.project}", _JSON]


def account_policy(account: str, target: Target) -> Command:
    """Who may act as a service account."""
    return [
        "gcloud",
        "iam",
        "service-accounts",
        "get-iam-policy",
        account,
        f"--project={target.project}",
        _JSON,
    ]


def topics(target: Target) -> Command:
    """All topics of the project."""
    return ["gcloud", "pubsub", "topics", "list", f"--project={target.project}", _JSON]


def subscriptions(target: Target) -> Command:
    """All subscriptions of the project, with their push endpoints and dead-letter policies."""
    return ["gcloud", "pubsub", "subscriptions", "list", f"--project={target.project}", _JSON]


def newest_version(secret: str, target: Target) -> Command:
    """Of those that are enabled; gcloud would list the disabled ones, too."""
    flags = ["--filter=state:ENABLED", "--sort-by=~createTime", "--limit=1"]
    return ["gcloud", "secrets", "versions", "list", secret, *flags, f"--project={target.project}", _JSON]


def services(target: Target) -> Command:
    """The Cloud Run services of the region, with traffic and tags."""
    return ["gcloud", "run", "services", "list", *_place(target), _JSON]


def revisions(service: str, target: Target) -> Command:
    """The labels, which say what was deployed, stand on revisions: those of the service are the newest
    one's."""
    return ["gcloud", "run", "revisions", "list", f"--service={service}", *_place(target), _JSON]


def service_policy(service: str, target: Target) -> Command:
    """The service's own bindings; what it inherits stands in `project_policy`."""
    return ["gcloud", "run", "services", "get-iam-policy", service, *_place(target), _JSON]


# What is changed. `--quiet` everywhere: a question that nobody answers would hang the deployment.


def deploy(release: Release, target: Target, *, source: Path, env_file: Path, deployment: str) -> Command:
    """A new revision `{service}-{deployment}` under the tag `{deployment}`, without traffic.

    The environment is given as a whole: what the file does not name is removed, and so are secrets. Arguments
    of the container are cleared: the first revision, which Terraform makes, has some, and they would stay.
    Who may call the service is Terraform's to say, and not touched. Again, under the same name: gcloud
    refuses it.
    """
    secrets = ",".join(f"{name}={secret}" for name, secret in release.secrets.items())
    flags = {
        "function": release.entry_point,
        "base-image": release.runtime,
        "source": str(source),
        "build-service-account": f"projects/{target.project}/serviceAccounts/{target.builder}",
        "env-vars-file": str(env_file),
        "labels": ",".join(f"{name}={value}" for name, value in release.labels.items()),
        # Named by us: what is tried and then given traffic is this revision, whatever another deployment
        # makes meanwhile.
        "revision-suffix": deployment,
        "tag": deployment,
        "args": "",
        **release.settings,
    }
    return [
        *("gcloud", "run", "deploy", release.service, *_place(target)),
        *(f"--{flag}={value}" for flag, value in flags.items()),
        f"--set-secrets={secrets}" if secrets else "--clear-secrets",
        *("--no-traffic", "--quiet", _JSON),
    ]


def move_traffic(
    service: str, target: Target, *, to: str, previous: str | None, untag: Sequence[str]
) -> Command:
    """All traffic to one revision by its name, in one step with the tags.

    By name, since LATEST would give it to whatever is deployed next, before that is tried. `previous` is
    tagged as such, for a rollback.
    """
    tags = [f"--update-tags={PREVIOUS_TAG}={previous}"] if previous else []
    return [*_update_traffic(service, target, untag), f"--to-revisions={to}=100", *tags]


def remove_tags(service: str, target: Target, *, untag: Sequence[str]) -> Command:
    """Moves no traffic. A tag that is not there is an error of gcloud's."""
    return _update_traffic(service, target, untag)


def create_topic(canary: Canary, target: Target) -> Command:
    """A topic for one canary."""
    return ["gcloud", "pubsub", "topics", "create", canary.name, f"--project={target.project}", "--quiet"]


def create_subscription(canary: Canary, target: Target, *, tag_url: str, service_url: str) -> Command:
    """Pushes to the tagged revision alone. The token is made out to the service: a tag's address is none that
    Cloud Run accepts as an audience."""
    flags = {
        "topic": canary.name,
        "push-endpoint": f"{tag_url}/projects/{target.project}/topics/{canary.name}",
        "push-auth-service-account": target.invoker,
        "push-auth-token-audience": service_url,
        "ack-deadline": "60",
        "min-retry-delay": "1s",
        "max-retry-delay": "10s",
        # The least that Pub/Sub takes, as the expiry of a day below: a canary that is left over wakes nobody
        # for long.
        "message-retention-duration": "10m",
        "expiration-period": "1d",
        "project": target.project,
    }
    create = ["gcloud", "pubsub", "subscriptions", "create", canary.name]
    return [*create, *(f"--{flag}={value}" for flag, value in flags.items()), "--quiet"]


def publish(canary: Canary, target: Target, *, attributes: Mapping[str, str]) -> Command:
    """One message; Pub/Sub pushes it again and again until it is acknowledged, or its subscription is
    gone."""
    written = ",".join(f"{name}={value}" for name, value in attributes.items())
    flags = ["--message=canary", f"--attribute={written}", f"--project={target.project}", "--quiet"]
    return ["gcloud", "pubsub", "topics", "publish", canary.name, *flags]


def delete_subscription(name: str, target: Target) -> Command:
    """An error of gcloud's where there is none."""
    return ["gcloud", "pubsub", "subscriptions", "delete", name, f"--project={target.project}", "--quiet"]


def delete_topic(name: str, target: Target) -> Command:
    """An error of gcloud's where there is none. A subscription is not removed with it: it is to go first."""
    return ["gcloud", "pubsub", "topics", "delete", name, f"--project={target.project}", "--quiet"]


def _place(target: Target) -> list[str]:
    """Where the service is: in every command, since gcloud's own defaults may be of another project."""
    return [f"--project={target.project}", f"--region={target.region}"]


def _update_traffic(service: str, target: Target, untag: Sequence[str]) -> Command:
    """The part that all moves of traffic share; `untag` are tags to remove, () for none."""
    tags = [f"--remove-tags={','.join(untag)}"] if untag else []
    return ["gcloud", "run", "services", "update-traffic", service, *_place(target), *tags, "--quiet", _JSON]
