"""A deployed entry point, started in this process as the platform starts it, and what it publishes."""

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from common.sport import Sport
from common.topics import Topic
from tests.support.collector import collector_as_before
from tests.support.deliveries import binary, push, structured

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient


def envelopes(topic: Topic) -> pytest.MarkDecorator:
    """Every envelope in which a message of `topic` may come, as `envelope`."""
    name = topic.name(Sport.NBA)
    forms = [partial(binary, topic=name), partial(structured, topic=name), push]
    return pytest.mark.parametrize("envelope", forms, ids=["binary", "structured", "push"])


@contextmanager
def starting(main: str) -> Iterator[Callable[[], ModuleType]]:
    """Imports the entry point anew when it is called. Afterwards this process is as before: a function sets
    the garbage collection of its whole process, and leaves it off if it fails to start."""
    sys.modules.pop(main, None)
    try:
        with collector_as_before():
            yield lambda: importlib.import_module(main)
    finally:
        sys.modules.pop(main, None)


@contextmanager
def started(main: str, project: str) -> Iterator[ModuleType]:
    """A freshly started instance. Its logs stay as the tests have them."""
    with pytest.MonkeyPatch.context() as patch, starting(main) as start:
        patch.setattr("common.logs.configure", lambda *_, **__: None)
        patch.setenv("GCP_PROJECT", project)
        yield start()


def listening(
    publisher: "PublisherClient", subscriber: "SubscriberClient", project: str, heard: Topic, woken_by: Topic
) -> Callable[[], Sequence[bytes]]:
    """Make the topics that a function publishes to; gives a reader of what was published to the first."""
    names = (heard.name(Sport.NBA), woken_by.dead_letter_name(Sport.NBA))
    topics = [f"projects/{project}/topics/{name}" for name in names]
    for topic in topics:
        publisher.create_topic(name=topic)
    subscription = f"projects/{project}/subscriptions/heard"
    subscriber.create_subscription(name=subscription, topic=topics[0])

    def read() -> Sequence[bytes]:
        pulled = subscriber.pull(subscription=subscription, max_messages=10, timeout=10)
        return [each.message.data for each in pulled.received_messages]

    return read
