"""The topic registry against what Pub/Sub really has, and what waits in its dead-letter subscriptions."""

import warnings
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from google.api_core.exceptions import GoogleAPIError
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError

from ..findings import Finding, FindingClass, Scope, Severity, operator_command
from ..result import ErrorInfo, Result, is_transient
from ..sport import Sport
from ..texts import counted
from ..topics import REGISTRY, Delivery, Topic
from .outcomes import Outcome, Unknown, outcome_of
from .stores import PUBSUB

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

TOPOLOGY: Final = "topology"
WAITING: Final = "dead_letter_subscriptions"
TIMEOUT_SECONDS: Final = 20.0
"""Of one call, its repeats included."""
PEEKED: Final = 10
"""Messages that are looked at: whether some wait matters, not how many."""
AT_ONCE: Final = 8
"""Subscriptions that are looked into: one after the other they would take minutes where none answers."""

_LIMITS: Final[dict[str, Any]] = {
    # The client's own repeats go on for minutes.
    "retry": Retry(predicate=is_transient, initial=0.1, maximum=2.0, timeout=TIMEOUT_SECONDS),
    "timeout": TIMEOUT_SECONDS,
}
_FAULTS: Final = (GoogleAPIError, GoogleAuthError)


@dataclass(frozen=True, kw_only=True)
class SubscriptionSeen:
    """One subscription as Pub/Sub has it; names without their project."""

    name: str
    topic: str
    """"" for a subscription whose topic was deleted."""
    push_endpoint: str
    """"" for one that is pulled."""
    dead_letter_topic: str
    """"" without a policy."""
    max_delivery_attempts: int
    """0 without a policy."""
    ack_deadline_seconds: int


@dataclass(frozen=True, kw_only=True)
class TopologySeen:
    """What Pub/Sub says there is; names without their project."""

    topics: frozenset[str]
    subscriptions: Mapping[str, SubscriptionSeen]


class Topology(Protocol):
    """Asks Pub/Sub."""

    def seen(self) -> Result[TopologySeen]:
        """All topics and subscriptions of the project."""

    def waiting(self, subscription: str) -> Result[int]:
        """How many messages wait in a subscription, as far as they are looked at.

        NotFound (PERMANENT) for one that is not there.
        """


class PubSubTopology:
    """Of one project; safe to share between threads."""

    def __init__(self, publisher: "PublisherClient", subscriber: "SubscriberClient", project: str) -> None:
        """Viewer's rights are enough, but for looking into subscriptions, which takes a subscriber's."""
        self._publisher = publisher
        self._subscriber = subscriber
        self._project = project

    def seen(self) -> Result[TopologySeen]:
        """Two listings. A failure if either failed: half of it would look as if the rest were gone."""
        path = f"projects/{self._project}"
        try:
            topics = [_short(each.name) for each in self._publisher.list_topics(project=path, **_LIMITS)]
            subscriptions = [
                _subscription(each) for each in self._subscriber.list_subscriptions(project=path, **_LIMITS)
            ]
        except _FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, project=self._project))
        return Result.success(
            TopologySeen(topics=frozenset(topics), subscriptions={each.name: each for each in subscriptions})
        )

    def waiting(self, subscription: str) -> Result[int]:
        """How many messages wait in a subscription, up to PEEKED.

        They are looked at and given back at once. That counts as a delivery, so dead-letter subscriptions
        have no limit of attempts.
        """
        path = f"projects/{self._project}/subscriptions/{subscription}"
        try:
            pulled = self._peek(path)
            ids = [each.ack_id for each in pulled.received_messages]
            if ids:
                self._subscriber.modify_ack_deadline(
                    subscription=path, ack_ids=ids, ack_deadline_seconds=0, **_LIMITS
                )
        except _FAULTS as exc:
            return Result.failure(ErrorInfo.from_exception(exc, subscription=subscription))
        return Result.success(len(ids))

    def _peek(self, path: str) -> Any:
        """What is there at this moment. Waiting for messages to come would take an empty subscription for one
        that does not answer."""
        with warnings.catch_warnings():
            # Deprecated for those who wait for messages; here nobody waits.
            warnings.filterwarnings("ignore", message="The return_immediately", category=DeprecationWarning)
            return self._subscriber.pull(
                subscription=path, max_messages=PEEKED, return_immediately=True, **_LIMITS
            )


def check_topology(topology: Topology, sport: Sport) -> Outcome:
    """Topics, subscriptions, dead-letter policies and push endpoints that the registry says there are.

    What Pub/Sub has beyond these is left alone.

    Unknown where either listing fails. A run in the middle of a deployment may tell as missing what is
    about to be made; the next one finds that over.
    """
    seen = topology.seen()
    if seen.error is not None:
        return Unknown(store=PUBSUB, error=seen.error)
    return outcome_of(topology_findings(seen.unwrap(), sport))


def topology_findings(seen: TopologySeen, sport: Sport) -> list[Finding]:
    """Pure: the registry against what is there."""
    return [finding for topic in REGISTRY.values() for finding in _of_topic(topic, seen, sport)]


