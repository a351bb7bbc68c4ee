"""What a Terraform plan would make, and what is wrong with it, beside what the project's own files say.

Each check returns sentences, one for each fault: a plan with a seeded fault shows that it is caught.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from common import topics
from common.sport import DatasetRole, Sport, SportNames
from common.topics import DEAD_LETTER_RETENTION, REGISTRY, Delivery, Subscription, Topic
from infra.manifest import Manifest, heard
from infra.offline.planning import PROJECT, PROJECT_NUMBER

REGION = "us-west2"
AGENT = f"serviceAccount:service-{PROJECT_NUMBER}@gcp-sa-pubsub.iam.gserviceaccount.com"
VARIABLES: Mapping[str, object] = {
    "project_id": PROJECT,
    "region": REGION,
    "firestore_location": REGION,
    "bigquery_location": REGION,
}

PROJECT_ROLES = {
    "roles/bigquery.jobUser",
    "roles/datastore.user",
    "roles/pubsub.viewer",
    "roles/run.builder",
}
"""All that is granted on the project as a whole. None of them reads a row, publishes or invokes."""


def account(name: str) -> str:
    return f"{name}@{PROJECT}.iam.gserviceaccount.com"


@dataclass(frozen=True)
class Planned:
    """A plan, as Terraform shows it in JSON, and the sports that it is for."""

    plan: Mapping[str, Any]
    sports: tuple[Sport, ...]

    def of(self, kind: str, name: str | None = None) -> list[Mapping[str, Any]]:
        """What `resource "kind" "name"` makes, each with its arguments; of all names if none is given."""
        return [
            change["change"]["after"]
            for change in self.plan["resource_changes"]
            if change["mode"] == "managed" and change["type"] == kind and name in (None, change["name"])
        ]

    def grants(self) -> Iterator[Mapping[str, Any]]:
        """All that is granted to whomever, on whatever."""
        for change in self.plan["resource_changes"]:
            if "_iam_" in change["type"]:
                yield {"type": change["type"], "address": change["address"]} | change["change"]["after"]


def differences(what: str, wanted: Iterable[object], found: Iterable[object]) -> list[str]:
    """What is missing, what is extra, and what is there twice."""
    wanted, found = list(wanted), list(found)
    return [
        *(f"{what}: {each} is missing" for each in wanted if each not in found),
        *(f"{what}: {each} is extra" for each in found if each not in wanted),
        *(f"{what}: {each} is there twice" for each in {*found} if found.count(each) > 1),
    ]


def topic_faults(planned: Planned) -> list[str]:
    names = [(entry, sport) for entry in REGISTRY.values() for sport in planned.sports]
    wanted = [(entry.name(sport), f"{entry.retention_seconds}s") for entry, sport in names]
    made = planned.of("google_pubsub_topic", "this")
    dead = planned.of("google_pubsub_topic", "dead_letter")
    kept = [
        (each["name"], each["topic"], each["message_retention_duration"], each["expiration_policy"])
        for each in planned.of("google_pubsub_subscription", "dead_letter")
    ]
    retention = f"{DEAD_LETTER_RETENTION.total_seconds():.0f}s"
    keepers = [
        (
            entry.dead_letter_subscription_name(sport),
            topic_path(entry.dead_letter_name(sport)),
            retention,
            [{"ttl": ""}],
        )
        for entry, sport in names
    ]
    return [
        *differences("topic", wanted, [(each["name"], each["message_retention_duration"]) for each in made]),
        *differences(
            "dead-letter topic",
            [entry.dead_letter_name(sport) for entry, sport in names],
            [each["name"] for each in dead],
        ),
        *(f"keeper: {each} is missing" for each in keepers if each not in kept),
        *(f"keeper: {each} is extra" for each in kept if each not in keepers),
    ]


def subscription_faults(planned: Planned, manifest: Manifest) -> list[str]:
    wanted = [
        *(
            _delivery(entry, to, sport) | _push(entry, to, sport)
            for sport in planned.sports
            for name, function in manifest.functions.items()
            for entry, to in heard(name, function).items()
        ),
        *(
            _delivery(entry, to, sport)
            for sport in planned.sports
            for entry in REGISTRY.values()
            for to in entry.subscriptions.values()
            if to.delivery is Delivery.PULL
        ),
    ]
    made = [
        {name: value for name, value in each.items() if name in _COMPARED and value}
        for kind in ("push", "pull")
        for each in planned.of("google_pubsub_subscription", kind)
    ]
    return [
        *(f"subscription: {each} is missing" for each in wanted if each not in made),
        *(f"subscription: {each} is extra" for each in made if each not in wanted),
    ]


_COMPARED = {
    "name",
    "topic",
    "ack_deadline_seconds",
    "message_retention_duration",
    "dead_letter_policy",
    "retry_policy",
    "expiration_policy",
    "push_config",
}


def _delivery(entry: Topic, to: Subscription, sport: Sport) -> dict[str, Any]:
    dead = topic_path(entry.dead_letter_name(sport))
    return {
        "name": entry.subscription_name(sport, to.subscriber),
        "topic": topic_path(entry.name(sport)),
        "ack_deadline_seconds": to.ack_deadline_seconds,
        "message_retention_duration": f"{to.retention_seconds}s",
        "dead_letter_policy": [
            {"dead_letter_topic": dead, "max_delivery_attempts": to.max_delivery_attempts}
        ],
        "retry_policy": [
            {"minimum_backoff": f"{to.min_backoff_seconds}s", "maximum_backoff": f"{to.max_backoff_seconds}s"}
        ],
        "expiration_policy": [{"ttl": ""}],
    }


def _push(entry: Topic, to: Subscription, sport: Sport) -> dict[str, Any]:
    address = f"https://{SportNames(sport=sport).service(to.subscriber)}-{PROJECT_NUMBER}.{REGION}.run.app"
    token = {"audience": address, "service_account_email": account("event-invoker")}
    return {
        "push_config": [
            {
                "attributes": None,
                "no_wrapper": [],
                "oidc_token": [token],
                "push_endpoint": f"{address}/{topic_path(entry.name(sport))}",
            }
        ]
    }


def topic_path(name: str) -> str:
    return f"projects/{PROJECT}/topics/{name}"


def agent_faults(planned: Planned) -> list[str]:
    """Pub/Sub's agent: publishes dead letters, acknowledges what it forwards, signs as the push identity."""
    forwarded = [
        each["id"] for kind in ("push", "pull") for each in planned.of("google_pubsub_subscription", kind)
    ]
    dead = [topic_path(each["name"]) for each in planned.of("google_pubsub_topic", "dead_letter")]
    signs_as = f"projects/{PROJECT}/serviceAccounts/{account('event-invoker')}"
    wanted = [
        *(("roles/pubsub.subscriber", each) for each in forwarded),
        *(("roles/pubsub.publisher", each) for each in dead),
        ("roles/iam.serviceAccountTokenCreator", signs_as),
    ]
    granted = [(each["role"], _object(each)) for each in planned.grants() if each["member"] == AGENT]
    return differences("grant to Pub/Sub's agent", wanted, granted)


