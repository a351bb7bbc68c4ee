"""What a project must have before anything can be deployed to it. All that is missing is named at once,
each with the command that mends it; nothing is changed.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from ..manifest import Function
from . import commands, runtimes
from .gcloud import Gcloud
from .problem import DeployError
from .target import Target

APIS: Final = (
    "artifactregistry.googleapis.com",
    "bigquery.googleapis.com",
    "cloudbuild.googleapis.com",
    "firestore.googleapis.com",
    "iam.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
)

ROLES: Final = {
    "roles/run.admin": (),
    "roles/cloudbuild.builds.editor": (),
    "roles/iam.serviceAccountUser": ("roles/iam.serviceAccountAdmin",),
    "roles/pubsub.editor": ("roles/pubsub.admin",),
    "roles/datastore.user": ("roles/datastore.owner",),
    "roles/secretmanager.viewer": ("roles/secretmanager.admin",),
}
"""What who deploys must hold → wider roles that will do as well; so do owner and editor."""
_WIDEST: Final = ("roles/owner", "roles/editor")
_NOT_OF_EDITORS: Final = ("roles/run.admin", "roles/iam.serviceAccountUser")
"""An editor can neither set who may invoke a service nor act as another account."""

MAX_LABEL: Final = 63
"""Of a part of a DNS name: `{tag}---{service}-{project number}` is one."""
MAX_SERVICE: Final = 49
TAG_LENGTH: Final = 9
"""Of the tags that a deployment makes: see `rollout.new_deployment`."""

TERRAFORM: Final = "terraform -chdir=infra apply"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the checks look at, read from the project."""

    account: str
    project_number: str
    apis: frozenset[str]
    policy: Mapping[str, frozenset[str]]
    """Role → its members."""
    accounts: frozenset[str]
    """E-mail addresses of the service accounts."""


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """One thing that is missing, and what mends it."""

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}\n    mend it: {self.remedy}"


def read(gcloud: Gcloud, target: Target) -> Facts:
    """Ask the project; raises DeployError where gcloud cannot, or nobody is logged in."""
    active = gcloud.read(commands.active_account())
    if not active:
        raise DeployError("nobody is logged in", remedy="gcloud auth login")
    policy = gcloud.read(commands.project_policy(target))
    return Facts(
        account=active[0]["account"],
        project_number=str(gcloud.read(commands.project(target))["projectNumber"]),
        apis=frozenset(each["config"]["name"] for each in gcloud.read(commands.enabled_apis(target))),
        policy=members(policy),
        accounts=frozenset(each["email"] for each in gcloud.read(commands.accounts(target))),
    )


def members(policy: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Role → who holds it unconditionally."""
    found: dict[str, frozenset[str]] = {}
    for binding in policy.get("bindings", []):
        if "condition" not in binding:
            role = binding["role"]
            found[role] = found.get(role, frozenset()) | frozenset(binding["members"])
    return found


def check(
    facts: Facts, target: Target, functions: Mapping[str, Function], *, runtime: str, today: date
) -> None:
    """Raises DeployError with every obstacle at once. `functions` by their folders."""
    found = list(obstacles(facts, target, functions, runtime=runtime, today=today))
    if found:
        raise DeployError("\n".join(map(str, found)))


def obstacles(
    facts: Facts, target: Target, functions: Mapping[str, Function], *, runtime: str, today: date
) -> Iterator[Obstacle]:
    """Everything that is missing. A role that some group holds is taken as held: gcloud does not tell who is
    in a group, and the deployment then says what was refused."""
    yield from _missing_apis(facts, target)
    yield from _missing_roles(facts, target)
    yield from _missing_accounts(facts, target, functions.values())
    for folder in functions:
        yield from _long_names(target.service(folder), facts.project_number)
    if objection := runtimes.objection(runtime, today):
        yield Obstacle(what=f"runtime {objection}", remedy="another runtime in functions/manifest.json")


def _missing_apis(facts: Facts, target: Target) -> Iterator[Obstacle]:
    missing = [api for api in APIS if api not in facts.apis]
    if missing:
        yield Obstacle(
            what=f"not enabled in {target.project}: {', '.join(missing)}",
            remedy=f"gcloud services enable {' '.join(missing)} --project={target.project}",
        )


def _missing_roles(facts: Facts, target: Target) -> Iterator[Obstacle]:
    kind = "serviceAccount" if facts.account.endswith(".gserviceaccount.com") else "user"
    member = f"{kind}:{facts.account}"
    for role in ROLES:
        if not _holds(facts.policy, member, role):
            add = f"gcloud projects add-iam-policy-binding {target.project}"
            yield Obstacle(
                what=f"{facts.account} lacks {role}",
                remedy=f"{add} --member={member} --role={role} --condition=None",
            )


def _holds(policy: Mapping[str, frozenset[str]], member: str, role: str) -> bool:
    widest = _WIDEST[:1] if role in _NOT_OF_EDITORS else _WIDEST
    holders: set[str] = set().union(*(policy.get(each, ()) for each in (role, *ROLES[role], *widest)))
    return member in holders or any(holder.startswith(("group:", "domain:")) for holder in holders)


def _missing_accounts(facts: Facts, target: Target, functions: Collection[Function]) -> Iterator[Obstacle]:
    needed = {target.invoker, *(target.account(function.service_account) for function in functions)}
    for account in sorted(needed - facts.accounts):
        yield Obstacle(what=f"{account}: there is no such service account", remedy=TERRAFORM)


def _long_names(service: str, project_number: str) -> Iterator[Obstacle]:
    """Google shortens an address that is too long, and Terraform's push endpoint would lead nowhere."""
    label = f"{'x' * TAG_LENGTH}---{service}-{project_number}"
    if len(service) > MAX_SERVICE or len(label) > MAX_LABEL:
        yield Obstacle(
            what=f"{service}: its address has a part of {len(label)} characters, of {MAX_LABEL} at most",
            remedy="a shorter name of its folder in functions/",
        )
