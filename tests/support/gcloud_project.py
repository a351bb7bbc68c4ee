"""A project that Terraform has prepared, behind a stand-in for gcloud on the PATH."""

import fcntl
import json
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from common.topics import REGISTRY
from infra.deployment.answers import Answer
from infra.deployment.cli import main
from infra.deployment.commands import Command
from infra.deployment.gcloud import GcloudProgram
from infra.deployment.preflight import APIS, ROLES, needed_accounts
from infra.deployment.problem import DeployError
from infra.deployment.target import Target, target
from infra.manifest import heard, load
from tests.support.gcloud_stand_in import call
from tests.support.source_tree import ROOT

GIVEN = {"GCP_PROJECT": "a-project", "SPORT": "nba", "REGION": "us-west2"}
NUMBER = "123456789012"
RECORDER = "nba-completion-recorder"
PERSON = "user:ann@example.com"
_PROGRAM = Path(__file__).with_name("gcloud_stand_in.py")


class StandInGcloud:
    """The stand-in without a process for each command: half a second a deployment, not five."""

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        self._path = path
        self._say = say

    def read(self, command: Command) -> Any:
        self._say(shlex.join(command))
        printed, refused = call(str(self._path), command[1:])
        if refused:
            raise DeployError(f"{shlex.join(command)}: {refused}")
        return json.loads(printed)

    def run(self, command: Command) -> None:
        self.read(command)


class GcloudProject:
    """What is there, what is asked of it, and what goes wrong. `./deploy.sh` is called by `deploy`."""

    def __init__(self, folder: Path, *, as_program: bool = False) -> None:
        """As a program, `folder` has to be first on the PATH."""
        self._as_program = as_program
        self._path = folder / "state.json"
        self._path.write_text(json.dumps(_prepared(target(GIVEN))), encoding="utf-8")
        program = folder / "gcloud"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {_PROGRAM} {self._path} "$@"\n')
        program.chmod(0o755)
        self.before_answer: Callable[[], None] = lambda: None
        """Called when a deployment begins to wait for an answer."""
        self.impostor: str | None = None
        """A revision that answers in place of the one that is asked."""

    def deploy(self, *arguments: str, **given: str) -> int:
        """The exit status. Of the functions one is enough; the framework need not start it every time."""
        chosen = ["--only", "completion_recorder", "--verify", "/bin/true", *arguments]
        gcloud = GcloudProgram if self._as_program else partial(StandInGcloud, self._path)
        return main(chosen, {**GIVEN, **given}, gcloud=gcloud, answered=lambda: self)

    @property
    def state(self) -> dict[str, Any]:
        with self._path.open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            found: dict[str, Any] = json.load(file)
            return found

    def change(self, **changes: Any) -> None:
        with self._edited() as state:
            state.update(changes)

    def change_service(self, name: str = RECORDER, **changes: Any) -> None:
        with self._edited() as state:
            state["services"][name].update(changes)

    @contextmanager
    def _edited(self) -> Iterator[dict[str, Any]]:
        """Nobody else reads or writes the state meanwhile."""
        with self._path.open("r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            state = json.load(file)
            yield state
            file.seek(0)
            file.truncate()
            json.dump(state, file)

    @property
    def calls(self) -> list[str]:
        """Each command, in one line."""
        return [" ".join(call) for call in self.state["calls"]]

    def called(self, start: str) -> list[str]:
        return [call for call in self.calls if call.startswith(start)]

    def serving(self, name: str = RECORDER) -> dict[str, int]:
        """Revision → its share of the traffic."""
        traffic = self.state["services"][name]["traffic"]
        return {line["revisionName"]: line["percent"] for line in traffic if line.get("percent")}

    def tags(self, name: str = RECORDER) -> dict[str, str]:
        """Tag → revision."""
        traffic = self.state["services"][name]["traffic"]
        return {line["tag"]: line["revisionName"] for line in traffic if "tag" in line}

    def revisions(self, name: str = RECORDER) -> list[str]:
        """All but the one that Terraform has made."""
        return [each["metadata"]["name"] for each in self.state["services"][name]["revisions"]][1:]

    def newest(self, name: str = RECORDER) -> dict[str, Any]:
        """The revision that was made last, as gcloud describes it."""
        found: dict[str, Any] = self.state["services"][name]["revisions"][-1]
        return found

    def canaries(self) -> list[str]:
        """What smoke tests have left."""
        state = self.state
        named = [*state["topics"], *(each["name"] for each in state["subscriptions"]), *state["answers"]]
        return [name for name in named if "canary" in name or name in state["answers"]]

    def wait(self, canary_id: str) -> Answer | None:
        """As `Answers`: what the stand-in has noted when the canary was published."""
        self.before_answer()
        found = self.state["answers"].get(canary_id)
        if found and self.impostor:
            found |= {"revision": self.impostor}
        return Answer(**found) if found else None

    def forget(self, canary_id: str) -> None:
        with self._edited() as state:
            state["answers"].pop(canary_id, None)


def _prepared(place: Target) -> dict[str, Any]:
    functions = load(ROOT).functions
    accounts = sorted(needed_accounts(place, functions.values()))
    topics = [entry.name(place.sport) for entry in REGISTRY.values()]
    return {
        "active": [{"account": PERSON.removeprefix("user:")}],
        "apis": [*APIS],
        "policy": {"bindings": [{"role": role, "members": [PERSON]} for role in ROLES]},
        "accounts": accounts,
        "may_act": {account: [PERSON] for account in accounts},
        "topics": [f"projects/{place.project}/topics/{name}" for name in topics],
        "subscriptions": [each for name in functions for each in _subscriptions(place, name)],
        "secrets": {"slack": 1},
        "services": {place.service(name): _placeholder(place, name) for name in functions},
        "checks": {"firestore": "ok"},
        "answers": {},
        "mute": False,
        "unready": [],
        "failures": [],
        "calls": [],
    }


def _placeholder(place: Target, name: str) -> dict[str, Any]:
    """The service as Terraform makes it: a server that refuses every event, and arguments that would stay."""
    revision = f"{place.service(name)}-00001-abc"
    return {
        "revisions": [
            {
                "metadata": {"name": revision, "labels": {}},
                "spec": {"containers": [{"args": ["python", "-m", "http.server"]}]},
                "status": {"conditions": [{"type": "Ready", "status": "True"}]},
            }
        ],
        "traffic": [{"latestRevision": True, "revisionName": revision, "percent": 100}],
        "invokers": [f"serviceAccount:{place.invoker}"],
        "ingress": "internal",
        "command": [],
        "args": ["python", "-m", "http.server"],
    }


def _subscriptions(place: Target, name: str) -> list[dict[str, Any]]:
    made = []
    for topic, heard_by in heard(name, load(ROOT).functions[name]).items():
        host = f"https://{place.service(name)}-{NUMBER}.{place.region}.run.app"
        project = f"projects/{place.project}"
        full = f"{project}/topics/{topic.name(place.sport)}"
        made.append(
            {
                "name": f"{project}/subscriptions/{topic.subscription_name(place.sport, name)}",
                "topic": full,
                "ackDeadlineSeconds": heard_by.ack_deadline_seconds,
                "pushConfig": {
                    "pushEndpoint": f"{host}/{full}",
                    "oidcToken": {"serviceAccountEmail": place.invoker},
                },
                "deadLetterPolicy": {
                    "deadLetterTopic": f"{project}/topics/{topic.dead_letter_name(place.sport)}",
                    "maxDeliveryAttempts": heard_by.max_delivery_attempts,
                },
            }
        )
    return made
