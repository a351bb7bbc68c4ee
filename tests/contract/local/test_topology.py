"""The topics and subscriptions of the registry on the emulator, and that it delivers by them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from common.sport import Sport
from common.topics import PREDICTION_READY, REGISTRY
from local.ports import LOOPBACK
from local.topology import Names, Push, create
from tests.support.polling import eventually

REFUSALS = 5


class Reluctant(ThreadingHTTPServer):
    """Refuses the first deliveries, as a function does that is being started."""

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.paths: list[str] = []
        self.accepted = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: Reluctant

    def do_POST(self) -> None:
        self.server.paths.append(self.path)
        is_enough = len(self.server.paths) > REFUSALS
        self.send_response(200 if is_enough else 503)
        self.end_headers()
        if is_enough:
            self.server.accepted.set()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test looks at the paths."""


@contextmanager
def reluctant() -> Iterator[Reluctant]:
    with Reluctant() as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield server
        finally:
            server.shutdown()
            serving.join()


def test_every_topic_of_the_registry_is_made_with_its_dead_letter_topic(
    publisher_client: PublisherClient, subscriber_client: SubscriberClient, project_id: str
) -> None:
    names = Names(project=project_id, sport=Sport.NBA)

    create(publisher_client, subscriber_client, names, [])

    made = {topic.name for topic in publisher_client.list_topics(project=f"projects/{project_id}")}
    assert made == {
        names.topic(name)
        for entry in REGISTRY.values()
        for name in (entry.name(Sport.NBA), entry.dead_letter_name(Sport.NBA))
    }


def test_a_push_that_is_refused_again_and_again_arrives_in_the_end(
    publisher_client: PublisherClient, subscriber_client: SubscriberClient, project_id: str
) -> None:
    names = Names(project=project_id, sport=Sport.NBA)
    topic = PREDICTION_READY.name(Sport.NBA)
    with reluctant() as server:
        push = Push(name="reluctant", topic=PREDICTION_READY, port=server.server_port)
        create(publisher_client, subscriber_client, names, [push])

        publisher_client.publish(names.topic(topic), b"{}").result(timeout=10)

        eventually(server.accepted.is_set)
        assert set(server.paths) == {f"/projects/{project_id}/topics/{topic}"}