def _of_topic(topic: Topic, seen: TopologySeen, sport: Sport) -> Iterable[Finding]:
    """What is wrong with one topic of the registry, its dead letters and its subscriptions.

    A deleted topic leaves its subscriptions behind, without a topic: both are told, as both have to be made
    again.
    """
    # Also the topic of the dead letters: where it is missing, Pub/Sub repeats a message
    # for as long as it keeps it.
    for name in (topic.name(sport), topic.dead_letter_name(sport)):
        if name not in seen.topics:
            yield _finding(FindingClass.MISSING_TOPIC, name, "the topic does not exist")
    keeper = topic.dead_letter_subscription_name(sport)
    if keeper not in seen.subscriptions:
        told = "the dead-letter topic has no subscription: what it gets is lost"
        yield _finding(FindingClass.MISSING_SUBSCRIPTION, keeper, told)
    for subscriber, wanted in topic.subscriptions.items():
        name = topic.subscription_name(sport, subscriber)
        found = seen.subscriptions.get(name)
        if found is None:
            told = f"{subscriber} hears nothing of {topic.name(sport)}"
            yield _finding(FindingClass.MISSING_SUBSCRIPTION, name, told)
            continue
        # All that is wrong with one subscription is one finding: one apply mends it.
        problems = [
            told
            for is_wrong, told in (
                (found.topic != topic.name(sport), f"listens to {found.topic or 'a deleted topic'}"),
                (
                    found.dead_letter_topic != topic.dead_letter_name(sport),
                    f"its dead letters go to {found.dead_letter_topic or 'nowhere'}",
                ),
                (
                    found.max_delivery_attempts != wanted.max_delivery_attempts,
                    f"{found.max_delivery_attempts} delivery attempts, not {wanted.max_delivery_attempts}",
                ),
                # A longer one harms nobody; a shorter one delivers again what is still being worked on.
                (
                    found.ack_deadline_seconds < wanted.ack_deadline_seconds,
                    f"acknowledgement within {found.ack_deadline_seconds} s, "
                    f"not {wanted.ack_deadline_seconds}",
                ),
                # By its end: the host is the deployment's, the path names the topic that is delivered.
                (
                    wanted.delivery is Delivery.PUSH
                    and not found.push_endpoint.endswith(f"/topics/{topic.name(sport)}"),
                    f"pushes to {found.push_endpoint or 'nobody'}",
                ),
            )
            if is_wrong
        ]
        if problems:
            yield _finding(FindingClass.WRONG_SUBSCRIPTION, name, "; ".join(problems))


def check_dead_letter_subscriptions(topology: Topology, sport: Sport) -> Outcome:
    """Messages that wait in a dead-letter subscription: somebody has to replay or discard them.

    Those that answered count, whatever became of the others.
    """
    names = [topic.dead_letter_subscription_name(sport) for topic in REGISTRY.values()]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = dict(zip(names, pool.map(topology.waiting, names), strict=True))
    errors = [
        answer.error
        for answer in answers.values()
        # One that is missing is told by the check of the topology.
        if answer.error is not None and answer.error.exception_class != "NotFound"
    ]
    found = [_waiting(name, answer.unwrap()) for name, answer in answers.items() if answer.data]
    # Not all were seen, so what is open about the others must not be taken for over; what was found is told.
    if errors:
        return Unknown(store=PUBSUB, error=errors[0], findings=tuple(found))
    return outcome_of(found)


def _waiting(name: str, count: int) -> Finding:
    """A warning: the messages are kept for days, and their documents say more than their number."""
    return Finding(
        finding_class=FindingClass.WAITING_DEAD_LETTERS,
        severity=Severity.WARNING,
        check=WAITING,
        scope=Scope.of_system(name),
        summary=f"{'at least ' if count >= PEEKED else ''}{counted(count, 'message', 'wait')}",
        look=operator_command("dead-letters"),
        depends_on=frozenset({PUBSUB}),
    )


def _finding(finding_class: FindingClass, name: str, summary: str) -> Finding:
    """Critical: what is published to nobody is lost after its retention. Nothing of ours makes it; Terraform
    does."""
    return Finding(
        finding_class=finding_class,
        severity=Severity.CRITICAL,
        check=TOPOLOGY,
        scope=Scope.of_system(name),
        summary=f"{name}: {summary}",
        look=operator_command("status"),
        depends_on=frozenset({PUBSUB}),
    )


def _subscription(found: Any) -> SubscriptionSeen:
    """A subscription as Pub/Sub describes it, in names without the project."""
    return SubscriptionSeen(
        name=_short(found.name),
        topic="" if found.topic == "_deleted-topic_" else _short(found.topic),
        push_endpoint=found.push_config.push_endpoint,
        dead_letter_topic=_short(found.dead_letter_policy.dead_letter_topic),
        max_delivery_attempts=found.dead_letter_policy.max_delivery_attempts,
        ack_deadline_seconds=found.ack_deadline_seconds,
    )


def _short(path: str) -> str:
    """`projects/p/topics/t` → `t`; "" stays ""."""
    return path.rpartition("/")[2]
