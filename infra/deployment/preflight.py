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
"""Without one of these a step fails halfway, after a build of minutes."""

ROLES: Final = {
    "roles/run.sourceDeveloper": ("roles/run.admin", "roles/editor"),
    "roles/pubsub.editor": ("roles/pubsub.admin", "roles/editor"),
    "roles/datastore.user": ("roles/datastore.owner", "roles/editor"),
    "roles/secretmanager.viewer": ("roles/secretmanager.admin", "roles/editor"),
    "roles/serviceusage.serviceUsageConsumer": ("roles/serviceusage.serviceUsageAdmin", "roles/editor"),
    "roles/iam.securityReviewer": ("roles/iam.securityAdmin", "roles/viewer", "roles/editor"),
}
"""What who deploys must hold in the project → wider roles that will do as well; an owner needs no other."""
ACT_AS: Final = "roles/iam.serviceAccountUser"
"""On each account: the functions run as theirs, the build as its own, and a canary is pushed as the
invoker."""
_OWNER: Final = "roles/owner"

MAX_LABEL: Final = 63
"""Characters of a part of a DNS name: `{tag}---{service}-{project number}` is one."""
MAX_SERVICE: Final = 49
"""Of a service's name: Cloud Run's own limit."""
TAG_LENGTH: Final = 9
"""Of the tags that a deployment makes: see `rollout.new_deployment`."""

TERRAFORM: Final = "terraform -chdir=infra apply"
"""Mends what infra/*.tf declares."""


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

    @property
    def member(self) -> str:
        """As policies name who is logged in: an account of a machine, or a person."""
        kind = "serviceAccount" if self.account.endswith(".gserviceaccount.com") else "user"
        return f"{kind}:{self.account}"


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
    # Read once, and looked at for every role.
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
        # Whether a condition holds, only Google knows: a role under one is not relied upon.
        if "condition" not in binding:
            role = binding["role"]
            found[role] = found.get(role, frozenset()) | frozenset(binding["members"])
    return found


def users(gcloud: Gcloud, target: Target, accounts: Collection[str]) -> dict[str, frozenset[str]]:
    """Service account → who may act as it by its own policy."""
    return {
        account: members(gcloud.read(commands.account_policy(account, target))).get(ACT_AS, frozenset())
        for account in sorted(accounts)
    }


def needed_accounts(target: Target, functions: Collection[Function]) -> frozenset[str]:
    """The service accounts that a deployment names."""
    own = (target.account(function.service_account) for function in functions)
    return frozenset({target.invoker, target.builder, *own})


def check(
    gcloud: Gcloud, target: Target, *, functions: Mapping[str, Function], runtime: str, today: date
) -> Facts:
    """What was read; raises DeployError with every obstacle at once. `functions` by their folders."""
    facts = read(gcloud, target)
    # An account that is missing has no policy to be asked for.
    there = needed_accounts(target, functions.values()) & facts.accounts
    may_act = users(gcloud, target, there)
    # All at once: who may deploy often has to ask somebody else for each of them.
    found = list(obstacles(facts, target, functions, may_act=may_act, runtime=runtime, today=today))
    if found:
        raise DeployError("\n".join(map(str, found)))
    return facts


def obstacles(
    facts: Facts,
    target: Target,
    functions: Mapping[str, Function],
    *,
    may_act: Mapping[str, frozenset[str]],
    runtime: str,
    today: date,
) -> Iterator[Obstacle]:
    """Everything that is missing. A role that some group holds is taken as held: gcloud does not tell who is
    in a group, and the deployment then says what was refused."""
    yield from _missing_apis(facts, target)
    yield from _missing_roles(facts, target)
    for account in sorted(needed_accounts(target, functions.values()) - facts.accounts):
        yield Obstacle(what=f"{account}: there is no such service account", remedy=TERRAFORM)
    yield from _missing_users(facts, target, may_act)
    # The rest is not about rights: a name or a runtime that the platform will not take, or not for long.
    for folder in functions:
        yield from _long_names(target.service(folder), facts.project_number)
    if objection := runtimes.objection(runtime, today):
        yield Obstacle(what=f"runtime {objection}", remedy="another runtime in functions/manifest.json")


def _missing_apis(facts: Facts, target: Target) -> Iterator[Obstacle]:
    """Services of Google's that the steps call, and that nobody has enabled."""
    missing = [api for api in APIS if api not in facts.apis]
    if missing:
        yield Obstacle(
            what=f"not enabled in {target.project}: {', '.join(missing)}",
            remedy=f"gcloud services enable {' '.join(missing)} --project={target.project}",
        )


def _missing_roles(facts: Facts, target: Target) -> Iterator[Obstacle]:
    """Roles that who deploys needs in the project, and has neither themselves nor in a wider one."""
    for role, wider in ROLES.items():
        if not _is_among(facts.member, *(facts.policy.get(each, ()) for each in (role, *wider, _OWNER))):
            add = f"gcloud projects add-iam-policy-binding {target.project}"
            yield Obstacle(
                what=f"{facts.account} lacks {role}",
                # Without it gcloud asks, in a project that has conditional bindings.
                remedy=f"{add} --member={facts.member} --role={role} --condition=None",
            )


def _missing_users(facts: Facts, target: Target, may_act: Mapping[str, frozenset[str]]) -> Iterator[Obstacle]:
    """Accounts that who deploys may not act as, neither by their own policy nor by the project's."""
    # Held on the project they hold for every account of it.
    everywhere = [facts.policy.get(role, ()) for role in (ACT_AS, _OWNER)]
    for account, holders in may_act.items():
        if not _is_among(facts.member, holders, *everywhere):
            add = f"gcloud iam service-accounts add-iam-policy-binding {account} --project={target.project}"
            yield Obstacle(
                what=f"{facts.account} may not act as {account}",
                remedy=f"{add} --member={facts.member} --role={ACT_AS}",
            )


def _is_among(member: str, *holders: Collection[str]) -> bool:
    """Also where a group or a domain is: see `obstacles`."""
    everybody = set().union(*holders)
    return member in everybody or any(each.startswith(("group:", "domain:")) for each in everybody)


def _long_names(service: str, project_number: str) -> Iterator[Obstacle]:
    """Google shortens an address that is too long, and Terraform's push endpoint would lead nowhere."""
    label = f"{'x' * TAG_LENGTH}---{service}-{project_number}"
    # Both: the tag's address is the longer one, and the name has a limit of its own.
    if len(service) > MAX_SERVICE or len(label) > MAX_LABEL:
        yield Obstacle(
            what=f"{service}: its address has a part of {len(label)} characters, of {MAX_LABEL} at most",
            remedy="a shorter name of its folder in functions/",
        )
