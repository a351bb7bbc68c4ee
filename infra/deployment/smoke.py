"""Does a tagged revision do its work, before it gets traffic? Asked through Pub/Sub, as it will be woken.

The ingress is internal and refuses a laptop, so a topic with a push subscription to the tag's address is
made for the occasion, and one message published to it. The function recognises it, tries its stores, and
answers by a document. Afterwards nothing of it is left; what a killed deployment left is removed by a
later one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from common.entrypoint.canary import ATTRIBUTE, TOPIC_PREFIX

from . import commands
from .answers import Answers
from .commands import Canary
from .gcloud import Gcloud
from .problem import DeployError
from .running import Service
from .target import Target

ABANDONED_AFTER: Final = timedelta(hours=2)
"""No deployment takes as long: what is older, nobody waits for."""
_BASE_36: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_DEPLOYMENT: Final = re.compile(r"d([0-9a-z]{6})[0-9a-f]{2}")


def new_deployment(at: float, salt: bytes) -> str:
    """A name for one deployment of one function, `d` + seconds in base 36 + two digits: it is the tag, the
    end of the revision's name and the end of the canary's, and tells when it was made. `at`: seconds since
    1970."""
    digits, seconds = "", int(at)
    # In base 36: a tag has room for nine characters, and these sort as times do.
    while seconds:
        seconds, digit = divmod(seconds, 36)
        digits = _BASE_36[digit] + digits
    return f"d{digits.rjust(6, '0')}{salt[:1].hex()}"


def made_at(deployment: str) -> int | None:
    """Seconds since 1970; None for what no deployment has made."""
    found = _DEPLOYMENT.fullmatch(deployment)
    return int(found.group(1), 36) if found else None


def is_abandoned(deployment: str, now: float) -> bool:
    """Whether nobody can be waiting for it any more; False for what is not a deployment's name."""
    made = made_at(deployment)
    return made is not None and now - made > ABANDONED_AFTER.total_seconds()


def probe(
    gcloud: Gcloud, answers: Answers, target: Target, *, service: Service, deployment: str, url: str
) -> None:
    """Ask the revision of this deployment to try its stores; raises DeployError unless all are well.

    `url` is the service's own address, for which the token of the push is made out. Blocks for a cold start,
    at most three minutes. Topic, subscription and answer are removed whatever happens.
    """
    tagged = service.tagged(deployment)
    if tagged is None or tagged.url is None:
        raise DeployError(f"{service.name}: its new revision has no address under the tag {deployment}")
    asked = canary(service.name, deployment)
    # The tag's address as the service tells it: Google shortens it where it would be too long for one label.
    with _subscribed(gcloud, target, asked, tag_url=tagged.url, service_url=url):
        try:
            gcloud.run(commands.publish(asked, target, attributes=attributes(asked)))
            _judge(answers, asked, service.name, tagged.revision)
        finally:
            # Also where it came too late to be read: the next look finds nothing of it.
            answers.forget(asked.canary_id)


def canary(service: str, deployment: str) -> Canary:
    """Of one revision: its topic and subscription, and the id that its answer has."""
    return Canary(name=f"{TOPIC_PREFIX}{service}-{deployment}", canary_id=f"{service}-{deployment}")


def attributes(asked: Canary) -> dict[str, str]:
    """By which the function recognises it."""
    return {ATTRIBUTE: asked.canary_id}


def sweep(gcloud: Gcloud, target: Target, now: float) -> None:
    """Remove what killed deployments have left: older than two hours, by the time in their names.

    Another deployment that is under way keeps its own.
    """
    for listed, delete in (
        (gcloud.read(commands.subscriptions(target)), commands.delete_subscription),
        (gcloud.read(commands.topics(target)), commands.delete_topic),
    ):
        for name in _abandoned(listed, now):
            gcloud.run(delete(name, target))


def _abandoned(listed: Sequence[Mapping[str, Any]], now: float) -> Iterator[str]:
    """Names among the listed ones that a killed deployment has left."""
    for name in (str(each["name"]).rpartition("/")[2] for each in listed):
        # By prefix and by a time in the name: nothing that anybody else has made looks so.
        if name.startswith(TOPIC_PREFIX) and is_abandoned(name.rpartition("-")[2], now):
            yield name


@contextmanager
def _subscribed(
    gcloud: Gcloud, target: Target, asked: Canary, *, tag_url: str, service_url: str
) -> Iterator[None]:
    """Made, and removed whatever happens: each as far as it was made. The subscription goes first: without
    its topic it would stay, and keep its messages."""
    gcloud.run(commands.create_topic(asked, target))
    try:
        gcloud.run(commands.create_subscription(asked, target, tag_url=tag_url, service_url=service_url))
        try:
            yield
        finally:
            gcloud.run(commands.delete_subscription(asked.name, target))
    finally:
        gcloud.run(commands.delete_topic(asked.name, target))


def _judge(answers: Answers, asked: Canary, service: str, revision: str) -> None:
    """An answer counts only if it is this revision's, and tells of at least one store that it is well."""
    answer = answers.wait(asked.canary_id)
    if answer is None:
        raise DeployError(f"{service}: {revision} has not answered a canary; its logs tell why")
    # A tag may have been moved since it was read: traffic goes to what was tried, and to nothing else.
    if (answer.service, answer.revision) != (service, revision):
        raise DeployError(f"{service}: {answer.revision} has answered in place of {revision}")
    broken = {store: found for store, found in answer.checks.items() if found != "ok"}
    if broken or not answer.checks:
        told = "; ".join(f"{store}: {found}" for store, found in broken.items()) or "it has tried no store"
        raise DeployError(f"{service}: {revision} cannot work: {told}")
