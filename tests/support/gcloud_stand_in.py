"""A stand-in for gcloud that keeps state: run as a program, with the path of its state as the first argument.

It knows what a deployment asks: services, revisions, traffic, bindings, topics, subscriptions, secrets.
What it prints has the shape of gcloud's own JSON. It needs the standard library only, so that it starts in
no time. `tests/support/gcloud_project.py` is the test's side of it.
"""

import fcntl
import json
import re
import sys
from typing import Any

State = dict[str, Any]


class Refused(Exception):
    """What gcloud prints on stderr."""


def flags_of(words: list[str]) -> dict[str, str]:
    return dict(word[2:].partition("=")[::2] for word in words if word.startswith("--"))


def answer(state: State, words: list[str]) -> Any:
    """What the command prints, as JSON."""
    for failure in state["failures"]:
        if re.search(failure, " ".join(words)):
            raise Refused(f"ERROR: (gcloud) {failure} does not work today")
    for verb, act in _VERBS.items():
        if words[: len(verb.split())] == verb.split():
            names = [word for word in words[len(verb.split()) :] if not word.startswith("--")]
            return act(state, names[0] if names else "", flags_of(words))
    raise Refused(f"ERROR: (gcloud) Invalid choice: {words}")


def deploy(state: State, name: str, flags: dict[str, str]) -> Any:
    service = state["services"].get(name)
    if service is None:
        raise Refused("ERROR: --no-traffic not supported when creating a new service.")
    if service["command"]:
        raise Refused("ERROR: (gcloud.run.deploy) argument --command: not allowed with argument --function")
    revision = f"{name}-{flags['revision-suffix']}"
    if revision in [each["metadata"]["name"] for each in service["revisions"]]:
        raise Refused(f"ERROR: Revision named '{revision}' already exists.")
    if "args" in flags:
        service["args"] = list(filter(None, flags["args"].split(",")))
    service["revisions"].append(described_revision(revision, flags))
    service["ingress"] = flags["ingress"]
    if revision in state["unready"]:
        raise Refused(f"ERROR: Revision '{revision}' is not ready and cannot serve traffic.")
    service["traffic"].append(
        {"revisionName": revision, "tag": flags["tag"], "url": tag_url(name, flags["tag"])}
    )
    return None


def tag_url(service: str, tag: str) -> str:
    return f"https://{tag}---{service}-abcdef-uw.a.run.app"


