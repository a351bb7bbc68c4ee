"""Pulling from the emulator: what a handler's Result makes of a message, and what a stop leaves behind."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import DeadlineExceeded
from google.cloud import firestore, pubsub_v1

from common.entrypoint.dead_letters import DeadLetters
from common.entrypoint.envelope import Delivery
from common.messages import PredictionRequest
from common.publisher import Publisher
from common.result import ErrorInfo, ErrorType, Result
from common.sport import Sport
from common.subscriber import Subscriber
from common.topics import PREDICTION_REQUEST
from tests.support.polling import eventually

TOPIC = PREDICTION_REQUEST.name(Sport.NBA)
Handle = Callable[[PredictionRequest, Delivery], Result[Any]]


class Worker:
    """One topic, one subscription, one subscriber in a thread."""

    def __init__(
        self,
        project_id: str,
        publisher_client: pubsub_v1.PublisherClient,
        subscriber_client: pubsub_v1.SubscriberClient,
        firestore_client: firestore.Client,
    ) -> None:
        self.topic_path = f"projects/{project_id}/topics/{TOPIC}"
        self.subscription_path = f"projects/{project_id}/subscriptions/{TOPIC}"
        for path in (self.topic_path, self.topic_path + "-dlq"):
            publisher_client.create_topic(name=path)
        subscriber_client.create_subscription(
            name=self.subscription_path, topic=self.topic_path, ack_deadline_seconds=10
        )
        self.publisher = Publisher(publisher_client, project=project_id, sport=Sport.NBA)
        self.raw_publisher = publisher_client
        self.client = subscriber_client
        self.dead_letters = DeadLetters(
            firestore_client, self.publisher, topics=[PREDICTION_REQUEST], sport=Sport.NBA, function="worker"
        )
        self.db = firestore_client

    def request(self, player: str = "lukadoncic") -> None:
        message = PredictionRequest(
            batch_id="b1", player_lookup=player, game_date=date(2026, 1, 17), game_id="g1"
        )
        self.publisher.publish(PREDICTION_REQUEST, message).unwrap()

    def subscriber(self, handle: Handle, **options: Any) -> Subscriber[PredictionRequest]:
        return Subscriber(
            client=self.client,
            subscription_path=options.pop("subscription_path", self.subscription_path),
            message=PredictionRequest,
            handle=handle,
            dead_letters=lambda: self.dead_letters,
            sport=Sport.NBA,
            max_age=timedelta(hours=24),
            now=lambda: datetime.now(UTC),
            **options,
        )

    @contextmanager
    def running(self, handle: Handle, **options: Any) -> Iterator[None]:
        stop = threading.Event()
        ended: list[Result[None]] = []
        subscriber = self.subscriber(handle, **options)
        thread = threading.Thread(target=lambda: ended.append(subscriber.run(stop)))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        assert ended == [Result.success(None)]

    def left(self) -> list[str]:
        """What the subscription still has to deliver, at once."""
        try:
            pulled = self.client.pull(
                subscription=self.subscription_path, max_messages=100, timeout=1.0, retry=None
            )
        except DeadlineExceeded:
            return []
        return [each.message.message_id for each in pulled.received_messages]


@pytest.fixture
def worker(
    project_id: str,
    publisher_client: pubsub_v1.PublisherClient,
    subscriber_client: pubsub_v1.SubscriberClient,
    firestore_client: firestore.Client,
) -> Worker:
    return Worker(project_id, publisher_client, subscriber_client, firestore_client)


def test_a_message_whose_handler_succeeds_is_delivered_once(worker: Worker) -> None:
    handled: list[str] = []

    def handle(request: PredictionRequest, delivery: Delivery) -> Result[None]:
        handled.append(request.player_lookup)
        return Result.success(None)

    worker.request()
    with worker.running(handle):
        eventually(lambda: handled)

    assert handled == ["lukadoncic"]
    assert worker.left() == []


@pytest.mark.parametrize("fails_by", ["result", "exception"])
def test_a_transient_failure_is_delivered_again_under_the_same_event_id(
    worker: Worker, fails_by: str
) -> None:
    events: list[str] = []

    def handle(_: PredictionRequest, delivery: Delivery) -> Result[None]:
        events.append(delivery.event_id)
        if len(events) > 1:
            return Result.success(None)
        if fails_by == "exception":
            raise ConnectionResetError("the store went away")
        return Result.failure(ErrorInfo.not_yet("too early"))

    worker.request()
    with worker.running(handle):
        eventually(lambda: len(events) == 2)

    assert events[0] == events[1]
    assert worker.left() == []


def test_a_permanent_failure_becomes_a_dead_letter_and_is_not_delivered_again(worker: Worker) -> None:
    events: list[str] = []

    def handle(_: PredictionRequest, delivery: Delivery) -> Result[None]:
        events.append(delivery.event_id)
        return Result.failure(ErrorInfo.permanent("NoSuchGame", "game_id: 'g1' is unknown"))

    worker.request()
    with worker.running(handle):
        letter = eventually(lambda: list(worker.db.collection("dead_letters").stream()))

    assert letter[0].id == events[0]
    assert letter[0].get("reason") == "game_id: 'g1' is unknown"
    assert len(events) == 1
    assert worker.left() == []


def test_a_body_that_cannot_be_read_never_reaches_the_handler(worker: Worker) -> None:
    handled: list[PredictionRequest] = []

    def handle(request: PredictionRequest, _: Delivery) -> Result[None]:
        handled.append(request)
        return Result.success(None)

    worker.raw_publisher.publish(worker.topic_path, b'{"batch_id": "b1"}').result(timeout=10)
    with worker.running(handle):
        letter = eventually(lambda: list(worker.db.collection("dead_letters").stream()))

    assert "player_lookup: Field required" in letter[0].get("reason")
    assert handled == []


def test_no_more_messages_are_held_than_allowed(worker: Worker) -> None:
    lock, go_on = threading.Lock(), threading.Event()
    held: list[int] = [0]
    most: list[int] = [0]
    done: list[str] = []

    def handle(request: PredictionRequest, _: Delivery) -> Result[None]:
        with lock:
            held[0] += 1
            most[0] = max(most[0], held[0])
        go_on.wait(timeout=20)
        with lock:
            held[0] -= 1
            done.append(request.player_lookup)
        return Result.success(None)

    for number in range(12):
        worker.request(f"player{number}")
    with worker.running(handle, max_in_flight=3):
        eventually(lambda: held[0] == 3)
        go_on.set()
        eventually(lambda: len(done) == 12)

    assert most[0] == 3
    assert len(set(done)) == 12


def test_a_missing_subscription_is_a_failure_and_no_endless_silence(worker: Worker, project_id: str) -> None:
    missing = f"projects/{project_id}/subscriptions/nobody-made-it"
    subscriber = worker.subscriber(lambda *_: Result.success(None), subscription_path=missing)

    result = subscriber.run(threading.Event())

    assert result.error is not None
    assert result.error.type is ErrorType.PERMANENT
    assert result.error.exception_class == "NotFound"
    assert result.error.details == {"subscription": missing}


def test_sigterm_lets_a_worker_finish_what_it_holds(worker: Worker) -> None:
    worker.request()
    command = [sys.executable, "-m", "tests.support.subscriber_process", worker.subscription_path]
    process = subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "began lukadoncic\n"

        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate("go on\n", timeout=30)
    finally:
        process.kill()

    assert said == "ended lukadoncic\n"
    assert process.returncode == 0
    assert worker.left() == []
