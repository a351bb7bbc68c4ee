"""A deployment from end to end. Each step is done for all functions before the next begins, so that no
traffic moves while anything may still fail:

    preflight → stage → verify → difference → deploy without traffic → smoke test → traffic → read back

Run again, it does what is still to be done; where nothing differs, it only reads back. Two at once do not
disturb each other: each tries its own revision, and who finds that the traffic has moved meanwhile moves
nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from ..manifest import Function, Manifest
from . import commands, delivery, preflight, smoke, status
from .answers import Answers
from .delivery import Address
from .difference import Difference, differences
from .drift import drifts
from .gcloud import Gcloud
from .inventory import Inventory
from .preflight import Facts
from .problem import DeployError
from .release import Release, unsaid
from .running import Service
from .target import Target
from .workshop import Workshop


@dataclass(frozen=True, kw_only=True)
class Change:
    """One function that is deployed."""

    release: Release
    before: Service
    deployment: str
    """See `smoke.new_deployment`."""

    @property
    def service(self) -> str:
        """The service's name."""
        return self.release.service

    @property
    def revision(self) -> str:
        """The name of the new revision, which its deployment chose."""
        return f"{self.service}-{self.deployment}"


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """Deploys the functions of a manifest, or some of them, to one target."""

    target: Target
    gcloud: Gcloud
    answers: Callable[[], Answers]
    """Called when the first canary is sent."""
    workshop: Workshop
    say: Callable[[str], None]
    now: Callable[[], float]
    """Seconds since 1970."""
    salt: Callable[[], bytes]
    """Tells apart deployments that begin in the same second."""

    def deploy(self, manifest: Manifest, functions: Mapping[str, Function]) -> None:
        """Deploy what differs, step by step.

        Raises DeployError with the step that failed; then no traffic has moved, unless it says so. Again:
        what is deployed already is not deployed twice. Ctrl-C undoes what the step has made, and is raised
        on.
        """
        changes: list[Change] = []  # grows before anything is made, so that an undo knows what there may be
        with self._step("preflight"):
            today = datetime.fromtimestamp(self.now(), UTC).date()
            facts = preflight.check(
                self.gcloud, self.target, functions=functions, runtime=manifest.runtime, today=today
            )
        with self._step("stage and verify"):
            self.workshop.stage(functions)
        with self._step("difference"):
            # Asked now: the value of a secret is pinned by this deployment, and by no other.
            version_of = self._inventory.newest_version
            releases = self.workshop.releases(manifest, functions, version_of=version_of)
            for each in releases:
                # Every function is compared before any is deployed: a missing binding or variable costs no
                # build.
                changes += self._change(each, functions[each.folder], facts)
        with self._step("deploy without traffic", undo=lambda: self._untag(changes)):
            for change in changes:
                self._deploy(change)
        with self._step("smoke test", undo=lambda: self._untag(changes)):
            self._smoke(changes, facts)
        with self._step("traffic", undo=lambda: self._untag(changes)):
            for change in changes:
                self._move(change)
        with self._step("read back"):
            self._read_back(releases, functions, facts)
        self.say("deployed, and read back" if changes else "nothing to do: what is here runs")

    @contextmanager
    def _step(self, name: str, undo: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Names the step that fails. Ctrl-C is a failure too: what was made is taken away again."""
        self.say(f"== {name}")
        try:
            yield
        except DeployError as exc:
            try:
                undo()
            except DeployError as second:
                left = f"what it has made could not be removed: {second}"
                raise DeployError(f"{name}: {exc}\n{left}") from exc
            raise DeployError(f"{name}: {exc}") from exc
        except KeyboardInterrupt:
            undo()
            raise

    @property
    def _inventory(self) -> Inventory:
        return Inventory(self.gcloud, self.target)

    def _change(self, release: Release, function: Function, facts: Facts) -> list[Change]:
        """What there is to deploy of one function, shown line by line; empty where nothing differs."""
        before = self._inventory.existing(release.service)
        # Without the binding no event arrives, a canary included; it is Terraform's, and looked for first.
        _refuse(list(delivery.invokers(self.gcloud, release, self.target, facts.policy)))
        found = differences(release, before)
        for difference in found:
            self.say(str(difference))
        self._keep_what_nobody_dropped(release, function, before)
        deployment = smoke.new_deployment(self.now(), self.salt())
        return [Change(release=release, before=before, deployment=deployment)] if found else []

    def _keep_what_nobody_dropped(self, release: Release, function: Function, before: Service) -> None:
        """Raises DeployError for a variable that runs and that nobody has mentioned: see `unsaid`."""
        lost = unsaid(function, self.workshop.given, before.serving.environment) if before.serving else {}
        if lost:
            told = ", ".join(f"{name}={value!r}" for name, value in lost.items())
            raise DeployError(f"{release.service}: {told} would be lost: set it, or set it to nothing")

    def _deploy(self, change: Change) -> None:
        """Build and start the new revision, without traffic: the one step that takes minutes.

        Again it would be refused: the revision's name is that of this deployment.
        """
        source, env_file = self.workshop.upload(change.release)
        deploy = commands.deploy(
            change.release,
            self.target,
            source=source,
            env_file=env_file,
            deployment=change.deployment,
        )
        self.gcloud.run(deploy)

    def _smoke(self, changes: Sequence[Change], facts: Facts) -> None:
        """Each revision that was made is asked whether it works; the first that does not ends the
        deployment."""
        if not changes:
            return
        smoke.sweep(self.gcloud, self.target, self.now())
        # Made once there is something to ask: a deployment without a change needs no Firestore.
        answers = self.answers()
        for change in changes:
            service = self._inventory.existing(change.service)
            url = Address(target=self.target, service=change.service, project_number=facts.project_number).url
            smoke.probe(
                self.gcloud, answers, self.target, service=service, deployment=change.deployment, url=url
            )
            self.say(f"{change.service}: {change.revision} answers, and its stores are well")

    def _untag(self, changes: Sequence[Change]) -> None:
        """The revisions of a deployment that failed keep no address. They have no traffic."""
        for change in changes:
            service = self._inventory.existing(change.service)
            if service.tagged(change.deployment):
                self.gcloud.run(commands.remove_tags(change.service, self.target, untag=[change.deployment]))

    def _move(self, change: Change) -> None:
        """All traffic to the revision that was tried, unless somebody else has moved it since."""
        service = self._inventory.existing(change.service)
        # gcloud knows no compare-and-set. Between this look and the move lie seconds, not the minutes of a
        # build; whatever wins then was tried, too, and the reading back of the other one tells.
        if service.split != change.before.split:
            raise DeployError(
                f"{change.service}: another deployment has moved the traffic from {change.before.split} to "
                f"{service.split}; it is left there. Look at --status, and deploy again"
            )
        serving = service.serving
        # Terraform's first revision answers nothing: there is no way back to it.
        previous = serving.name if serving and serving.digest else None
        # Tags of deployments that were killed would keep their revisions reachable for ever.
        tags = [each.tag for each in service.traffic if each.tag]
        stale = [tag for tag in tags if smoke.is_abandoned(tag, self.now())]
        move = commands.move_traffic(
            change.service,
            self.target,
            to=change.revision,
            previous=previous,
            untag=[change.deployment, *stale],
        )
        self.gcloud.run(move)
        self.say(f"{change.service}: {change.revision} has the traffic")

    def _read_back(
        self, releases: Sequence[Release], functions: Mapping[str, Function], facts: Facts
    ) -> None:
        """Compares what serves now with what was to be deployed; any difference is a DeployError."""
        _refuse(list(drifts(self.gcloud, self.target, facts=facts, releases=releases, functions=functions)))


def _refuse(found: Sequence[Difference]) -> None:
    """Raises DeployError with all that differs."""
    if found:
        raise DeployError(status.as_text(found))
