"""Pub/Sub that refuses, is away or does not answer: the publisher and the worker are told, and what."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from google.cloud import pubsub_v1

from common.messages import MessageStatus, Phase, PhaseCompletion, PlayerCompletion, PredictionRequest
from common.publisher import Limits, Publisher
from common.result import ErrorType, Result
from common.sport import Sport
from common.subscriber import Subscriber
from common.topics import PHASE5_PREDICTIONS_COMPLETE, PREDICTION_READY, PREDICTION_REQUEST
from tests.support.results import error_of
from tests.support.stub_grpc import (
    DENIED_BY_PUBSUB,
    EXHAUSTED,
    NO_SUCH_TOPIC,
    PUBLISH,
    UNAVAILABLE,
    GrpcStub,
    Refusal,
)

PROJECT = "stub-project"
SUBSCRIPTION = f"projects/{PROJECT}/subscriptions/s"
TOPIC = PREDICTION_REQUEST.name(Sport.NBA)
IMPATIENT = Limits(timeout_seconds=0.5)

Connect = Callable[..., Publisher]


@pytest.fixture
def stub() -> Iterator[GrpcStub]:
    with GrpcStub().serving() as serving:
        yield serving


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """A publisher whose Pub/Sub is at HOST:PORT."""
    with ExitStack() as clients:

        def connect(host: str, limits: Limits = IMPATIENT) -> Publisher:
            with monkeypatch.context() as meanwhile:
                meanwhile.setenv("PUBSUB_EMULATOR_HOST", host)
                client = pubsub_v1.PublisherClient()
            clients.enter_context(client)
            return Publisher(client, project=PROJECT, sport=Sport.NBA, limits=limits)

        yield connect


def request(player: str = "lukadoncic") -> PredictionRequest:
    return PredictionRequest(
        batch_id="b1", player_lookup=player, game_date=date(2026, 1, 17), game_id="g1", correlation_id="c1"
    )


def requests(number: int) -> list[PredictionRequest]:
    return [request(f"player{index}") for index in range(number)]


def players(stub: GrpcStub) -> list[list[str]]:
    """Who was asked for, by request that was accepted."""
    return [
        [PredictionRequest.parse(message.data).unwrap().player_lookup for message in messages]
        for messages in stub.published
    ]


REFUSALS = [
    pytest.param(DENIED_BY_PUBSUB, ErrorType.PERMANENT, "PermissionDenied", id="not allowed"),
    pytest.param(NO_SUCH_TOPIC, ErrorType.PERMANENT, "NotFound", id="no such topic"),
    pytest.param(UNAVAILABLE, ErrorType.TRANSIENT, "ServiceUnavailable", id="service away"),
    pytest.param(EXHAUSTED, ErrorType.TRANSIENT, "ResourceExhausted", id="quota used up"),
]


@pytest.mark.parametrize(("refusal", "error_type", "exception_class"), REFUSALS)
def test_a_refused_message_is_a_failure_and_a_published_one_has_an_id(
    stub: GrpcStub, connect: Connect, refusal: Refusal, error_type: ErrorType, exception_class: str
) -> None:
    publisher = connect(stub.host)
    published = publisher.publish(PREDICTION_REQUEST, request())
    stub.refuse_always(refusal)

    refused = publisher.publish(PREDICTION_REQUEST, request())

    assert published == Result.success("1")
    error = error_of(refused)
    assert (error.type, error.exception_class) == (error_type, exception_class)
    assert error.details == {"topic": TOPIC, "confirmed": 0, "of": 1}
    assert refusal.message in error.message
    assert len(stub.published) == 1


@pytest.mark.parametrize(("refusal", "error_type", "exception_class"), REFUSALS)
def test_the_end_of_a_phase_that_nobody_heard_of_is_a_failure(
    stub: GrpcStub, connect: Connect, refusal: Refusal, error_type: ErrorType, exception_class: str
) -> None:
    completion = PhaseCompletion(
        processor_name="prediction_consolidation",
        phase=Phase.PREDICTIONS,
        execution_id="b1-1",
        game_date=date(2026, 1, 17),
        status=MessageStatus.SUCCESS,
        skip_downstream=True,
    )
    publisher = connect(stub.host)
    skipping = publisher.publish(PHASE5_PREDICTIONS_COMPLETE, completion)
    stub.refuse_always(refusal)

    refused = publisher.publish(PHASE5_PREDICTIONS_COMPLETE, completion)

    assert skipping.is_success
    error = error_of(refused)
    assert (error.type, error.exception_class) == (error_type, exception_class)


@pytest.mark.parametrize(("refusal", "error_type", "exception_class"), REFUSALS)
def test_a_players_completion_that_nobody_heard_of_is_a_failure(
    stub: GrpcStub, connect: Connect, refusal: Refusal, error_type: ErrorType, exception_class: str
) -> None:
    completion = PlayerCompletion(
        batch_id="b1", player_lookup="lukadoncic", game_date=date(2026, 1, 17), predictions_generated=5
    )
    stub.refuse_always(refusal)

    error = error_of(connect(stub.host).publish(PREDICTION_READY, completion))

    assert (error.type, error.exception_class) == (error_type, exception_class)


def test_a_refusal_for_good_is_told_at_once_and_not_repeated(stub: GrpcStub, connect: Connect) -> None:
    stub.refuse_always(DENIED_BY_PUBSUB)

    error_of(connect(stub.host, Limits()).publish(PREDICTION_REQUEST, request()))

    assert stub.calls == [PUBLISH]


def test_a_service_that_comes_back_in_time_is_not_noticed(stub: GrpcStub, connect: Connect) -> None:
    stub.refuse(UNAVAILABLE, EXHAUSTED)

    published = connect(stub.host, Limits()).publish(PREDICTION_REQUEST, request())

    assert published.is_success
    assert players(stub) == [["lukadoncic"]]


@pytest.mark.parametrize("listens", [False, True], ids=["nobody listens", "nobody answers"])
def test_a_service_out_of_reach_is_a_transient_failure_within_the_time_allowed(
    connect: Connect, listens: bool
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if listens:
            silent.listen()
        host, port = silent.getsockname()
        publisher = connect(f"{host}:{port}", Limits(timeout_seconds=1.0, max_messages=1))
        started = time.monotonic()

        error = error_of(publisher.publish_all(PREDICTION_REQUEST, requests(20)))

        took = time.monotonic() - started
    assert error.type is ErrorType.TRANSIENT
    assert error.exception_class in ("ServiceUnavailable", "DeadlineExceeded")
    assert error.details == {"topic": TOPIC, "confirmed": 0, "of": 20}
    assert took < 10  # not the twenty seconds that twenty messages would have one after the other


def test_a_slow_service_has_the_time_of_one_call_for_however_many_messages(
    stub: GrpcStub, connect: Connect
) -> None:
    stub.seconds_to_answer = 0.2
    started = time.monotonic()

    error = error_of(
        connect(stub.host, Limits(timeout_seconds=1.0, max_messages=1)).publish_all(
            PREDICTION_REQUEST, requests(100)
        )
    )

    assert time.monotonic() - started < 10  # a hundred answers take twenty seconds
    assert (error.type, error.exception_class) == (ErrorType.TRANSIENT, "DeadlineExceeded")
    assert error.details is not None
    assert 0 < error.details["confirmed"] <= 5


def test_a_request_without_an_answer_leaves_time_for_another(stub: GrpcStub, connect: Connect) -> None:
    stub.hang_once()

    published = connect(stub.host, Limits(request_seconds=0.3)).publish(PREDICTION_REQUEST, request())

    assert published.is_success
    assert stub.calls == [PUBLISH, PUBLISH]


def test_a_bulk_that_broke_off_tells_how_far_it_came_and_may_be_repeated(
    stub: GrpcStub, connect: Connect
) -> None:
    publisher = connect(stub.host, Limits(max_messages=2))
    stub.refuse(None, DENIED_BY_PUBSUB)

    broken_off = publisher.publish_all(PREDICTION_REQUEST, requests(5))
    repeated = publisher.publish_all(PREDICTION_REQUEST, requests(5))

    assert error_of(broken_off).details == {"topic": TOPIC, "confirmed": 2, "of": 5}
    assert repeated == Result.success(["3", "4", "5", "6", "7"])
    assert players(stub) == [
        ["player0", "player1"],
        ["player0", "player1"],
        ["player2", "player3"],
        ["player4"],
    ]


def test_nothing_overtakes_a_message_that_failed(stub: GrpcStub, connect: Connect) -> None:
    publisher = connect(stub.host, Limits(max_messages=1))
    stub.refuse(None, UNAVAILABLE, None, DENIED_BY_PUBSUB)

    error_of(publisher.publish_all(PREDICTION_REQUEST, requests(4), ordering_key="b1"))
    publisher.publish(PREDICTION_REQUEST, request("player9"), ordering_key="b1").unwrap()

    assert players(stub) == [["player0"], ["player1"], ["player9"]]
    assert {message.ordering_key for messages in stub.published for message in messages} == {"b1"}


def test_a_message_without_an_id_is_not_taken_for_published(stub: GrpcStub, connect: Connect) -> None:
    stub.ids_to_lose = 1

    error = error_of(connect(stub.host).publish_all(PREDICTION_REQUEST, requests(3)))

    assert (error.type, error.exception_class) == (ErrorType.UNKNOWN, "IdsMissing")
    assert error.message == "2 of 3 messages have an id"


@pytest.mark.parametrize(
    ("data", "attributes"),
    [(b"x", {"attempt": 3}), ("no bytes", {}), (None, {})],
    ids=["attribute that is no text", "text", "nothing"],
)
def test_what_pubsub_cannot_carry_is_a_permanent_failure(
    stub: GrpcStub, connect: Connect, data: Any, attributes: Any
) -> None:
    error = error_of(connect(stub.host).publish_raw(TOPIC, data, attributes))

    assert (error.type, error.exception_class) == (ErrorType.PERMANENT, "TypeError")
    assert stub.calls == []


def test_any_name_will_do_for_an_attribute_and_the_callers_attributes_stay_as_they_are(
    stub: GrpcStub, connect: Connect
) -> None:
    given = {"topic": "t", "data": "d", "retry": "r", "sport": "mlb"}

    connect(stub.host).publish(PREDICTION_REQUEST, request(), attributes=given).unwrap()

    assert given == {"topic": "t", "data": "d", "retry": "r", "sport": "mlb"}
    sent = dict(stub.published[0][0].attributes)
    assert sent == {"topic": "t", "data": "d", "retry": "r", "sport": "nba", "correlation_id": "c1"}


def test_a_large_bulk_is_cut_where_a_request_is_full(stub: GrpcStub, connect: Connect) -> None:
    size = len(request("player0").to_json())

    connect(stub.host, Limits(max_bytes=3 * size)).publish_all(PREDICTION_REQUEST, requests(4)).unwrap()
    connect(stub.host, Limits(max_bytes=size // 2)).publish_all(PREDICTION_REQUEST, requests(2)).unwrap()

    two_each = [["player0", "player1"], ["player2", "player3"]]
    assert players(stub) == [*two_each, ["player0"], ["player1"]]


def test_a_topic_carries_its_own_message_and_no_other(stub: GrpcStub, connect: Connect) -> None:
    with pytest.raises(TypeError, match="PREDICTION_READY carries PlayerCompletion, not PredictionRequest"):
        connect(stub.host).publish_all(PREDICTION_READY, [request()])

    assert stub.calls == []


@pytest.fixture
def subscriber_at(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[str], Subscriber[PredictionRequest]]]:
    """A worker whose Pub/Sub is at HOST:PORT; nothing ever reaches its handler."""
    with ExitStack() as clients:

        def connect(host: str) -> Subscriber[PredictionRequest]:
            with monkeypatch.context() as meanwhile:
                meanwhile.setenv("PUBSUB_EMULATOR_HOST", host)
                client = pubsub_v1.SubscriberClient()
            clients.enter_context(client)
            return Subscriber(
                client=client,
                subscription_path=SUBSCRIPTION,
                message=PredictionRequest,
                handle=lambda *_: pytest.fail("a message was handled"),
                dead_letters=lambda: pytest.fail("a message was dead-lettered"),
                sport=Sport.NBA,
                max_age=timedelta(hours=24),
                now=lambda: datetime.now(UTC),
            )

        yield connect


@pytest.mark.parametrize(
    ("refusal", "exception_class"),
    [(DENIED_BY_PUBSUB, "PermissionDenied"), (NO_SUCH_TOPIC, "NotFound")],
    ids=["not allowed", "no such subscription"],
)
def test_a_worker_that_is_not_allowed_to_listen_ends_and_says_why(
    stub: GrpcStub,
    subscriber_at: Callable[[str], Subscriber[PredictionRequest]],
    refusal: Refusal,
    exception_class: str,
) -> None:
    stub.refuse_always(refusal)

    ended = subscriber_at(stub.host).run(threading.Event())

    error = error_of(ended)
    assert (error.type, error.exception_class) == (ErrorType.PERMANENT, exception_class)
    assert error.details == {"subscription": SUBSCRIPTION}