def _object(grant: Mapping[str, Any]) -> Any:
    named = ("topic", "subscription", "service_account_id", "name", "dataset_id", "secret_id", "bucket")
    return next((grant[name] for name in named if grant.get(name)), "the project")


def privilege_faults(planned: Planned, manifest: Manifest) -> list[str]:
    """One account for each function; nothing wide on the project; nobody anonymous; only Pub/Sub calls."""
    accounts = [each["account_id"] for each in planned.of("google_service_account")]
    wanted = [each.service_account for each in manifest.functions.values()]
    services = [each["name"] for each in planned.of("google_cloud_run_v2_service")]
    called = [
        (_object(each), each["member"]) for each in planned.grants() if each["role"] == "roles/run.invoker"
    ]
    return [
        *differences("account", [*wanted, "event-invoker", "function-build"], accounts),
        *differences(
            "caller", [(each, f"serviceAccount:{account('event-invoker')}") for each in services], called
        ),
        *(
            f"{each['address']}: {each['role']} on the whole project"
            for each in planned.grants()
            if each["type"] == "google_project_iam_member" and each["role"] not in PROJECT_ROLES
        ),
        *(
            f"{each['address']}: granted to {each['member']}"
            for each in planned.grants()
            if each["member"].startswith("all")
        ),
        *(
            f"{each['address']}: takes away what others granted"
            for each in planned.grants()
            if not each["type"].endswith("_member")
        ),
        *(
            f"{each['name']}: {each['ingress']}"
            for each in planned.of("google_cloud_run_v2_service")
            if each["ingress"] != "INGRESS_TRAFFIC_INTERNAL_ONLY" or each["invoker_iam_disabled"]
        ),
    ]


