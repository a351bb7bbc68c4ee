"""The topics and subscriptions of the registry on the emulator, and that it delivers by them."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from common.sport import Sport
from common.topics import PREDICTION_READY, REGISTRY
from local.stack.ports import LOOPBACK
from local.stack.topology import Names, Push, create
from tests.support.polling import eventually

MESSAGES, REFUSALS = 5, 4


class Reluctant(ThreadingHTTPServer):
    """Refuses the first deliveries of each message, as a function does that is being started."""

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.paths: set[str] = set()
        self.deliveries: Counter[str] = Counter()

    @property
    def has_all(self) -> bool:
        return sum(times > REFUSALS for times in self.deliveries.values()) == MESSAGES


class _Handler(BaseHTTPRequestHandler):
    server: Reluctant

    def do_POST(self) -> None:
        envelope = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        event_id = envelope["message"]["messageId"]
        self.server.paths.add(self.path)
        self.server.deliveries[event_id] += 1
        self.send_response(200 if self.server.deliveries[event_id] > REFUSALS else 503)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test looks at the server."""


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


def test_pushes_that_are_refused_again_and_again_arrive_in_the_end(
    publisher_client: PublisherClient, subscriber_client: SubscriberClient, project_id: str
) -> None:
    names = Names(project=project_id, sport=Sport.NBA)
    topic = names.topic(PREDICTION_READY.name(Sport.NBA))
    with reluctant() as server:
        push = Push(name="completion_recorder", topic=PREDICTION_READY, port=server.server_port)
        create(publisher_client, subscriber_client, names, [push])

        for _ in range(MESSAGES):
            publisher_client.publish(topic, b"{}").result(timeout=10)

        eventually(lambda: server.has_all)
        assert server.paths == {f"/{topic}"}