def described_revision(name: str, flags: dict[str, str]) -> State:
    with open(flags["env-vars-file"], encoding="utf-8") as file:
        variables = [{"name": key, "value": value} for key, value in json.load(file).items()]
    for secret in filter(None, flags.get("set-secrets", "").split(",")):
        variable, _, reference = secret.partition("=")
        key, _, version = reference.partition(":")
        reference_to = {"secretKeyRef": {"name": key, "key": version}}
        variables.append({"name": variable, "valueFrom": reference_to})
    limits = {"memory": flags["memory"], "cpu": f"{flags['cpu']}000m"}
    annotations = {"autoscaling.knative.dev/maxScale": flags["max-instances"]}
    if flags["min-instances"] != "0":
        annotations["autoscaling.knative.dev/minScale"] = flags["min-instances"]
    return {
        "metadata": {
            "name": name,
            "labels": dict(label.split("=") for label in flags["labels"].split(",")),
            "annotations": annotations,
        },
        "spec": {
            "containerConcurrency": int(flags["concurrency"]),
            "timeoutSeconds": int(flags["timeout"]),
            "serviceAccountName": flags["service-account"],
            "containers": [{"env": variables, "resources": {"limits": limits}}],
        },
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


def update_traffic(state: State, name: str, flags: dict[str, str]) -> Any:
    service = state["services"][name]
    known = {each["metadata"]["name"] for each in service["revisions"]}
    tags = {line["tag"]: line for line in service["traffic"] if "tag" in line}
    for tag in filter(None, flags.get("remove-tags", "").split(",")):
        if tag not in tags:
            raise Refused(f"ERROR: there is no tag {tag}")
        del tags[tag]
    for tagged in filter(None, flags.get("update-tags", "").split(",")):
        tag, _, revision = tagged.partition("=")
        tags[tag] = {"revisionName": revision, "tag": tag, "url": tag_url(name, tag)}
    shares = [line for line in service["traffic"] if line.get("percent")]
    if "to-revisions" in flags:
        shares = []
        for share in flags["to-revisions"].split(","):
            revision, _, percent = share.partition("=")
            if revision not in known:
                raise Refused(f"ERROR: Revision '{revision}' is not found.")
            shares.append({"revisionName": revision, "percent": int(percent)})
    service["traffic"] = [*shares, *tags.values()]
    return None


def services(state: State, name: str, flags: dict[str, str]) -> Any:
    return [
        {
            "metadata": {"name": name, "annotations": {"run.googleapis.com/ingress": service["ingress"]}},
            "status": {
                "url": f"https://{name}-abcdef-uw.a.run.app",
                "latestCreatedRevisionName": service["revisions"][-1]["metadata"]["name"],
                "latestReadyRevisionName": service["revisions"][-1]["metadata"]["name"],
                "traffic": service["traffic"],
            },
        }
        for name, service in state["services"].items()
    ]


def revisions(state: State, name: str, flags: dict[str, str]) -> Any:
    return state["services"][flags["service"]]["revisions"]


def service_policy(state: State, name: str, flags: dict[str, str]) -> Any:
    members = state["services"][name]["invokers"]
    return {"bindings": [{"role": "roles/run.invoker", "members": members}] if members else []}


def account_policy(state: State, name: str, flags: dict[str, str]) -> Any:
    members = state["may_act"].get(name, [])
    return {"bindings": [{"role": "roles/iam.serviceAccountUser", "members": members}] if members else []}


def create_topic(state: State, name: str, flags: dict[str, str]) -> Any:
    state["topics"].append(f"projects/{flags['project']}/topics/{name}")
    return None


def delete_topic(state: State, name: str, flags: dict[str, str]) -> Any:
    state["topics"].remove(f"projects/{flags['project']}/topics/{name}")
    return None


def create_subscription(state: State, name: str, flags: dict[str, str]) -> Any:
    identity = {"serviceAccountEmail": flags["push-auth-service-account"]}
    state["subscriptions"].append(
        {
            "name": f"projects/{flags['project']}/subscriptions/{name}",
            "topic": f"projects/{flags['project']}/topics/{flags['topic']}",
            "pushConfig": {"pushEndpoint": flags["push-endpoint"], "oidcToken": identity},
        }
    )
    return None


def delete_subscription(state: State, name: str, flags: dict[str, str]) -> Any:
    full = f"projects/{flags['project']}/subscriptions/{name}"
    left = [each for each in state["subscriptions"] if each["name"] != full]
    if len(left) == len(state["subscriptions"]):
        raise Refused(f"ERROR: {full} was not found")
    state["subscriptions"] = left
    return None


def publish(state: State, name: str, flags: dict[str, str]) -> Any:
    """Delivered at once to the revisions whose tags the subscriptions push to; each answers as it is."""
    canary_id = flags["attribute"].removeprefix("canary=")
    for subscription in state["subscriptions"]:
        if subscription.get("topic", "").endswith(f"/{name}"):
            push = subscription["pushConfig"]
            member = f"serviceAccount:{push['oidcToken']['serviceAccountEmail']}"
            for service, described in state["services"].items():
                for line in described["traffic"]:
                    is_meant = push["pushEndpoint"].startswith(line.get("url", "nowhere"))
                    can_answer = not state["mute"] and not described["args"]
                    if is_meant and member in described["invokers"] and can_answer:
                        checks = state["checks"]
                        found = {"service": service, "revision": line["revisionName"], "checks": checks}
                        state["answers"][canary_id] = found
    return None


def versions(state: State, name: str, flags: dict[str, str]) -> Any:
    newest = state["secrets"].get(name)
    return [{"name": f"projects/1/secrets/{name}/versions/{newest}"}] if newest else []


_VERBS = {
    "auth list": lambda state, *_: state["active"],
    "auth print-access-token": lambda *_: {"token": "a-token"},
    "projects describe": lambda *_: {"projectNumber": "123456789012"},
    "projects get-iam-policy": lambda state, *_: state["policy"],
    "services list": lambda state, *_: [{"config": {"name": api}} for api in state["apis"]],
    "iam service-accounts list": lambda state, *_: [{"email": email} for email in state["accounts"]],
    "iam service-accounts get-iam-policy": account_policy,
    "pubsub topics list": lambda state, *_: [{"name": name} for name in state["topics"]],
    "pubsub topics create": create_topic,
    "pubsub topics delete": delete_topic,
    "pubsub topics publish": publish,
    "pubsub subscriptions list": lambda state, *_: state["subscriptions"],
    "pubsub subscriptions create": create_subscription,
    "pubsub subscriptions delete": delete_subscription,
    "secrets versions list": versions,
    "run deploy": deploy,
    "run revisions list": revisions,
    "run services list": services,
    "run services update-traffic": update_traffic,
    "run services get-iam-policy": service_policy,
}


def call(path: str, words: list[str]) -> tuple[str, str]:
    """One command: the state is read, changed and written while nobody else can. What gcloud would print
    on its two streams; on the second, only if it failed."""
    with open(path, "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        state = json.load(file)
        state["calls"].append(words)
        try:
            printed, refused = json.dumps(answer(state, words)), ""
        except Refused as exc:
            printed, refused = "", str(exc)
        file.seek(0)
        file.truncate()
        json.dump(state, file)
    return printed, refused


if __name__ == "__main__":
    said, complaint = call(sys.argv[1], sys.argv[2:])
    print(said)
    sys.exit(complaint or 0)