def speaker_faults(planned: Planned, manifest: Manifest) -> list[str]:
    """Who the registry says publishes, may; on dead-letter topics, who hears the topic may."""
    members = {
        name: f"serviceAccount:{account(each.service_account)}" for name, each in manifest.functions.items()
    }
    own = [
        (members[entry.publisher], topic_path(entry.name(sport)))
        for sport in planned.sports
        for entry in REGISTRY.values()
        if entry.publisher in members
    ]
    dead = [
        (members[name], topic_path(entry.dead_letter_name(sport)))
        for sport in planned.sports
        for name, function in manifest.functions.items()
        for entry in heard(name, function)
    ]
    granted = [
        (each["member"], _object(each))
        for each in planned.grants()
        if each["role"] == "roles/pubsub.publisher" and each["member"] in members.values()
    ]
    repaired = _repaired(planned.sports) if "consistency_auditor" in members else set()
    auditor = members.get("consistency_auditor")
    extra = [
        each
        for each in granted
        if each not in (*own, *dead) and (each[0] != auditor or each[1] not in repaired)
    ]
    return [
        *(f"speaker: {each} is missing" for each in (*own, *dead) if each not in granted),
        *(f"speaker: {each} is extra" for each in extra),
    ]


def listener_faults(planned: Planned, manifest: Manifest) -> list[str]:
    """A function is pushed to and pulls nothing; the auditor looks at dead letters, and nowhere else."""
    members = {
        f"serviceAccount:{account(each.service_account)}": name for name, each in manifest.functions.items()
    }
    wanted = [
        ("consistency_auditor", each["id"])
        for each in planned.of("google_pubsub_subscription", "dead_letter")
        if "consistency_auditor" in manifest.functions
    ]
    granted = [
        (members[each["member"]], _object(each))
        for each in planned.grants()
        if each["role"] == "roles/pubsub.subscriber" and each["member"] in members
    ]
    return differences("listener", wanted, granted)


def _repaired(sports: Iterable[Sport]) -> set[str]:
    """What the auditor may say again when somebody's trigger is owed."""
    speakers = {"completion_recorder", "consolidation_trigger", "phase_transitions", "coordinator"}
    return {
        topic_path(entry.name(sport))
        for sport in sports
        for entry in REGISTRY.values()
        if entry.publisher in speakers
    }


def dataset_faults(planned: Planned) -> list[str]:
    """The datasets of the sports, and no table: those are made by infra/sql alone."""
    wanted = [SportNames(sport=sport).dataset(role) for sport in planned.sports for role in DatasetRole]
    tables = [
        f"table {each['table_id']}: is made by infra/sql, too" for each in planned.of("google_bigquery_table")
    ]
    made = [each["dataset_id"] for each in planned.of("google_bigquery_dataset")]
    return [*differences("dataset", wanted, made), *tables]


def secret_faults(planned: Planned, manifest: Manifest) -> list[str]:
    """A function reads the secrets that its manifest names, and no other; no value is in the plan."""
    wanted = [
        (f"serviceAccount:{account(each.service_account)}", f"projects/{PROJECT}/secrets/{_secret(name)}")
        for each in manifest.functions.values()
        for name in each.secrets
    ]
    read = [
        (each["member"], _object(each))
        for each in planned.grants()
        if each["role"] == "roles/secretmanager.secretAccessor"
    ]
    values = [f"{each['secret']}: its value is in the state" for each in _versions(planned)]
    return [*differences("reader of a secret", wanted, read), *values]


def _versions(planned: Planned) -> list[Mapping[str, Any]]:
    return planned.of("google_secret_manager_secret_version")


def _secret(variable: str) -> str:
    return re.sub("_", "-", variable).lower()


def schedule_faults(planned: Planned) -> list[str]:
    """The clock's topics are spoken on in UTC; nothing else is scheduled."""
    wanted = [
        (topic_path(entry.name(sport)), schedule, "Etc/UTC", "e30=")
        for sport in planned.sports
        for entry, schedule in ((topics.PHASE_SWEEP, "*/10 * * * *"), (topics.CONSISTENCY_AUDIT, "0 * * * *"))
    ]
    made = [
        (
            each["pubsub_target"][0]["topic_name"],
            each["schedule"],
            each["time_zone"],
            each["pubsub_target"][0]["data"],
        )
        for each in planned.of("google_cloud_scheduler_job")
    ]
    return differences("schedule", wanted, made)


def faults(planned: Planned, manifest: Manifest) -> list[str]:
    """All that is wrong with a plan."""
    return [
        *topic_faults(planned),
        *subscription_faults(planned, manifest),
        *agent_faults(planned),
        *privilege_faults(planned, manifest),
        *speaker_faults(planned, manifest),
        *listener_faults(planned, manifest),
        *dataset_faults(planned),
        *secret_faults(planned, manifest),
        *schedule_faults(planned),
    ]
